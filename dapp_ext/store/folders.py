"""Folders that nobody else of the machine can enter."""

from __future__ import annotations

from pathlib import Path


def make_private(folder: Path) -> None:
    """Make a folder with mode 0700, and so every one above it that is missing.

    ``Path.mkdir(parents=True)`` gives the mode to the last one alone; the ones above would be open to others.
    """
    for each in reversed((folder, *folder.parents)):
        if not each.exists():
            each.mkdir(mode=0o700, exist_ok=True)
