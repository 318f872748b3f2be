"""Totals and notes below a delimited table, letterheads above it, and encodings of central Europe, Turkey and the Baltic."""

from __future__ import annotations

import pytest

from dapp_ext.domain.reading.encodings import guess
from tests.domain.tables import Result, profiled, read

TABLE = "day,amount,n\n" + "".join(f"2024-01-{day:02},{day * 1.5},{day}\n" for day in range(1, 20))
NAMED = "name,amount,n\n" + "".join(f"x {day},{day * 1.5},{day}\n" for day in range(1, 20))


def codes(result: Result) -> list[str]:
    return [finding.code for finding in result.read.findings]


@pytest.mark.parametrize(
    ("below", "lines"),
    [
        ("Total,285.0,190\n", 1),
        ("\nSource: the bank\n", 1),
        ("Total,285.0,190\n\nSource: the bank\nGenerated on 2024-02-02\n", 3),
        ("(19 rows affected)\n", 1),
        ("\n\n Data of the bureau of statistics ,,\n", 1),
        ("Grand Total:,285.0,\r\n", 1),
    ],
)
def test_what_stands_below_is_left_out_and_told(below: str, lines: int) -> None:
    found = read(TABLE + below)
    assert found.kinds == {"day": "date", "amount": "decimal", "n": "integer"}
    assert (found.read.rows, codes(found), found.read.findings[0].count) == (19, ["left_out"], lines)
    assert "below the table" in found.notes
    kept = read(TABLE + below, extra_rows="keep")
    assert kept.read.rows == 19 + lines
    assert "left_out" not in codes(kept)


@pytest.mark.parametrize(
    "text", [NAMED + "x 20\n", NAMED + "x 20,,\n", NAMED + "x 20", TABLE + "2024-01-20\n", TABLE + "2024-01-2", NAMED + "Total,285.0,190\n"]
)
def test_what_may_be_a_row_stays(text: str) -> None:
    found = read(text)
    assert found.read.rows == 20
    assert "left_out" not in codes(found)


def test_totals_that_stay_are_a_finding() -> None:
    assert "totals_row" in [finding.code for finding in profiled(NAMED + "Total,285.0,190\n").findings]


@pytest.mark.parametrize(
    "above",
    [
        "Company X\nReport: sales\nPeriod: 2024\nPrinted by me\nPage 1\n\n",
        "Company X,,\nReport,sales,\nPeriod,2024,\nPrinted by,me,\nPage,1,\nx,,\n,,\n",
        "Company X,,\n,,\n",
    ],
)
def test_letterheads_of_any_height(above: str) -> None:
    found = read(above + TABLE)
    assert found.kinds == {"day": "date", "amount": "decimal", "n": "integer"}
    assert found.read.rows == 19
    assert "before the table" in found.notes


@pytest.mark.parametrize("text", ["a,b,c\n1,,\n2,x,3\n4,y,5\n6,z,7\n", "a,b,c\nx,,\ny,,\nz,1,2\nw,3,4\n"])
def test_a_short_first_row_is_no_letterhead(text: str) -> None:
    assert list(read(text).kinds) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1250", "Łódź;Kraków;Gdańsk;Poznań\nŻary;Świdnica;Częstochowa\n"),
        ("cp1250", "Příbram;Plzeň;Třebíč;Žďár nad Sázavou\nČeské Budějovice\n"),
        ("cp1250", "Győr;Székesfehérvár;Hódmezővásárhely;Űrhajó\n"),
        ("iso8859_2", "Łódź;Kraków;Gdańsk\nŻary;Świdnica;Częstochowa\n"),
        ("iso8859_2", "Žďár;Šumperk;Plzeň;Třebíč\n"),
        ("cp1254", "İstanbul;Beşiktaş;Üsküdar;Çanakkale;Muğla;Iğdır\n"),
        ("cp1257", "Rīga;Jūrmala;Liepāja;Ķekava;Ļaudona\n"),
        ("cp1257", "Vilnius;Šiauliai;Panevėžys;Kėdainiai;Mažeikiai\n"),
        ("cp1252", "Köln;München;Straße\nMálaga;Logroño\nSão Paulo;Goiânia\nNîmes;Besançon\n"),
        ("cp1252", "Malmö;Göteborg;Århus;Tromsø;Ålesund;Ólafur;Þórður\n"),
    ],
)
def test_encodings_are_told_by_their_letters(encoding: str, text: str) -> None:
    assert text.encode(encoding).decode(guess(text.encode(encoding))) == text
