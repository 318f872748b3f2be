"""Delimited text, in a stream: cut into slices of whole records, taken apart by Arrow, typed column by column.

A slice that Arrow's strict reader refuses (rows too short or too long, stray quotes, NUL characters) is taken apart by
Python's reader, which is slower and tells what it met; so one broken row costs one slice, not the file.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.csv as arrow_csv

from dapp_ext.domain.reading import plans, sniffing, texts
from dapp_ext.domain.reading.dialect import Dialect, sniff
from dapp_ext.domain.reading.names import column_names
from dapp_ext.domain.reading.opening import Opened, as_utf8
from dapp_ext.domain.reading.slices import Slice, Slicer
from dapp_ext.domain.reading.table import ColumnPlan, Notes, Plan, Sink, TableRead, check_columns, write_table
from dapp_ext.errors import FileUnreadable
from dapp_ext.schema.datasets import Column, ReadOptions, ReadReport


@dataclass
class Chunk:
    """The columns of one slice; fewer than the table has where no row was that long.

    Attributes
    ----------
    raw, tidied : list of pa.Array
        The cells as texts, null for an empty one; as they stand, and without blanks around them.
    parsed : list
        What the look at the columns made of them, with the name of the reading; None where it made nothing.
    """

    rows: int
    raw: list[pa.Array]
    tidied: list[pa.Array]
    parsed: list[tuple[str, pa.Array] | None] = field(default_factory=list)


def _chunk(arrays: list[pa.Array]) -> Chunk:
    return Chunk(len(arrays[0]) if arrays else 0, arrays, [texts.tidy(array) for array in arrays])


_SAMPLE = 1024 * 1024
_MOST_EXTRA = 100


class _NotUtf8(Exception):
    """The text turned out to be in another encoding than its beginning."""


@dataclass
class _Repairs:
    """Rows that did not fit, by the line they begin on; each is counted in the first pass only."""

    short: set[int] = field(default_factory=set)
    long: set[int] = field(default_factory=set)
    nul: int = 0


class CsvTable:
    """A delimited text as a :class:`~.table.ChunkedTable`.

    Parameters
    ----------
    opened : Opened
        The file.
    encoding : str
        Its encoding.
    dialect : Dialect
        How it is written.
    missing : frozenset of str, optional
        The only marks for missing values.
    """

    def __init__(self, opened: Opened, encoding: str, dialect: Dialect, missing: frozenset[str] | None) -> None:
        self.opened = opened
        self.encoding = encoding
        self.dialect = dialect
        self.names = list(dialect.names) if dialect.header else [f"column_{place}" for place in range(1, dialect.width + 1)]
        self.width = dialect.width
        self.repairs = _Repairs()
        self._readings = texts.WITH_COMMA if dialect.decimal == "," else texts.ALL
        self._missing = missing
        self.columns = [self._column() for _ in range(self.width)]
        self._rows = 0
        self._wide_text = False
        check_columns(self.width)

    @property
    def day_first(self) -> bool:
        """How ``01/02/2021`` is read where nothing proves it: where a comma is the decimal sign, the day comes first."""
        return self.dialect.decimal == "," or self.dialect.delimiter == ";"

    def _column(self) -> texts.TextColumn:
        return texts.TextColumn(self._readings, self._missing)

    def chunks(self) -> Iterator[Chunk]:
        """The slices of the file as texts."""
        delimiter = self.dialect.delimiter.encode()
        slicer = Slicer(delimiter, self.dialect.line_end.encode(), blanks=self.dialect.blanks)
        text = self._from_table(as_utf8(self.opened.pieces(), self.encoding))
        first = self.dialect.header
        for piece in slicer.cut(text, self.dialect.skip + 1):
            chunk = self._parse(piece, header=first)
            if chunk is not None:
                first = False
                yield chunk

    def _from_table(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Leave out the lines before the table."""
        left = self.dialect.skip
        end = self.dialect.line_end.encode()
        held = b""
        for piece in pieces:
            held += piece
            while left and (place := held.find(end)) >= 0:
                held = held[place + 1 :]
                left -= 1
            if not left:
                yield held
                held = b""

    def _parse(self, piece: Slice, *, header: bool) -> Chunk | None:
        data = self._checked(piece)
        if not data.strip():
            return None
        simple = not piece.loose and b"\0" not in data and not (self.dialect.blanks and b'"' in data)
        if simple:
            try:
                return self._by_arrow(data, header=header)
            except pa.ArrowInvalid:
                # Rows of different lengths: the slower reader tells which.
                pass
        return self._by_python(data, piece.line, header=header)

    def _checked(self, piece: Slice) -> bytes:
        if piece.data.isascii():
            return piece.data
        try:
            piece.data.decode("utf-8")
        except UnicodeDecodeError as error:
            if not self._wide_text:
                raise _NotUtf8 from error
            line = piece.line + piece.data.count(b"\n", 0, error.start)
            raise FileUnreadable(
                f"Line {line:,} has bytes that are not UTF-8, although the lines before it are. Repair the line, or choose the encoding of the file."
            ) from error
        self._wide_text = True
        return piece.data

    def _by_arrow(self, data: bytes, *, header: bool) -> Chunk:
        names = [str(place) for place in range(self.dialect.width)]
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(column_names=names, block_size=len(data) + 1, skip_rows_after_names=int(header)),
            parse_options=arrow_csv.ParseOptions(delimiter=self.dialect.delimiter, newlines_in_values=b'"' in data),
            convert_options=arrow_csv.ConvertOptions(
                check_utf8=False, column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
            ),
        )
        arrays = [column.combine_chunks() if column.num_chunks != 1 else column.chunk(0) for column in table.columns]
        if self.dialect.blanks:
            arrays = [texts.without_leading(array) for array in arrays]
        return _chunk(arrays)

    def _by_python(self, data: bytes, line: int, *, header: bool) -> Chunk:
        text = data.decode("utf-8")
        if "\0" in text:
            self.repairs.nul += text.count("\0")
            text = text.replace("\0", "")
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.dialect.delimiter, skipinitialspace=self.dialect.blanks)
        rows: list[list[str]] = []
        try:
            before = 0
            for row in reader:
                started, before = line + before, reader.line_num
                if not row or (self.dialect.width > 1 and len(row) == 1 and not row[0].strip()):
                    continue
                if header:
                    header = False
                    continue
                rows.append(self._fitted(row, started))
        except csv.Error as error:
            raise FileUnreadable(f"The text could not be taken apart into cells near line {line + reader.line_num:,}: {error}.") from error
        width = max(map(len, rows), default=self.width)
        filled = (row if len(row) == width else row + [""] * (width - len(row)) for row in rows)
        columns = list(zip(*filled, strict=True)) if rows else [()] * width
        return _chunk([pa.array([cell or None for cell in column], pa.string()) for column in columns])

    def _fitted(self, row: list[str], line: int) -> list[str]:
        expected = self.dialect.width
        if len(row) < expected:
            self.repairs.short.add(line)
        elif len(row) > expected:
            while len(row) > expected and not row[-1]:
                row.pop()
            if len(row) > expected:
                self.repairs.long.add(line)
                if len(row) > expected + _MOST_EXTRA:
                    raise FileUnreadable(
                        f"Line {line:,} has {len(row):,} cells where the header has {expected:,}. Repair the line, or choose another delimiter."
                    )
        self._widen(len(row))
        return row

    def _widen(self, width: int) -> None:
        for _ in range(width - self.width):
            column = self._column()
            column.look(pa.nulls(self._rows, pa.string()))
            self.columns.append(column)
            self.names.append(f"column_{len(self.names) + 1}")
        self.width = max(self.width, width)

    def look(self, chunk: Chunk) -> None:
        """Take evidence on the types."""
        self._rows += chunk.rows
        nothing = pa.nulls(chunk.rows, pa.string())
        chunk.parsed = []
        for place, column in enumerate(self.columns):
            parsed = column.look(chunk.tidied[place] if place < len(chunk.tidied) else nothing)
            chunk.parsed.append(None if parsed is None or column.reading is None else (column.reading, parsed))

    def plan(self) -> Plan:
        """How the columns are stored, as far as is known."""
        marks = plans.file_marks(self.columns)
        names = column_names(self.names)
        pairs = zip(names, self.columns, strict=True)
        return Plan(tuple(plans.plan_column(name, column, marks, day_first=self.day_first) for name, column in pairs))

    def convert(self, chunk: Chunk, plan: Plan) -> pa.RecordBatch:
        """The slice in its types."""
        arrays = [self._converted(chunk, place, column) for place, column in enumerate(plan.columns)]
        return pa.RecordBatch.from_arrays(arrays, schema=plan.schema)

    def _converted(self, chunk: Chunk, place: int, column: ColumnPlan) -> pa.Array:
        if place >= len(chunk.raw):
            return pa.nulls(chunk.rows, column.type)
        done = chunk.parsed[place] if place < len(chunk.parsed) else None
        if done is not None and done[0] == column.how:
            return done[1]
        return texts.convert(chunk.raw[place], chunk.tidied[place], column.how, column.missing)


def read_csv(opened: Opened, options: ReadOptions, sink: Sink) -> TableRead:
    """Read a delimited text.

    Parameters
    ----------
    opened : Opened
        The file.
    options : ReadOptions
        What is not to be guessed.
    sink : Sink
        Where the batches go.
    """
    head = opened.head(_SAMPLE)
    encoding = sniffing.known_encoding(options.encoding) if options.encoding else sniffing.encoding_of(head)
    try:
        return _read(opened, encoding, options, sink)
    except _NotUtf8:
        if options.encoding:
            raise FileUnreadable(f"The text does not follow the encoding {options.encoding}. Choose another encoding.") from None
        return _read(opened, "cp1252", options, sink)


def _read(opened: Opened, encoding: str, options: ReadOptions, sink: Sink) -> TableRead:
    sample, complete = _sample(opened, encoding)
    dialect = sniff(sample, options, complete=complete)
    table = CsvTable(opened, encoding, dialect, frozenset(options.missing) if options.missing is not None else None)
    plan, rows = write_table(table, sink)
    if rows == 0:
        raise FileUnreadable("The file has only a header and no rows. Upload a file with at least one row of data.")
    notes = Notes()
    _tell(table, notes)
    report = ReadReport(format="csv", delimiter=dialect.delimiter, encoding=encoding, decimal=dialect.decimal, header=dialect.header, notes=notes.sentences)
    columns = [Column(name=entry.name, kind=entry.kind, nullable=True) for entry in plan.columns]
    return TableRead(columns, rows, report)


def _sample(opened: Opened, encoding: str) -> tuple[str, bool]:
    """The beginning as text, without what is left out later anyway, and whether it is all."""
    head = opened.head(_SAMPLE)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    return text.removeprefix("\ufeff").replace("\0", ""), len(head) < _SAMPLE


def _tell(table: CsvTable, notes: Notes) -> None:
    dialect = table.dialect
    if table.encoding == "cp1252":
        notes.add("The text is not UTF-8; it was read as Windows-1252 (cp1252). Choose another encoding if letters look wrong.")
    if dialect.skip:
        notes.add(f"{dialect.skip:,} lines before the table were left out.")
    if not dialect.header:
        notes.add("No header row was found, so the columns were numbered.")
    if dialect.row_names:
        notes.add("The header has one name less than the rows have cells; the first column was taken as the one without a name.")
    if dialect.decimal == ",":
        notes.add("The comma was read as the decimal sign.")
    if dialect.blanks:
        notes.add("Blanks after the delimiter were left out.")
    _tell_repairs(table.repairs, notes, dialect.width)
    names = column_names(table.names, notes)
    plans.tell([plans.Named(name, column) for name, column in zip(names, table.columns, strict=True)], notes, day_first=table.day_first)


def _tell_repairs(repairs: _Repairs, notes: Notes, width: int) -> None:
    if repairs.short or repairs.long:
        total = len(repairs.short) + len(repairs.long)
        notes.add(f"{total:,} rows do not have the {width:,} cells of the others.")
    if repairs.short:
        notes.add(f"{len(repairs.short):,} rows are too short ({_lines(repairs.short)}); their last cells were taken as missing.")
    if repairs.long:
        notes.add(f"{len(repairs.long):,} rows are too long ({_lines(repairs.long)}); what is left over was kept in columns of its own.")
    if repairs.nul:
        notes.add("NUL characters, which no text should hold, were left out.")


def _lines(lines: set[int]) -> str:
    shown = sorted(lines)[:10]
    return ("line " if len(lines) == 1 else "lines ") + ", ".join(f"{line:,}" for line in shown) + (" ..." if len(lines) > 10 else "")
