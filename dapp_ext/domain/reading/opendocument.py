"""Looks into the container of an OpenDocument spreadsheet before a parser does: how large is each sheet.

A cell or a row may say that it comes a million times; so the sheets are gone through once here, counting what they claim.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from typing import BinaryIO
from xml.parsers import expat

from dapp_ext.domain.reading.units import PERCENT, unit_of_currency
from dapp_ext.domain.reading.workbook import (
    BROKEN,
    MAX_CELLS,
    MAX_GRID,
    MAX_PARTS,
    MAX_UNPACKED,
    SheetSize,
    damaged,
    sheet_too_large,
    too_large,
    unpack,
)
from dapp_ext.errors import FileUnreadable

_DEPTH = 256
_MOST_ALIKE = 100
"""Repeated cells that are counted one by one."""


def check_document(source: BinaryIO) -> dict[str, SheetSize]:
    """The sizes of the sheets by name.

    Raises
    ------
    FileUnreadable
        It is damaged, has macros or a password, or is larger than the limits.
    """
    try:
        with zipfile.ZipFile(source) as container:
            parts = {part.filename: part for part in container.infolist()}
            manifest = container.open("META-INF/manifest.xml").read(1024 * 1024) if "META-INF/manifest.xml" in parts else b""
    except BROKEN as error:
        raise damaged() from error
    if b"encryption-data" in manifest or any(part.flag_bits & 1 for part in parts.values()):
        raise FileUnreadable("The file is protected with a password, so it cannot be read. Save it without a password and upload it again.")
    if any(name.startswith(("Basic/", "Scripts/")) and not name.endswith("/") for name in parts):
        raise FileUnreadable("The spreadsheet has macros, which are not accepted. Save it without macros and upload it again.")
    if len(parts) > MAX_PARTS:
        raise too_large()
    sheets = _Sheets()
    total = 0
    for name, part in parts.items():
        total += unpack(source, part, MAX_UNPACKED - total, sheets.feed if name == "content.xml" else None)
    sheets.end()
    return sheets.sizes


class _Sheets:
    """Counts filled cells while the XML streams by."""

    def __init__(self) -> None:
        self.sizes: dict[str, SheetSize] = {}
        self._size = SheetSize()
        self._depth = 0
        self._row = self._column = 0
        self._repeats = 1
        self._last_column = self._filled = 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._close
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.EntityDeclHandler = self._refuse

    def feed(self, piece: bytes) -> None:
        """Take the next bytes."""
        try:
            self._parser.Parse(piece, False)
        except (expat.ExpatError, ValueError) as error:
            raise damaged() from error

    def end(self) -> None:
        """Make sure that the document is whole."""
        try:
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise damaged() from error

    def _refuse(self, *_: object) -> None:
        raise damaged()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEPTH:
            raise damaged()
        if tag == "table:table":
            self._size = self.sizes.setdefault(attributes.get("table:name", ""), SheetSize())
            self._row = 0
        elif tag == "table:table-row":
            self._repeats = _count(attributes.get("table:number-rows-repeated"))
            self._column = self._last_column = self._filled = 0
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            repeats = _count(attributes.get("table:number-columns-repeated"))
            self._column += repeats
            kind = attributes.get("office:value-type")
            if kind in ("float", "currency", "percentage"):
                unit = PERCENT if kind == "percentage" else unit_of_currency(attributes.get("office:currency"))
                for column in range(self._column, self._column - min(repeats, _MOST_ALIKE), -1):
                    self._size.units.setdefault(column, Counter())[unit] += min(self._repeats, _MOST_ALIKE)
            if kind is not None:
                self._filled += repeats
                self._last_column = self._column

    def _close(self, tag: str) -> None:
        self._depth -= 1
        if tag == "table:table-row":
            self._row += self._repeats
            if self._filled:
                size = self._size
                size.cells += self._filled * self._repeats
                size.rows, size.columns = self._row, max(size.columns, self._last_column)
                if size.cells > MAX_CELLS or size.rows * size.columns > MAX_GRID:
                    raise sheet_too_large()


def _count(text: str | None) -> int:
    return max(1, int(text)) if text else 1
