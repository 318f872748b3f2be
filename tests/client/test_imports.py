"""What the client needs: a script's environment has pydantic, httpx and websockets, and not the server."""

from __future__ import annotations

import subprocess
import sys

# Everything that only the server, the dashboard, the widgets or a frame need.
BLOCKED = [
    "tornado",
    "jupyter_server",
    "jupyter_client",
    "jupyter_core",
    "ipykernel",
    "IPython",
    "ipywidgets",
    "anywidget",
    "traitlets",
    "sqlmodel",
    "sqlalchemy",
    "alembic",
    "sklearn",
    "lightgbm",
    "skrub",
    "skops",
    "panel",
    "bokeh",
    "holoviews",
    "cryptography",
    "argon2",
    "jwt",
    "duckdb",
    "polars",
    "pandas",
    "pyarrow",
    "numpy",
    "openpyxl",
    "python_calamine",
    "typer",
    "platformdirs",
    "psutil",
    "dapp_panel",
    "dapp_ext.services",
    "dapp_ext.domain",
    "dapp_ext.store",
    "dapp_ext.handlers",
    "dapp_ext.app",
    "dapp_ext.cli",
    "dapp_ext.worker",
    "dapp_ext.settings",
]

BLOCKER = f"""
import sys
from importlib.abc import MetaPathFinder

blocked = {BLOCKED!r}

class Blocker(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if any(name == each or name.startswith(each + ".") for each in blocked):
            raise ImportError(f"{{name}} is blocked")
        return None

sys.meta_path.insert(0, Blocker())
"""


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_client_works_without_any_server_package() -> None:
    code = f"""{BLOCKER}
import os
os.environ["JUPYTER_RUNTIME_DIR"] = "/nonexistent"
import dapp_ext.client as client
from dapp_ext.client.filters import read_filters
from dapp_ext.errors import Unavailable
import dapp_ext.client.predictions, dapp_ext.client.live
import websockets.sync.client
assert [each.op for each in read_filters("a > 1")] == ["gt"]
try:
    client.DAPPClient()
except Unavailable as error:
    print(error.message)
try:
    client.DAPPClient("http://127.0.0.1:9").datasets()
except Exception as error:
    print(type(error).__name__)
"""
    printed = run(code)
    assert "jupyter dapp start" in printed
    assert "NotSignedIn" in printed


def test_import_brings_nothing_heavy() -> None:
    code = f"""
import sys
import dapp_ext.client
print(sorted(set({BLOCKED!r} + ["websockets"]) & set(sys.modules)))
"""
    assert run(code).strip() == "[]"


def test_import_is_quick() -> None:
    """Within 150 ms beyond pydantic and httpx where these need 190: as a share of them in the same run, so that a slow machine does not count."""
    beyond = """
import time, httpx, pydantic
from pydantic import BaseModel, Field
begun = time.process_time()
import dapp_ext.client
print(time.process_time() - begun)
"""
    these = """
import time
begun = time.process_time()
import httpx, pydantic
from pydantic import BaseModel, Field
class Shape(BaseModel):
    field: int
print(time.process_time() - begun)
"""
    times = [(float(run(beyond)), float(run(these))) for _ in range(10)]
    assert min(each for each, _ in times) < 150 / 190 * 1.25 * min(each for _, each in times), times
