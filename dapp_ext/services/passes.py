"""What a process needs of one sealed file, and nothing else: no database, no other key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dapp_ext.store.sealing import Label


@dataclass(frozen=True)
class FilePass:
    """All that a child process needs to read or write one sealed file: where, which, and its key."""

    path: Path
    label: Label
    key: bytes

    @property
    def aad(self) -> bytes:
        """What an encrypted Parquet file is bound to."""
        return self.label.context()
