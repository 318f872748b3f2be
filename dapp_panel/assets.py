"""The built front end: which file has which hashed name."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from dapp_ext.errors import Unavailable

FOLDER = Path(__file__).parent / "dist"


@dataclass(frozen=True)
class Assets:
    """Names in the manifest that the build wrote."""

    folder: Path
    files: dict[str, str]
    imports: dict[str, list[str]] = field(default_factory=dict)
    early: str = ""

    @classmethod
    def load(cls, folder: Path = FOLDER) -> Assets:
        """Read the manifest.

        Raises
        ------
        Unavailable
            When the front end was not built.
        """
        try:
            manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
            early = (folder / "early.js").read_text("utf-8")
        except FileNotFoundError:
            raise Unavailable("The dashboard's pages are not built yet. Build them with: cd dapp_panel/frontend && npm ci && npm run build") from None
        return cls(folder, manifest["files"], manifest["preload"], early)

    def early_hash(self) -> str:
        """What a policy names the script that stands in the page itself by (CSP Level 3, hash sources)."""
        return "sha256-" + base64.b64encode(hashlib.sha256(self.early.encode()).digest()).decode()

    def url(self, name: str) -> str:
        """Where a page finds a file, by its name before the build."""
        return f"assets/{self.files[name]}"

    def preloads(self, name: str) -> list[str]:
        """Where a page finds the modules that a script imports at once."""
        return [f"assets/{each}" for each in self.imports.get(self.files[name], [])]
