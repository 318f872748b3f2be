"""The doorbell."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from pathlib import Path

import pytest

from dapp_ext.errors import SettingInvalid
from dapp_ext.store.bell import Bell, bell_folder, ring


def test_every_listener_hears_it(tmp_path: Path) -> None:
    folder = bell_folder(tmp_path)
    first, second = Bell(folder), Bell(folder)
    ring(folder)
    assert first.wait(1)
    assert second.wait(1)
    assert not first.wait(0)
    first.close()
    second.close()


def test_it_wakes_a_sleeper_quickly(tmp_path: Path) -> None:
    folder = bell_folder(tmp_path)
    bell = Bell(folder)
    threading.Timer(0.05, ring, (folder,)).start()
    began = time.monotonic()
    assert bell.wait(5)
    assert time.monotonic() - began < 3  # it slept for five without
    bell.close()


def test_a_listener_that_is_gone_is_swept_away(tmp_path: Path) -> None:
    folder = bell_folder(tmp_path)
    gone = Bell(folder)
    gone._socket.close()  # as when its process was killed
    ring(folder)
    assert list(folder.glob("*.bell")) == []


def test_long_homes_and_other_homes(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 200)
    assert len(str(bell_folder(deep) / "0123456789ab.bell")) < 100
    assert bell_folder(deep) != bell_folder(tmp_path)


@pytest.mark.parametrize("taken", ["by a link", "by a file", "open to all"])
def test_a_place_that_somebody_else_has_taken_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: str) -> None:
    """Everybody may write to /tmp, and the name can be guessed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    base = tmp_path / f"dapp-{os.getuid()}"
    if taken == "by a link":
        (tmp_path / "elsewhere").mkdir()
        base.symlink_to(tmp_path / "elsewhere")
    elif taken == "by a file":
        base.touch()
    else:
        base.mkdir()
        base.chmod(0o777)
    with pytest.raises(SettingInvalid, match="TMPDIR"):
        bell_folder(tmp_path / "home")
    assert not (tmp_path / "elsewhere").exists() or not list((tmp_path / "elsewhere").iterdir())
