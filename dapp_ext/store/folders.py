"""Folders and files that nobody else of the machine can enter."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TextIO


def open_private(path: Path) -> TextIO:
    """Open a file of mode 0600 to add to it, whatever the umask says; made when it is not there."""
    return open(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "a", encoding="utf-8")


def make_private(folder: Path) -> None:
    """Make a folder with mode 0700, and so every one above it that is missing.

    ``Path.mkdir(parents=True)`` gives the mode to the last one alone; the ones above would be open to others.
    """
    for each in reversed((folder, *folder.parents)):
        if not each.exists():
            each.mkdir(mode=0o700, exist_ok=True)
