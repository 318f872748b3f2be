"""What the documentation says works: its Python runs against a real server, its commands in a real home, and it builds without a warning."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from dapp_ext.cli import main as cli
from tests.client.server import JupyterServer

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = sorted(each for folder in ("tutorials", "howto") for each in (DOCS / folder).glob("*.md"))


def _blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(page.read_text("utf-8")) if kind == language]


def _with(language: str) -> list[pytest.param]:  # type: ignore[valid-type]
    return [pytest.param(page, id=page.stem) for page in PAGES if _blocks(page, language)]


@pytest.mark.parametrize("page", _with("python"))
def test_python_runs_as_it_stands(page: Path, jupyter: JupyterServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    jupyter.enter(monkeypatch)
    monkeypatch.chdir(tmp_path)
    here: dict[str, object] = {"__name__": "__main__"}
    for number, block in enumerate(_blocks(page, "python"), 1):
        exec(compile(block, f"{page.name}, block {number}", "exec"), here)


@pytest.mark.parametrize("page", _with("sh"))
def test_commands_run_as_they_stand(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """In this process: two dozen times the start of a command would take longer than all that they do."""
    (tmp_path / "passphrase.txt").write_text("a few words that nobody else knows")
    (tmp_path / "passphrase.txt").chmod(0o600)
    monkeypatch.chdir(tmp_path)
    for line in filter(None, "\n".join(_blocks(page, "sh")).splitlines()):
        words = line.strip().removeprefix("jupyter dapp ")
        assert words != line.strip(), f"not a command of ours: {line}"
        monkeypatch.setattr("sys.argv", ["jupyter-dapp", *[each.strip('"') for each in re.findall(r'"[^"]*"|\S+', words)]])
        code = cli.main()
        said = capfd.readouterr()
        assert code == 0 or words == "doctor", f"{line}\n{said.out}{said.err}"


def test_there_are_commands_and_python() -> None:
    assert len(_with("python")) >= 5
    assert len(_with("sh")) >= 1


def test_every_method_of_the_client_is_shown_somewhere() -> None:
    from dapp_ext import client

    told = "".join(each.read_text("utf-8") for each in [*DOCS.rglob("*.md"), *(DOCS.parent / "notebooks").rglob("*.ipynb")])
    kinds = (client.DAPPClient, client.Dataset, client.Model, client.Results, client.Job, client.Insight)
    methods = {name for kind in kinds for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}
    assert not sorted(name for name in methods if f".{name}(" not in told)
