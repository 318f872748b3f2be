"""Log lines for programs."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest

from dapp_ext import logs
from dapp_ext.settings import Settings


@pytest.fixture
def line(capsys: pytest.CaptureFixture[str]) -> object:
    """Logs with the settings given, and reads the one line back."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level

    def write(**facts: object) -> dict[str, object]:
        logs.set_up(Settings(log_format="json", log_level="INFO"))
        try:
            raise ValueError("Zebulon Quackenbush")
        except ValueError:
            logging.getLogger("dapp.test").exception("It went %s", "wrong", extra={"facts": facts})
        found: dict[str, object] = json.loads(capsys.readouterr().err.strip())
        return found

    yield write
    root.handlers[:] = before
    root.setLevel(level)


def test_a_line_is_one_object_with_its_request_and_no_value(line: object) -> None:
    token = logs.REQUEST_ID.set("request-7")
    try:
        found = line(status=500)  # type: ignore[operator]
    finally:
        logs.REQUEST_ID.reset(token)
    assert (found["level"], found["logger"], found["message"], found["request_id"], found["status"]) == (
        "error",
        "dapp.test",
        "It went wrong",
        "request-7",
        500,
    )
    assert found["error"] == "ValueError"
    assert "test_logs.py" in str(found["where"])
    assert "Quackenbush" not in json.dumps(found)


def test_without_a_request_there_is_none(line: object) -> None:
    assert "request_id" not in line()  # type: ignore[operator]


def test_plain_lines_hold_no_value_either(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        logs.set_up(Settings(log_level="INFO"))
        try:
            raise ValueError("Zebulon Quackenbush")
        except ValueError:
            logging.getLogger("dapp.test").exception("It went wrong")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    line = capsys.readouterr().err
    assert "It went wrong" in line
    assert "ValueError" in line
    assert "test_logs.py" in line
    assert "Quackenbush" not in line


def test_no_line_of_ours_quotes_an_exception_of_others() -> None:
    """Jobs, scorers and Jupyter write with handlers that are not ours, so lines carry an outline; the client writes in its user's own kernel."""
    sources = [*Path(logs.__file__).parent.rglob("*.py"), *(Path(logs.__file__).parents[1] / "dapp_panel").rglob("*.py")]
    quoting = [
        path.name
        for path in sources
        if path.parent.name != "client" and re.search(r"log\.exception\(|log\.\w+\([^)]*exc_info=(?!None)", path.read_text("utf-8"))
    ]
    assert len(sources) > 200
    assert quoting == []
