"""A JupyterLab of its own over an empty home, for browser tests and for measurements."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.stories.conftest import environment

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "dapp_ext" / "samples"
TOKEN = "a token for a test"
READY_SECONDS = 90
TWO_CLASSES = (
    "a,b,label\n" + "".join(f"{at % 7},{'' if at == 5 else at * 37 % 11},{'late' if at % 7 + at * 61 % 9 > 8 else 'early'}\n" for at in range(240))
).encode()
"""A small table of two classes that can be told apart, though not quite."""


@dataclass
class Lab:
    """A JupyterLab of its own over an empty home, which can be killed and started again."""

    base: Path
    port: int
    base_url: str = ""
    release: str = ""
    """Another version than this one, for the server to say it is."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.base_url}"

    @property
    def folder(self) -> Path:
        return self.base / "work"

    @property
    def environ(self) -> dict[str, str]:
        return environment(self.base / "home")

    def prepare(self) -> None:
        """The extension as it is built in this tree, whether the package is installed or not."""
        built = ROOT / "dapp_ext" / "labextension"
        assert (built / "package.json").is_file(), "The labextension is not built. Run: make"
        extensions, config = Path(self.environ["JUPYTER_DATA_DIR"]) / "labextensions", Path(self.environ["JUPYTER_CONFIG_DIR"])
        extensions.mkdir(parents=True)
        (extensions / "jupyter-dapp").symlink_to(built)
        shutil.copytree(ROOT / "jupyter_config" / "jupyter_server_config.d", config / "jupyter_server_config.d")
        settings = config / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}', "utf-8")
        self.folder.mkdir()
        shutil.copy(SAMPLES / "penguins.csv", self.folder / "from_browser.csv")

    def launch(self) -> None:
        """Start the process; whoever calls waits."""
        other = f"import dapp_ext; dapp_ext.__version__ = {self.release!r}; from jupyterlab.labapp import main; main()"
        begin = ["-c", other] if self.release else ["-m", "jupyterlab"]
        command = [sys.executable, *begin, "--no-browser", f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0"]
        command += [
            f"--IdentityProvider.token={TOKEN}",
            f"--ServerApp.base_url={self.base_url}/",
            "--expose-app-in-browser",
            "--JupyterNotebookApp.expose_app_in_browser=True",
            *(["--allow-root"] if os.geteuid() == 0 else []),
        ]
        with open(self.base / "lab.log", "ab") as log:
            self.process = subprocess.Popen(command, env=self.environ | {"PYTHONPATH": str(ROOT)}, cwd=self.folder, stdout=log, stderr=log)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.launch()
        assert self.process is not None
        until = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < until, self.log()
            time.sleep(0.2)

    def end(self, how: signal.Signals) -> None:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(40)

    def log(self) -> str:
        return (self.base / "lab.log").read_text("utf-8", "replace")[-4000:]

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/dapp/api/v1/health/ready", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False
