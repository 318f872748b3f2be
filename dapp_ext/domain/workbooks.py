"""Tables as XLSX workbooks, as a stream.

Office Open XML (ECMA-376) is written here because the libraries for it keep a sheet in a temporary file in plain text
or in memory as objects; neither will do. Texts are inline strings, so none can become a formula.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

import polars as pl
import pyarrow as pa

from dapp_ext.domain.cells import EXACT, decimal_texts, iso_texts, seconds
from dapp_ext.domain.sources import as_frame
from dapp_ext.domain.spout import Spout
from dapp_ext.errors import TooLarge

MOST_ROWS = 1_048_575  # and one for the names
MOST_COLUMNS = 16_384
MOST_CELLS = 20_000_000
_MOST_BYTES = 2**31 - 2**24  # what a ZIP entry holds in the form that every spreadsheet program reads
_MOST_CHARACTERS = 32_767
_ROWS_AT_ONCE = 8192

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
# Styles by number: 1 names, 2 dates, 3 date-times, 4 times of day, 5 spans of time.
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="6">'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    + "".join(f'<xf numFmtId="{each}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>' for each in (164, 165, 21, 46))
    + '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}
_SHEET = (
    f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>'
)


def require_fit(rows: int, columns: int) -> None:
    """Make sure that a table can be a worksheet.

    Raises
    ------
    TooLarge
        If it has too many rows, columns or cells.
    """
    if rows > MOST_ROWS or columns > MOST_COLUMNS or rows * columns > MOST_CELLS:
        raise TooLarge(
            f"An XLSX sheet holds at most {MOST_ROWS:,} rows and {MOST_COLUMNS:,} columns, and is kept to {MOST_CELLS:,} cells here; this would have "
            f"{rows:,} rows and {columns:,} columns. Filter the rows, choose fewer columns, or take CSV or Parquet."
        )


def workbook(tables: Iterable[pa.Table], names: Sequence[str]) -> Iterator[bytes | memoryview]:
    """The bytes of a workbook with one sheet, names in a bold row that stays in sight.

    Date-times keep the wall time of their zone. Dates before March 1900, which spreadsheets count wrongly, numbers that a
    double cannot hold and infinities become texts. Characters that XML cannot carry are left out, and a text ends after
    32,767 characters.

    Raises
    ------
    TooLarge
        If there are more rows than fit.
    """
    spout = Spout()
    letters = [_letters(i) for i in range(len(names))]
    rows = 1
    with zipfile.ZipFile(spout, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path, part in _PARTS.items():
            archive.writestr(path, _XML + part)
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            written = sheet.write((_XML + _SHEET + _names_row(names, letters)).encode())
            for table in tables:
                require_fit(rows - 1 + table.num_rows, len(names))
                for start in range(0, table.num_rows, _ROWS_AT_ONCE):
                    frame = as_frame(table.slice(start, _ROWS_AT_ONCE), shown=True)
                    text = _sheet_rows(frame, letters, rows + 1)
                    rows += frame.height
                    written += len(text)
                    if written > _MOST_BYTES:
                        raise TooLarge("The sheet would become too large for a spreadsheet program. Choose fewer columns, or take CSV or Parquet.")
                    sheet.write(text)
                    yield from spout.take()
            sheet.write(b"</sheetData></worksheet>")
    yield from spout.take()


def _sheet_rows(frame: pl.DataFrame, letters: Sequence[str], first: int) -> bytes:
    number = pl.int_range(first, first + pl.len(), dtype=pl.Int64).cast(pl.String)
    cells = [_cell(frame.to_series(i), letter) for i, letter in enumerate(letters)]
    rows = pl.DataFrame([cell.alias(f"x{i}") for i, cell in enumerate(cells)]).select(number.alias("n"), pl.all())
    pieces: list[pl.Expr] = [pl.lit('<row r="'), pl.col("n"), pl.lit('">')]
    for i, letter in enumerate(letters):
        cell = pl.concat_str([pl.lit(f'<c r="{letter}'), pl.col("n"), pl.lit('"'), pl.col(f"x{i}")])
        pieces.append(pl.when(pl.col(f"x{i}").is_not_null()).then(cell).otherwise(pl.lit("")))
    return "".join(rows.select(pl.concat_str([*pieces, pl.lit("</row>")])).to_series().to_list()).encode()


def _cell(series: pl.Series, letter: str) -> pl.Series:
    """What follows the reference in each cell; null for an empty one."""
    kind = series.dtype
    if kind == pl.Boolean:
        return _valued(series.cast(pl.UInt8), ' t="b"')
    if kind.is_integer():
        exact = _valued(series, "")
        large = (series > EXACT) | (series < -EXACT) if kind in (pl.Int64, pl.UInt64, pl.Int128) else None
        return exact if large is None or not large.any() else exact.zip_with(~large.fill_null(False), _text(series.cast(pl.String)))
    if kind.is_float():
        finite = series.is_finite().fill_null(True)
        return _valued(series, "") if finite.all() else _valued(series, "").zip_with(finite, _text(series.cast(pl.String)))
    if kind.is_decimal():
        doubles = series.cast(pl.Float64)
        exact = pl.Series([value is None or Decimal(repr(float(value))) == value for value in series.to_list()], dtype=pl.Boolean)
        return _valued(doubles, "") if exact.all() else _valued(doubles, "").zip_with(exact, _text(decimal_texts(series)))
    if kind == pl.Duration:
        return _valued(seconds(series) / 86_400, ' s="5"')
    if kind == pl.Time:
        return _valued(series.to_physical() / 86_400e9, ' s="4"')
    if kind in (pl.Date, pl.Datetime):
        wall = series.dt.replace_time_zone(None) if kind == pl.Datetime else series
        serial = wall.cast(pl.Datetime("us")).to_physical() / 86_400e6 + 25_569
        dated = _valued(serial.cast(pl.Int64) if kind == pl.Date else serial, ' s="2"' if kind == pl.Date else ' s="3"')
        return dated.zip_with((serial >= 61).fill_null(True), _text(iso_texts(series)))
    return _text(series.cast(pl.String))


def _valued(numbers: pl.Series, attributes: str) -> pl.Series:
    shown = numbers.cast(pl.String).alias("v").to_frame()
    return shown.select(pl.concat_str([pl.lit(f"{attributes}><v>"), pl.col("v"), pl.lit("</v></c>")])).to_series()


def _text(texts: pl.Series) -> pl.Series:
    text = pl.col("v").str.slice(0, _MOST_CHARACTERS).str.replace_all(r"[\x00-\x08\x0B\x0C\x0E-\x1F\x{FFFE}\x{FFFF}]", "")
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;")):
        text = text.str.replace_all(character, entity, literal=True)
    # Spreadsheets take _x0041_ for an escaped character, so one that is meant as it stands is escaped itself.
    text = text.str.replace_all(r"_(x[0-9A-Fa-f]{4}_)", "_x005F_$1")
    cell = pl.concat_str([pl.lit(' t="inlineStr"><is><t xml:space="preserve">'), text, pl.lit("</t></is></c>")])
    return texts.alias("v").to_frame().select(cell).to_series()


def _names_row(names: Sequence[str], letters: Sequence[str]) -> str:
    cells = _text(pl.Series(list(names), dtype=pl.String)).to_list()
    return '<row r="1">' + "".join(f'<c r="{letter}1" s="1"{cell}' for letter, cell in zip(letters, cells, strict=True)) + "</row>"


def _letters(index: int) -> str:
    """The name of a column from its number, from 0: A, B, …, Z, AA, …"""
    found = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        found = chr(65 + rest) + found
    return found
