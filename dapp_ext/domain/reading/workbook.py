"""Looks into the container of a workbook before a parser does: is it one, is it safe, how large is each sheet.

A workbook is a zip of XML parts. The directory of a zip can lie about sizes, and a sheet with two cells can claim a
grid of 17 billion; so every part is unpacked here once, in pieces, counting what really comes out.
"""

from __future__ import annotations

import lzma
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import BinaryIO, Literal
from xml.etree import ElementTree

from dapp_ext.domain.reading.units import count_units, units_of_styles
from dapp_ext.errors import FileUnreadable

MAX_PARTS = 2_000
MAX_UNPACKED = 512 * 1024 * 1024
MAX_RATIO = 100
RATIO_FROM = 10 * 1024 * 1024
MAX_CELLS = 5_000_000
MAX_GRID = 10_000_000
_LAST_COLUMN, _LAST_ROW = 16_384, 1_048_576
_PIECE = 1024 * 1024
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_CELL = re.compile(rb'<(?:\w+:)?(?:c|(row))(?=[\s/>])(?:[^>]*?\sr="([A-Za-z]*)([0-9]*)")?[^>]*?(/?)>')
_ERROR = re.compile(rb'<(?:\w+:)?c\s[^>]*\bt="e"')
_NO_RESULT = re.compile(rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f\s[^>]*/>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>")
# What zipfile raises over a container that is damaged, cut, or packed in a way that it does not know.
BROKEN = (zipfile.BadZipFile, KeyError, zlib.error, lzma.LZMAError, struct.error, ValueError, OSError, EOFError, NotImplementedError, RuntimeError)
_STYLES = "xl/styles.xml"
_OPENDOCUMENT = b"application/vnd.oasis.opendocument."
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


@dataclass
class SheetSize:
    """What a sheet holds: filled cells, the last row and column (from 1), errors, formulas without a result, and units."""

    cells: int = 0
    rows: int = 0
    columns: int = 0
    errors: int = 0
    formulas: int = 0
    units: dict[int, Counter[str]] = field(default_factory=dict)
    """What the numbers of each column (from 1) are counted in, and how many of them."""


def damaged() -> FileUnreadable:
    """The error for a container that cannot be taken apart."""
    return FileUnreadable("The workbook is damaged or incomplete, so it could not be read. Open it in Excel, save it again as .xlsx and upload it.")


def container_of(source: BinaryIO) -> Literal["xlsx", "ods", "archive"]:
    """What a zip file is.

    Raises
    ------
    FileUnreadable
        It is damaged, or a document that holds no table.
    """
    try:
        with zipfile.ZipFile(source) as container:
            names = {part.filename for part in container.infolist()}
            if "mimetype" in names and (kind := container.open("mimetype").read(200).strip()).startswith(_OPENDOCUMENT):
                if "content.xml" not in names:
                    raise FileUnreadable("The OpenDocument file is damaged: its content is missing. Open it in LibreOffice, save it again and upload it.")
                if kind.startswith(_OPENDOCUMENT + b"spreadsheet"):
                    return "ods"
                raise FileUnreadable("This is an OpenDocument file without a table. Upload a CSV, Excel (.xlsx), ODS, Parquet, Arrow or JSON file.")
    except BROKEN as error:
        raise damaged_zip() from error
    if "xl/workbook.xml" in names:
        return "xlsx"
    if any(name.endswith(".iwa") for name in names) or "Index.zip" in names:
        raise FileUnreadable("This is a file of Apple Numbers, which is not read here. Export it in Numbers as Excel (.xlsx) or CSV and upload that.")
    if "[Content_Types].xml" in names:
        raise FileUnreadable(_what_else(names))
    return "archive"


def damaged_zip() -> FileUnreadable:
    """The error for a zip file that cannot be opened."""
    return FileUnreadable("The workbook or zip archive is damaged or incomplete, so it could not be read. Save it again and upload it once more.")


def check_workbook(source: BinaryIO) -> dict[str, SheetSize]:
    """The sizes of the sheets by name.

    Raises
    ------
    FileUnreadable
        It is no Excel workbook (.xlsx), is damaged, has macros, or unpacks to more than the limits.
    """
    try:
        with zipfile.ZipFile(source) as container:
            parts = container.infolist()
            _check_parts(parts)
            names = _sheet_parts(container, parts)
            styles = units_of_styles(_tree(container, _STYLES)) if any(part.filename == _STYLES for part in parts) else {}
    except (*BROKEN, ElementTree.ParseError) as error:
        raise damaged() from error
    sizes = {name: SheetSize() for name in names}
    by_part = {part: sizes[name] for name, part in names.items()}
    total = 0
    for part in parts:
        scan = _scanner(by_part[part.filename], styles) if part.filename in by_part else None
        total += unpack(source, part, MAX_UNPACKED - total, scan)
    if sum(size.cells for size in sizes.values()) > MAX_CELLS:
        raise FileUnreadable(f"The workbook has more than {MAX_CELLS:,} filled cells, which is the limit. Save the table as CSV or Parquet and upload that.")
    return sizes


def _check_parts(parts: list[zipfile.ZipInfo]) -> None:
    names = {part.filename for part in parts}
    if any(part.flag_bits & 1 for part in parts):
        raise FileUnreadable("The file is protected with a password, so it cannot be read. Save it without a password and upload it again.")
    if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
        raise FileUnreadable(_what_else(names))
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise FileUnreadable("The workbook has macros, which are not accepted. Save it as an Excel workbook without macros (.xlsx) and upload it again.")
    declared = sum(part.file_size for part in parts)
    if len(parts) > MAX_PARTS or declared > MAX_UNPACKED:
        raise too_large()
    for part in parts:
        if part.file_size > RATIO_FROM and part.file_size > MAX_RATIO * max(part.compress_size, 1):
            raise too_large()


def too_large() -> FileUnreadable:
    """The error for a container that unpacks beyond the limits."""
    return FileUnreadable(
        f"The workbook is compressed so much that it would unpack beyond the limit ({MAX_UNPACKED // 1024**2} MB, {MAX_RATIO} times its size), "
        "so it was not opened. Save the table as CSV and upload that."
    )


def _what_else(names: set[str]) -> str:
    if "xl/workbook.bin" in names:
        return "This is a binary workbook (.xlsb). Save it as an Excel workbook (.xlsx) or as CSV and upload it again."
    if "word/document.xml" in names or "ppt/presentation.xml" in names:
        return "This is a document or a presentation, not a table. Upload a CSV, Excel (.xlsx), Parquet or JSON file."
    return "The file is no Excel workbook. Upload a CSV, Excel (.xlsx), ODS, Parquet, Arrow or JSON file."


def _sheet_parts(container: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> dict[str, str]:
    """The part of each sheet, by its name."""
    relations = {each.get("Id"): each.get("Target", "") for each in _tree(container, "xl/_rels/workbook.xml.rels")}
    known = {part.filename for part in parts}
    found: dict[str, str] = {}
    for element in _tree(container, "xl/workbook.xml").iter():
        if element.tag.rsplit("}", 1)[-1] == "sheet":
            target = relations.get(element.get(_RELATION), "")
            part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            if part in known:
                found[element.get("name", "")] = part
    return found


def _tree(container: zipfile.ZipFile, name: str) -> ElementTree.Element:
    with container.open(name) as part:
        text = part.read(_PIECE * 8)
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise damaged()
    return ElementTree.fromstring(text)


def unpack(source: BinaryIO, part: zipfile.ZipInfo, left: int, scan: Callable[[bytes], None] | None) -> int:
    """Unpack a part in pieces, count what comes out and refuse more than is left."""
    size = 0
    try:
        for piece in _pieces(source, part):
            size += len(piece)
            if size > left or (size > RATIO_FROM and size > MAX_RATIO * max(part.compress_size, 1)):
                raise too_large()
            if scan is not None:
                scan(piece)
    except (zlib.error, struct.error, ValueError, OSError) as error:  # an address before the beginning, or behind the end
        raise damaged() from error
    if size != part.file_size:
        raise damaged()
    return size


def _pieces(source: BinaryIO, part: zipfile.ZipInfo) -> Iterator[bytes]:
    source.seek(part.header_offset)
    header = _LOCAL_HEADER.unpack(source.read(_LOCAL_HEADER.size))
    source.seek(part.header_offset + _LOCAL_HEADER.size + header[9] + header[10])
    if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise damaged()
    unpacker = zlib.decompressobj(-15) if part.compress_type == zipfile.ZIP_DEFLATED else None
    left = part.compress_size
    while left > 0:
        packed = source.read(min(left, _PIECE))
        if not packed:
            raise damaged()
        left -= len(packed)
        if unpacker is None:
            yield packed
            continue
        while packed and not unpacker.eof:
            yield unpacker.decompress(packed, _PIECE)
            packed = unpacker.unconsumed_tail


def _scanner(size: SheetSize, styles: Mapping[bytes, str]) -> Callable[[bytes], None]:
    """A function that counts the cells of a sheet in its XML, given in pieces, and the units of their styles."""
    held = b""
    units: dict[bytes, Counter[str]] = {}
    in_row = row = 0

    def scan(piece: bytes) -> None:
        nonlocal held, in_row, row
        text = held + piece
        cut = text.rfind(b"</c>") + 4
        if cut < 4:
            cut = text.rfind(b">") + 1
        text, held = text[:cut], text[cut:]
        if len(held) > 64 * _PIECE or b"<!DOCTYPE" in text:
            raise damaged()
        for is_row, letters, digits, closed in _CELL.findall(text):
            if is_row:
                in_row, row = 0, _row(digits) if digits else row + 1
                continue
            in_row = _column(letters) if letters else in_row + 1
            here = _row(digits) if digits else row  # a cell may claim another row than it stands in
            if in_row > _LAST_COLUMN or here > _LAST_ROW:
                raise damaged()
            if not closed:
                size.cells += 1
                size.columns, size.rows = max(size.columns, in_row), max(size.rows, here)
        if styles:
            count_units(text, styles, units)
            size.units = {_column(letters): counts for letters, counts in units.items()}
        size.errors += len(_ERROR.findall(text))
        size.formulas += len(_NO_RESULT.findall(text))
        if size.cells > MAX_CELLS or size.rows * size.columns > MAX_GRID:
            raise sheet_too_large()

    return scan


def sheet_too_large() -> FileUnreadable:
    """The error for a sheet with too many cells or too wide a grid."""
    return FileUnreadable(
        f"A sheet of the workbook is larger than the limit ({MAX_CELLS:,} filled cells in a grid of {MAX_GRID:,}). "
        "Delete what stands far away from the table, or save the table as CSV and upload that."
    )


@cache
def _column(letters: bytes) -> int:
    number = 0
    if len(letters) > 4:
        return _LAST_COLUMN + 1
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _row(digits: bytes) -> int:
    return int(digits) if len(digits) < 10 else _LAST_ROW + 1
