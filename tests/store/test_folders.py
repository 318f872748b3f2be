"""Folders that others cannot enter, whatever the account's usual mode is."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from dapp_ext.store.folders import make_private, open_private


def test_every_folder_that_was_missing_is_private(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        make_private(tmp_path / "share" / "dapp" / "logs")
        make_private(tmp_path / "share" / "dapp" / "logs")
    finally:
        os.umask(before)
    for folder in ("share", "share/dapp", "share/dapp/logs"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700


def test_a_file_is_private_whatever_the_umask_and_is_no_link(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with open_private(tmp_path / "lock") as handle:
            handle.write("7")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o600
    assert (tmp_path / "lock").read_text() == "7"
    (tmp_path / "link").symlink_to(tmp_path / "lock")
    with pytest.raises(OSError, match="symbolic links"):
        open_private(tmp_path / "link")
