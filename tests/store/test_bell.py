"""The doorbell."""

from __future__ import annotations

import threading
import time
from pathlib import Path

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
