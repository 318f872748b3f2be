"""Whole numbers that are read at once: used where the texts prove it, never where a text would be lost."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest

from dapp_ext.domain.reading import slices, whole
from tests.domain.tables import Result, read

ROWS = 1_500
ODD = ["007", "+7", " 7", '" 7"', "-0", "0x1F", "0x3B9ACA00", "0xFFFFFFFFFFFFFFFF", "1e3", "1.0", "NA", "", '"5"', "-12", "1_000", str(2**63), "5 000 000 000"]
TEXTS = ["plain", '"with, comma"', '"a ""quoted"" word"', '"two\nlines"', '""', ""]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of a few rows."""
    monkeypatch.setattr("dapp_ext.domain.reading.opening.PIECE", 1_000)
    given = slices.Slicer.__init__.__kwdefaults__
    assert given is not None
    monkeypatch.setitem(given, "size", 1_000)


def file_of(end: str, cell: Callable[[int], str], text: Callable[[int], str]) -> str:
    return end.join(["number,other,word", *(f"{cell(row)},{row % 90},{text(row)}" for row in range(ROWS))]) + end


def both(data: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Result, list[bool]]:
    """What is read, checked to be what is read without the short way, and the answers of the proof."""
    answers: list[bool] = []
    prove = whole.adds_up

    def watched(arrays: list[pa.Array], text: bytes, quotes: int, quote: bytes) -> bool:
        answers.append(prove(arrays, text, quotes, quote))
        return answers[-1]

    with monkeypatch.context() as patched:
        patched.setattr(whole, "adds_up", watched)
        found = read(data)
    with monkeypatch.context() as patched:
        patched.setattr(whole, "adds_up", lambda *_: False)
        plain = read(data)
    assert found.table.equals(plain.table)
    assert found.read == plain.read
    return found, answers


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_plain_numbers_are_read_at_once(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found, answers = both(file_of(end, lambda row: "" if row % 7 == 0 else str(row - 700), lambda row: '"a, b"' if row % 3 else "c"), monkeypatch)
    assert found.values("number") == [None if row % 7 == 0 else row - 700 for row in range(ROWS)]
    assert len(answers) > 5
    assert all(answers)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("odd", ODD)
def test_one_odd_cell_is_kept_as_it_stands(odd: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = both(file_of("\n", lambda row: odd if row == ROWS - 40 else str(row), lambda row: "word"), monkeypatch)
    value, text = found.values("number")[ROWS - 40], odd.strip('"')
    assert value is None if odd in ("", "NA") else str(value) == text or value == float(text.replace(" ", ""))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("zeros", [1, 2, 3])
def test_nothing_makes_up_for_a_leading_zero(text: str, zeros: int, monkeypatch: pytest.MonkeyPatch) -> None:
    late = ROWS - 40
    found, _ = both(file_of("\n", lambda row: "0" * zeros + "7" if row == late else str(row), lambda row: text if row == late else "word"), monkeypatch)
    assert str(found.values("number")[late]) == "0" * zeros + "7"


@pytest.mark.usefixtures("small")
def test_long_numbers_are_read_by_their_texts_and_short_ones_beside_them_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found, answers = both(file_of("\n", lambda row: str(10**9 + row), lambda row: "word"), monkeypatch)
    assert found.values("number") == [10**9 + row for row in range(ROWS)]
    assert all(answers)
    late, _ = both(file_of("\n", lambda row: "0x3B9ACA00" if row == ROWS - 40 else str(10**9 + row), lambda row: "word"), monkeypatch)
    assert late.values("number")[ROWS - 40] == "0x3B9ACA00"


@pytest.mark.usefixtures("small")
def test_blanks_around_every_number_end_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    found, answers = both(file_of("\n", lambda row: f"{row}" if row < 100 else f"{row} ", lambda row: "word"), monkeypatch)
    assert found.values("number") == list(range(ROWS))
    assert answers.count(False) <= 4


@pytest.mark.usefixtures("small")
def test_blank_lines_and_a_missing_last_line_end(monkeypatch: pytest.MonkeyPatch) -> None:
    data = file_of("\n", str, lambda row: "word").replace("\n500,", "\n\n\n500,").removesuffix("\n")
    found, answers = both(data, monkeypatch)
    assert found.values("number") == list(range(ROWS))
    assert all(answers)
