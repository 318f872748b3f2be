"""What starts often must start light; every module can be imported."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import dapp_ext
import dapp_panel
from dapp_ext.settings import PYTHON

HEAVY = {
    "pandas",
    "sklearn",
    "lightgbm",
    "panel",
    "bokeh",
    "holoviews",
    "duckdb",
    "polars",
    "skrub",
    "sqlmodel",
    "sqlalchemy",
    "jupyter_server",
    "tornado",
    "pyarrow",
}


def _loaded(code: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"], capture_output=True, text=True, check=True, timeout=60)
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import dapp_ext", set()),
        ("import dapp_ext.schema.models, dapp_ext.schema.events, dapp_ext.schema.accounts", set()),
        ("from dapp_ext.client import DAPPClient", set()),
        ("from dapp_ext.cli.main import main; import sys; sys.argv = ['jupyter-dapp', '--help']; main()", set()),
        ("from dapp_ext.services import open_services", {"sqlmodel", "sqlalchemy", "pyarrow"}),
        ("import dapp_ext.services.preload", {"pandas", "sklearn", "lightgbm", "pyarrow"}),  # what the process of a job is forked from
    ],
    ids=["package", "schema", "client", "help", "services", "jobs"],
)
def test_light_starts(code: str, allowed: set[str]) -> None:
    assert _loaded(code) & HEAVY <= allowed


def test_the_process_of_a_job_is_not_loaded_with_its_workers_program() -> None:
    """Multiprocessing loads the program of its parent in every child, unless it is a package's ``__main__``: half a second a job."""
    assert importlib.util.find_spec("dapp_ext.worker.__main__") is not None


def test_every_module_can_be_imported() -> None:
    names = [found.name for package in (dapp_ext, dapp_panel) for found in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
    # Alembic's entry runs only inside a migration, and the two entry points run as programs.
    skipped = {"dapp_ext.store.migrations.env", "dapp_ext.cli.__main__", "dapp_panel.__main__"}
    assert len(names) > 80
    for name in sorted(set(names) - skipped):
        importlib.import_module(name)


def test_keys_are_wrapped_and_the_audit_is_written_in_one_place_each() -> None:
    """Wrapping elsewhere would miss a rotation that another process has just begun; a row elsewhere would break the chain."""
    package = Path(__file__).parents[2] / "dapp_ext"
    for text, homes in (
        (".wrap(", {"services/context.py", "store/instance.py"}),
        ("DataKey(", {"services/context.py", "store/instance.py", "store/tables.py"}),
        ("AuditRow(", {"store/audit.py", "store/tables.py"}),
    ):
        found = {path.relative_to(package).as_posix() for path in package.rglob("*.py") if text in path.read_text("utf-8")}
        assert found == homes, text


def test_what_lies_in_the_working_folder_takes_no_librarys_place(tmp_path: Path) -> None:
    """Python looks there first for ``-m`` and ``-c``; a notebook folder may hold a ``polars.py``."""
    (tmp_path / "polars.py").write_text("raise SystemExit('taken in')")
    for words in (["-c", "import polars"], ["-m", "dapp_ext.worker", "--help"]):
        done = subprocess.run([*PYTHON, *words], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert "taken in" not in done.stdout + done.stderr
    assert "taken in" in subprocess.run([sys.executable, "-c", "import polars"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False).stderr


def test_every_process_of_ours_is_started_so() -> None:
    sources = [*Path(dapp_ext.__file__).parent.rglob("*.py"), *Path(dapp_panel.__file__).parent.rglob("*.py")]
    starting = {path.name: path.read_text("utf-8").count("sys.executable") for path in sources if "sys.executable" in path.read_text("utf-8")}
    assert starting == {"settings.py": 1, "serving.py": 1}, "start with dapp_ext.settings.PYTHON"
