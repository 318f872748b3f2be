"""Folders that others cannot enter, whatever the account's usual mode is."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from dapp_ext.store.folders import make_private


def test_every_folder_that_was_missing_is_private(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        make_private(tmp_path / "share" / "dapp" / "logs")
        make_private(tmp_path / "share" / "dapp" / "logs")
    finally:
        os.umask(before)
    for folder in ("share", "share/dapp", "share/dapp/logs"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700
