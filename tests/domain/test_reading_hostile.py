"""Awkward and hostile files of every sort: each gives a table or one sentence, in little time and memory, and never a crash."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import random
import struct
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from dapp_ext.errors import DappError, FileUnreadable, TooLarge
from tests.domain.tables import profiled, read

_SHEET = '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'


def book(fill: Callable[[Any, Any], None]) -> bytes:
    made, out = Workbook(), io.BytesIO()
    fill(made, made.active)
    made.save(out)
    return out.getvalue()


def sheet(rows: str, whole: str = _SHEET) -> bytes:
    """A workbook whose sheet holds this XML."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book(lambda _, active: active.append(["a"])))) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, whole.format(rows) if name.endswith("sheet1.xml") else old.read(name))
    return out.getvalue()


def parquet(**columns: pa.Array) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


PLAIN = parquet(a=pa.array(range(300)), b=pa.array(["x" * 9] * 300))
_CELL = '<c r="{}"><v>1</v></c>'
_TEXT = '<c t="inlineStr"><is><t>{}</t></is></c>'

REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "20,000 columns": (lambda: (",".join(f"c{place}" for place in range(20_000)) + "\n" + "1," * 19_999 + "1\n").encode(), "20,000 columns"),
    "half a million cells in a line": (lambda: b"1," * 2**20, "columns"),
    "a line of 70 MB": (lambda: b"a,b\n" + b"x" * (66 << 20), "longer than 64 MB"),
    "a packed line of 100 MB": (lambda: gzip.compress(b"a" * (70 << 20), 1), "longer than 64 MB"),
    "a packed line of zeros": (lambda: bz2.compress(bytes(10 << 20)), "empty"),
    "quote never closed": (lambda: b'a,b\n1,"x\n' + b"2,y\n" * 200_000, "quote is opened on line 2"),
    "half a UTF-16 letter": (lambda: "a,b\n1,2\n".encode("utf-16") + b"\0", "utf-16"),
    "two encodings": (lambda: "name,n\nÉcole,1\n".encode() + "Hôtel,2\n".encode("cp1252"), "Line 3 has bytes that are not UTF-8"),
    "header only": (lambda: b"a,b,c\n", "only a header"),
    "delimiters only": (lambda: b",,,\n,,,\n", "no data|no rows|no columns"),
    "brackets": (lambda: b"[" * 200_000, "deep"),
    "objects in objects": (lambda: b'[{"a":' + b'{"a":' * 5000 + b"1" + b"}" * 5001 + b"]", "deep"),
    "objects without names": (lambda: b"[{},{}]", "no records"),
    "a JSON text": (lambda: b'"hello"', "single line"),
    "something after objects side by side": (lambda: b'{"a":1}{"a":2} x', "follows after"),
    "a list among lines": (lambda: b'{"a":1}\n[1,2]\n', "Line 2"),
    "20,000 names in JSON": (lambda: json.dumps([{f"k{place}": 1 for place in range(20_000)}]).encode(), "columns"),
    "entities in a sheet": (
        lambda: sheet('<row r="1"><c r="A1" t="inlineStr"><is><t>&amp;</t></is></c></row>', '<!DOCTYPE x [<!ENTITY a "b">]>' + _SHEET), "damaged"),
    "a far corner": (lambda: sheet('<row r="1">' + _CELL.format("A1") + '</row><row r="2">' + _CELL.format("XFD1048576") + "</row>"), "larger than the limit"),
    "a column beyond the last": (lambda: sheet('<row r="1">' + _CELL.format("ZZZZZ1") + "</row>"), "damaged"),
    "a row beyond the last": (lambda: sheet('<row r="99999999">' + _CELL.format("A99999999") + "</row>"), "damaged"),
    "a shared text that is not there": (lambda: sheet('<row r="1"><c r="A1" t="s"><v>999</v></c></row>'), "damaged"),
    "a row that never ends": (lambda: sheet("", '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1"><v>1</v>'), "damaged"),
    "a huge footer": (lambda: PLAIN[:-8] + struct.pack("<I", 2**31 - 1) + b"PAR1", "damaged"),
    "a negative footer": (lambda: PLAIN[:-8] + struct.pack("<i", -1) + b"PAR1", "damaged"),
    "no footer": (lambda: PLAIN[:-8] + bytes(4) + b"PAR1", "damaged"),
    "a table in HTML": (lambda: b"<html><table><tr><td>1</td></tr></table></html>", "HTML"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_a_table_is_told_in_a_sentence(what: str) -> None:
    make, words = REFUSED[what]
    with pytest.raises((FileUnreadable, TooLarge), match=words) as refused:
        read(make(), "table.dat")
    assert refused.value.message.endswith(".")


def stamps(made: Any, active: Any) -> None:
    active.append(["day", "clock", "at", "span"])
    for number in range(3):
        active.append([date(1950 + number, 1, 1), time(1, 2, number), datetime(2021, 1, 1 + number, 10, 11), timedelta(hours=30 + number)])


def stamps_of_1904(made: Any, active: Any) -> None:
    made.epoch = CALENDAR_MAC_1904
    stamps(made, active)


def merged(made: Any, active: Any) -> None:
    active.append(["Report"])
    active.merge_cells("A1:C1")
    active.append([])
    active.append(["a", None, "c"])
    active.merge_cells("A3:B3")
    for number in range(4):
        active.append([number, number * 2, number * 3])


def away(made: Any, active: Any) -> None:
    for number in range(4):
        active.cell(7 + number, 5, "name" if number == 0 else f"n{number}")
        active.cell(7 + number, 6, "v" if number == 0 else number)


def errors(made: Any, active: Any) -> None:
    for cells in (["a", "b"], [1, "x"], ["#N/A", "x"], ["#DIV/0!", "y"], [2, "y"]):
        active.append(cells)


STAMPS = {
    "day": [date(1950 + number, 1, 1) for number in range(3)],
    "clock": [time(1, 2, number) for number in range(3)],
    "at": [datetime(2021, 1, 1 + number, 10, 11) for number in range(3)],
    "span": [timedelta(hours=30 + number) for number in range(3)],
}
TABLES: dict[str, tuple[bytes, dict[str, list[Any]]]] = {
    "one column of numbers": (b"1\n2\n3\n", {"column_1": [1, 2, 3]}),
    "no header": (b"1,a\n2,b\n3,b\n", {"column_1": [1, 2, 3], "column_2": ["a", "b", "b"]}),
    "CR only": (b"a,b\r1,2\r3,4\r", {"a": [1, 3], "b": [2, 4]}),
    "UTF-16 without a mark": ("a,b\nÉ,1\nö,2\n".encode("utf-16-be"), {"a": ["É", "ö"], "b": [1, 2]}),
    "delimiter at the end of rows": (b"a,b\n1,2,\n3,4,\n", {"a": [1, 3], "b": [2, 4]}),
    "delimiter at the end of all lines": (b"a,b,\n1,2,\n3,4,\n", {"a": [1, 3], "b": [2, 4]}),
    "empty and repeated names": (b"a,,a\n1,2,3\n4,5,6\n", {"a": [1, 4], "column_2": [2, 5], "a_2": [3, 6]}),
    "a line end in a name": (b'"a\nb",c\n1,2\n', {"a\nb": [1], "c": [2]}),
    "quotes alone": (b'a,b\n"","x"\n"""",""\n', {"a": [None, '"'], "b": ["x", None]}),
    "no date": (b"d,x\n2021-02-30,1\n2021-01-01,2\n", {"d": ["2021-02-30", "2021-01-01"], "x": [1, 2]}),
    "the first and the last day": (b"d,x\n0001-01-01,1\n9999-12-31,2\n", {"d": [date(1, 1, 1), date(9999, 12, 31)], "x": [1, 2]}),
    "numbers of 77 digits": (f"a,b\n{'9' * 77},1\n1,2\n".encode(), {"a": ["9" * 77, "1"], "b": [1, 2]}),
    "hexadecimal": (b"a,b\n0x10,1\n0x11,2\n", {"a": ["0x10", "0x11"], "b": [1, 2]}),
    "digits of another script": ("a,b\n٣,x\n٤,y\n".encode(), {"a": ["٣", "٤"], "b": ["x", "y"]}),
    "people named NA and Null": (b"name,age\nNA,3\nNull,4\nAnn,5\nNone,6\n", {"name": ["NA", "Null", "Ann", "None"], "age": [3, 4, 5, 6]}),
    "line ends of Unicode": ("a,b\n1,x\u2028y\n2,z\u0085w\n".encode(), {"a": [1, 2], "b": ["x\u2028y", "z\u0085w"]}),
    "control characters": (b"a,b\n1,x\x0cy\n2,z\n", {"a": [1, 2], "b": ["x\x0cy", "z"]}),
    "infinite in JSON": (b'[{"a": 1e999}, {"a": 1}]', {"a": [float("inf"), 1.0]}),
    "the same name twice by flattening": (b'[{"a.b": 1, "a": {"b": 2}}]', {"a.b": [1], "a.b_2": [2]}),
    "a name that is empty": (b'[{"": 1}, {"": 2}]', {"column_1": [1, 2]}),
    "values of every kind": (b'[{"a":1},{"a":"x"},{"a":[1]},{"a":true},{"a":null}]', {"a": ["1", "x", "[1]", "true", None]}),
    "days since 1900": (book(stamps), STAMPS),
    "days since 1904": (book(stamps_of_1904), STAMPS),
    "merged cells": (book(merged), {"a": [0, 1, 2, 3], "column_2": [0, 2, 4, 6], "c": [0, 3, 6, 9]}),
    "away from the edge": (book(away), {"name": ["n1", "n2", "n3"], "v": [1, 2, 3]}),
    "Excel errors": (book(errors), {"a": [1, None, None, 2], "b": ["x", "x", "y", "y"]}),
    "cells that do not say where": (sheet("<row>" + _TEXT.format("h") + _TEXT.format("i") + "</row>" + "<row><c><v>1</v></c><c><v>2</v></c></row>" * 2), {"h": [1, 1], "i": [2, 2]}),
    "a lie about the size of a sheet": (
        sheet('<row r="1"><c r="A1" t="inlineStr"><is><t>h</t></is></c></row><row r="2"><c r="A2"><v>1</v></c></row>',
              _SHEET.replace("<sheetData>", '<dimension ref="A1:XFD1048576"/><sheetData>')), {"h": [1]}),
    "lists in lists": (parquet(x=pa.array([[[1]], [[2]]])), {"x": ["[[1]]", "[[2]]"]}),
}  # fmt: skip


@pytest.mark.parametrize("what", TABLES)
def test_awkward_tables_are_read_as_they_are_meant(what: str) -> None:
    data, expected = TABLES[what]
    assert read(data, "table.dat").table.to_pydict() == expected


@pytest.mark.parametrize(
    "array",
    [
        pa.array([2**62, -(2**62), None], pa.timestamp("us")),
        pa.array([2**31 - 1, -(2**31)], pa.int32()).cast(pa.date32()),
        pa.array([1, 2], pa.timestamp("us", "Mars/Olympus")),
        pa.array([1, 2], pa.timestamp("us", "+05:30")),
        pa.array([2**63 - 1, -(2**63) + 1], pa.duration("us")),
        pa.array([None, None], pa.null()),
    ],
    ids=["far times", "far dates", "unknown zone", "an offset", "long spans", "nothing"],
)
def test_values_beyond_the_calendar_are_described(array: pa.Array) -> None:
    of = profiled(parquet(x=array), "t.parquet")
    assert of.rows == len(array)
    assert of.model_dump_json()


def outcome(data: bytes, filename: str) -> str:
    """Whether it is a table, or the sentence that refuses it."""
    try:
        read(data, filename)
    except DappError as error:
        return error.message
    return "table"


def test_parquet_with_flipped_bytes_gives_a_table_or_a_sentence() -> None:
    chance = random.Random(1)
    outcomes = set()
    for _ in range(60):
        data = bytearray(PLAIN)
        for _ in range(2):
            data[chance.randrange(4, len(data) - 8)] ^= chance.randrange(1, 256)
        outcomes.add(outcome(bytes(data), "t.parquet"))
    assert len(outcomes) > 1
    assert all(each == "table" or each.endswith(".") for each in outcomes)


def test_texts_with_flipped_bytes_give_a_table_or_a_sentence() -> None:
    chance = random.Random(2)
    plain = 'id,"name",at\n' + "".join(f'{number},"n ""{number}""",2021-01-{1 + number % 28:02d}\n' for number in range(40))
    outcomes = set()
    for _ in range(40):
        data = bytearray(plain.encode())
        for _ in range(3):
            data[chance.randrange(len(data))] = chance.choice(b'",;\n\r\0\xff\xe2 a1')
        outcomes.add(outcome(bytes(data), "t.csv"))
    assert len(outcomes) > 1
    assert all(each == "table" or each.endswith(".") for each in outcomes)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_part_that_claims_more_than_there_is(method: int) -> None:
    """The directory says that the workbook's own list of sheets is longer than the file, or it is not what it is said to be."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book(lambda _, active: active.append(["a"])))) as old, zipfile.ZipFile(out, "w") as new:
        for name in sorted(old.namelist(), key=lambda each: each.endswith("workbook.xml.rels")):
            new.writestr(name, old.read(name), method if name.endswith("workbook.xml.rels") else zipfile.ZIP_DEFLATED)
    whole = bytearray(out.getvalue())
    entry = whole.rindex(b"PK\x01\x02")
    for size in (10**6, 30):
        struct.pack_into("<II", whole, entry + 20, size, 10**6)
        with pytest.raises(FileUnreadable):
            read(bytes(whole), "book.xlsx")


@pytest.mark.parametrize("distinct", [2, 5000])
def test_texts_of_a_parquet_file_that_are_no_utf8(distinct: int) -> None:
    texts = [f"text {number % distinct}".encode() for number in range(5000)] + [b"\xff\xfe\xaf"]
    plain = pa.array(texts, pa.binary())
    lying = pa.Array.from_buffers(pa.string(), len(plain), plain.buffers())
    with pytest.raises(FileUnreadable, match="damaged"):
        read(parquet(a=lying), "table.parquet")
