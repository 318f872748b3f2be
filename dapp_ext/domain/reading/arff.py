"""ARFF, the format of Weka and OpenML: a head that names the columns and their kinds, then delimited rows.

The rows are brought to comma-separated text while they stream by and read as such; the head says what is text and what a
category, numbers and dates are told by their values. See https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from dapp_ext.domain.reading import sniffing
from dapp_ext.domain.reading.csv import read_csv
from dapp_ext.domain.reading.opening import Opened, as_utf8
from dapp_ext.domain.reading.table import Sink, TableRead, check_columns
from dapp_ext.errors import FileUnreadable
from dapp_ext.schema.datasets import ColumnKind, ReadOptions

_LONGEST_HEAD = 16 * 1024 * 1024
_RELATION = re.compile(r"\ufeff?(?:\s*(?:%[^\n]*)?\n)*\s*@relation\b", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""@attribute\s+('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s{]+)\s*(.*)""", re.IGNORECASE)
_CELL = re.compile(r"""\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^,]*?)\s*(,|$)""")
_SPARSE = re.compile(r"""(\d+)\s+('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^,]+)""")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_MISSING = "?"


@dataclass(frozen=True)
class Attribute:
    """A column as the head names it; ``first`` is what a sparse row means by leaving it out."""

    name: str
    kind: ColumnKind | None
    first: str = "0"


def looks_like_arff(head: bytes) -> bool:
    """Whether a text begins as ARFF does, comments aside."""
    return _RELATION.match(head.decode(sniffing.encoding_of(head), "ignore").replace("\r", "")) is not None


def _bare(text: str) -> str:
    """A name or value without its quotes."""
    if len(text) > 1 and text[0] in "'\"" and text[-1] == text[0]:
        return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), text[1:-1])
    return text


def _attribute(line: str) -> Attribute:
    found = _ATTRIBUTE.match(line)
    if found is None:
        raise FileUnreadable("The head of the ARFF file has a line @attribute without a name. Repair it and upload the file again.")
    name, told = _bare(found[1]), found[2].strip()
    if told.startswith("{"):
        values = _cells(told.strip("{} "))
        return Attribute(name, "category", values[0] if values else "")
    kind = told.split(None, 1)[0].lower() if told else "numeric"
    if kind == "relational":
        raise FileUnreadable("The ARFF file has tables within cells (relational attributes), which are not read. Leave them out and upload it again.")
    return Attribute(name, "text" if kind == "string" else None, "" if kind == "string" else "0")


def _cells(line: str) -> list[str]:
    found: list[str] = []
    place = 0
    while place <= len(line):
        cell = _CELL.match(line, place)
        if cell is None:
            return [*found, line[place:].strip()]
        found.append(_bare(cell[1]))
        place = cell.end()
        if not cell[2]:
            break
    return found


class ArffText(Opened):
    """An ARFF file as comma-separated text with a header.

    Parameters
    ----------
    opened : Opened
        The file as it is.
    options : ReadOptions
        The encoding, where it was chosen.
    """

    def __init__(self, opened: Opened, options: ReadOptions) -> None:
        self.__dict__.update(opened.__dict__)
        head = opened.head()
        self._encoding = sniffing.known_encoding(options.encoding, head) if options.encoding else sniffing.encoding_of(head)
        self.attributes: list[Attribute] = []

    def has_rows(self) -> bool:
        """Whether anything stands behind the head."""
        return next(islice(self._bytes(64 * 1024), 1, None), None) is not None

    def _bytes(self, step: int, *, tell: bool = False) -> Iterator[bytes]:
        lines = _lines(as_utf8(super()._bytes(step, tell=tell), self._encoding))
        self.attributes = self._head(lines)
        yield _as_csv([[each.name for each in self.attributes]])
        held: list[list[str]] = []
        for line in lines:
            text = line.strip()
            if text and not text.startswith("%"):
                held.append(self._row(text))
            if len(held) >= 5_000:
                yield _as_csv(held)
                held = []
        if held:
            yield _as_csv(held)

    def _head(self, lines: Iterator[str]) -> list[Attribute]:
        found: list[Attribute] = []
        size = 0
        for line in lines:
            text = line.strip()
            size += len(text)
            word = text[:10].lower()
            if word.startswith("@data"):
                if not found:
                    raise FileUnreadable("The ARFF file names no columns. Add lines that begin with @attribute and upload it again.")
                return found
            if word.startswith("@attribute"):
                found.append(_attribute(text))
                check_columns(len(found))
            if size > _LONGEST_HEAD:
                break
        raise FileUnreadable("The ARFF file has no line @data, so it holds no rows. Upload the whole file again.")

    def _row(self, text: str) -> list[str]:
        if not text.startswith("{"):
            row = _cells(text)
            # A weight in braces may stand behind the values.
            return row[:-1] if len(row) == len(self.attributes) + 1 and re.fullmatch(r"\{[\d.]+\}", row[-1]) else row
        row = [each.first for each in self.attributes]
        for place, value in _SPARSE.findall(text.partition("}")[0][1:]):
            if int(place) >= len(row):
                raise FileUnreadable(f"A sparse row of the ARFF file has a value for column {int(place) + 1:,}, but there are {len(row):,}.")
            row[int(place)] = _bare(value.strip())
        return row


def _lines(pieces: Iterator[bytes]) -> Iterator[str]:
    held = b""
    for piece in pieces:
        *whole, held = (held + piece).split(b"\n")
        yield from (line.decode("utf-8", "replace") for line in whole)
    if held:
        yield held.decode("utf-8", "replace")


def _as_csv(rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode("utf-8", "replace")


def read_arff(opened: Opened, options: ReadOptions, sink: Sink) -> TableRead:
    """Read an ARFF file.

    Parameters
    ----------
    opened : Opened
        The file.
    options : ReadOptions
        What is not to be guessed.
    sink : Sink
        Where the batches go.
    """
    text = ArffText(opened, options)
    if not text.has_rows():
        named = "1 column" if len(text.attributes) == 1 else f"{len(text.attributes):,} columns"
        raise FileUnreadable(f"The ARFF file names {named} but has no rows behind @data. Upload the whole file, with at least one row.")
    kinds: dict[str, ColumnKind] = {each.name: each.kind for each in text.attributes if each.kind is not None}
    settled = {
        "format": "csv", "delimiter": ",", "quote": '"', "escape": "none", "encoding": "utf-8", "decimal": ".", "header": True, "header_row": 1,
        "header_rows": 1, "comment": "none", "layout": "delimited", "extra_rows": "keep", "extra_cells": options.extra_cells or "drop",
        "missing": [_MISSING, *(options.missing or ())], "types": kinds | (options.types or {}),
    }  # fmt: skip
    read = read_csv(text, options.model_copy(update=settled), sink)
    opened.finish()
    chosen = options.types or {}
    columns = [each.model_copy(update={"chosen": each.name in chosen}) for each in read.report.columns]
    notes = ["The names of the columns, and which of them are texts or categories, were taken from the head of the ARFF file.", *read.report.notes]
    report = read.report.model_copy(update={"format": "arff", "encoding": text._encoding, "columns": columns, "notes": notes, "header_row": None})
    return replace(read, report=report)
