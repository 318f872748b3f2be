"""``jupyter dapp start`` says what it waits for, and gives up what does not come."""

from __future__ import annotations

import http.server
import itertools
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dapp_ext.cli import serving
from dapp_ext.errors import Unavailable


class Silent(http.server.BaseHTTPRequestHandler):
    """Answers something that is no answer of HTTP."""

    def do_GET(self) -> None:
        self.wfile.write(b"hello\r\n\r\n")

    def log_message(self, *_: object) -> None: ...


def test_a_part_that_does_not_answer_is_named_with_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(serving, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(serving, "START_SECONDS", 0.8)
    with (
        http.server.HTTPServer(("127.0.0.1", 0), Silent) as server,
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        part = serving.Part("dashboard", [], url, process)
        try:
            with pytest.raises(Unavailable, match=r"dashboard did not start\. Its log says why: .*dashboard\.log"):
                serving._wait_for_answers([part], threading.Event(), tmp_path)
        finally:
            server.shutdown()
            process.communicate(b"\n")
    assert capsys.readouterr().out == f"dashboard does not answer at {url} yet. Its log: {tmp_path / 'dashboard.log'}\n"


def test_a_part_that_has_ended_is_not_waited_for(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    part = serving.Part("dashboard", [], "http://127.0.0.1:9", process)
    with pytest.raises(Unavailable, match="did not start"):
        serving._wait_for_answers([part], threading.Event(), tmp_path)


def test_a_part_that_keeps_ending_waits_longer_and_is_not_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    clock = [100.0]
    monkeypatch.setattr(serving.time, "monotonic", lambda: clock[0])
    part = serving.Part("dashboard", [sys.executable, "-c", ""])
    serving._launch(part, {}, tmp_path)
    started = []
    for _ in range(300):
        before = part.process
        if before is not None:
            before.wait(20)
        serving._revive(part, {}, tmp_path)
        if part.process is not before:
            started.append(clock[0])
        clock[0] += 0.5
    assert part.process is not None
    part.process.wait(20)
    pauses = [round(later - earlier, 1) for earlier, later in itertools.pairwise(started)]
    assert pauses[:7] == [0.5, 0.5, 2.5, 4.5, 8.5, 16.5, 30.5]
    assert "dashboard has ended 4 times, each soon after its start. It is started again in 2 s. Its log says why: " in capsys.readouterr().out


def test_a_part_that_lived_for_a_while_is_started_again_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(serving.time, "monotonic", lambda: clock[0])
    part = serving.Part("worker", [sys.executable, "-c", ""], restarts=7)
    serving._launch(part, {}, tmp_path)
    clock[0] += serving.STEADY_SECONDS + 1
    first = part.process
    assert first is not None
    first.wait(20)
    serving._revive(part, {}, tmp_path)
    assert part.process is not first
    assert part.process is not None
    part.process.wait(20)
