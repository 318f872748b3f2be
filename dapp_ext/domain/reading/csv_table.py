"""The table of a delimited text: slices of whole records, cleaned, taken apart by Arrow or by Python, typed column by column."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from dapp_ext.domain.conveyor import ahead
from dapp_ext.domain.reading import footers, layouts, numbers, plans, texts, whole
from dapp_ext.domain.reading.chosen import ChosenColumn, Ways
from dapp_ext.domain.reading.dialect import Dialect, can_repeat
from dapp_ext.domain.reading.first_rows import is_typed
from dapp_ext.domain.reading.layouts import is_drawn
from dapp_ext.domain.reading.names import column_names
from dapp_ext.domain.reading.numbers import DoesNotFit
from dapp_ext.domain.reading.opening import Opened, as_utf8
from dapp_ext.domain.reading.repairs import Repairs
from dapp_ext.domain.reading.slices import Slice, Slicer
from dapp_ext.domain.reading.table import Again, ColumnPlan, Notes, Plan, check_columns
from dapp_ext.domain.reading.texts import TextColumn
from dapp_ext.errors import FileUnreadable
from dapp_ext.schema.datasets import ReadOptions


@dataclass
class Chunk:
    """The columns of one slice; fewer than the table has where no row was that long.

    Attributes
    ----------
    cells : list of pa.Array
        The cells as texts as they stand, null for an empty one; with a dictionary where texts were known to repeat, and as whole
        numbers where they were known to be such (see :mod:`.whole`).
    parsed : list
        What the look at the columns made of them, with the name of the reading; None where it made nothing.
    """

    rows: int
    cells: list[pa.Array]
    parsed: list[tuple[str, pa.Array] | None] = field(default_factory=list)
    headers: bool = False
    """Whether some rows are the same as the header and were kept."""
    _tidied: dict[int, pa.Array] = field(default_factory=dict)

    def tidied(self, place: int) -> pa.Array:
        """The cells of a column without blanks around them."""
        if place not in self._tidied:
            self._tidied[place] = texts.tidy(self.raw(place))
        return self._tidied[place]

    def raw(self, place: int) -> pa.Array:
        """The cells of a column as texts, without a dictionary; whole numbers as they are plainly written, which is how they stood there."""
        if pa.types.is_dictionary(self.cells[place].type):
            self.cells[place] = self.cells[place].dictionary_decode()
        elif pa.types.is_integer(self.cells[place].type):
            self.cells[place] = pc.cast(self.cells[place], pa.string())
        return self.cells[place]


@dataclass(frozen=True)
class _Piece:
    """A slice without what is none of its rows: whether it begins with the header, whether it holds rows like it, and what Arrow made of it."""

    data: bytes
    line: int
    header: bool
    headers: bool
    chunk: Chunk | None


def _chunk(arrays: list[pa.Array]) -> Chunk:
    return Chunk(len(arrays[0]) if arrays else 0, arrays)


def unescaped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same text with doubled quotes where a backslash stood before them, and one backslash for two."""
    held = b""
    for piece in pieces:
        text = held + piece
        odd = (len(text) - len(text.rstrip(b"\\"))) % 2
        held = text[len(text) - odd :]
        text = text[: len(text) - odd]
        yield _ESCAPED.sub(lambda found: b'""' if found[1] == b'"' else b"\\", text) if b"\\" in text else text
    if held:
        yield held


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


_ESCAPED = re.compile(rb'\\(["\\])')
_REPEATED = pa.dictionary(pa.int32(), pa.string())
_MOST_EXTRA = 100
_MOST_MISSES = 3
"""So often it is tried in vain to read whole numbers at once."""
_LOOKED_AT = 256 * 1024
"""Bytes that show which characters are rare."""
_TAIL, _TAIL_LINES = 256 * 1024, 120


def _look(column: TextColumn, chunk: Chunk, place: int) -> pa.Array | None:
    """Let a column take its cells in the cheapest way that they allow. Returns them in the type of its reading, if it is no text."""
    cells = chunk.cells[place]
    if pa.types.is_integer(cells.type) and (parsed := column.look_whole(cells)) is not None:
        return parsed
    if not pa.types.is_integer(cells.type) and (encoded := column.look_encoded(cells)) is not None:
        chunk.cells[place] = encoded
        return None
    parsed = column.look_plainly(chunk.raw(place))
    return column.look(chunk.tidied(place)) if parsed is None else parsed


class NotUtf8(Exception):
    """The text turned out to be in another encoding than its beginning."""


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
    options : ReadOptions
        What is not to be guessed.
    layout : Layout, optional
        How lines without a delimiter part.
    """

    def __init__(self, opened: Opened, encoding: str, dialect: Dialect, options: ReadOptions, layout: layouts.Layout | None = None) -> None:
        self.opened = opened
        self.encoding = encoding
        self.dialect = dialect
        self.layout = layout
        self.names = list(dialect.names) if dialect.header else [f"column_{place}" for place in range(1, dialect.width + 1)]
        self.width = dialect.width
        self.repairs = Repairs()
        # Where a comma is the decimal sign, or semicolons stand between cells, the day comes first.
        day_first = dialect.decimal == "," or dialect.delimiter == ";"
        readings = texts.readings(dialect.decimal, options.thousands)
        self.ways = Ways.of(options, readings, day_first=day_first, decimal=dialect.decimal)
        self.columns = [self.ways.column(name) for name in column_names(self.names)]
        self.slicer = Slicer(dialect.delimiter.encode(), dialect.line_end.encode(), quote=dialect.cells.quote.encode(), blanks=dialect.blanks)
        self._rows = 0
        self._wide_text = False
        self._header: bytes | None = None
        self._kept_headers = False
        self._misses = 0
        self._rare: tuple[bytes, ...] = ()
        self.extra_rows = options.extra_rows
        check_columns(self.width)

    @property
    def day_first(self) -> bool:
        """How ``01/02/2021`` is read where nothing proves it."""
        return self.ways.day_first

    def kept(self) -> list[int]:
        """Places of the columns that are stored: one without a name and without any value is none, as after a delimiter at the end of every line."""
        places = [place for place, column in enumerate(self.columns) if self.names[place].strip() or column.nulls < column.rows or not column.rows]
        return places or list(range(len(self.columns)))

    def named_columns(self, notes: Notes | None = None) -> list[plans.Named]:
        """The stored columns with their names."""
        names = column_names(self.names)
        if notes is not None:
            kept = set(self.kept())
            column_names([self.names[place] if place in kept else f"\0{place}" for place in range(len(self.names))], notes)
        return [plans.Named(names[place], self.columns[place]) for place in self.kept()]

    def chunks(self) -> Iterator[Chunk]:
        """The slices of the file as texts."""
        text = as_utf8(self.opened.pieces(), self.encoding)
        if self.layout is not None:
            text = self.layout.pieces(text, self.dialect.line_end)
        text = self._from_table(unescaped(text) if self.dialect.escaped else text)
        for piece in ahead(self._taken_apart(ahead(self.slicer.cut(text, self.dialect.skip + 1)))):
            chunk = piece.chunk
            if chunk is None:
                chunk = self._by_python(piece.data, piece.line, header=piece.header)
            chunk.headers = piece.headers
            yield chunk

    def _taken_apart(self, slices: Iterator[Slice]) -> Iterator[_Piece]:
        """The slices cleaned and, where Arrow can do it, taken apart. Runs ahead of the look at the columns, so it must not need what that finds."""
        first = self.dialect.header
        for given in slices:
            piece = self._without_footer(self._without_marks(given), header=first)
            if self.dialect.rule:
                piece = self._without_rules(piece)
            if first or self._header is not None:
                piece = self._without_headers(piece, first=first)
            if self.dialect.comment:
                piece = self._without_comments(piece, header=first)
            data = self._checked(piece)
            headers, self._kept_headers = self._kept_headers, False
            if data and not data.isspace():
                # Of a slice that something was left out of, it is not known how many quotes are left.
                quotes = given.quotes if data is given.data and not first else None
                yield _Piece(data, piece.line, first, headers, None if piece.loose else self._parse(data, quotes, header=first))
                first = False

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

    def _without_comments(self, piece: Slice, *, header: bool) -> Slice:
        """Leave out comments between the rows; the header may look like one."""
        mark, cells = self.dialect.comment.encode(), self.dialect.cells
        if not piece.data.startswith(mark) and self.slicer.line_end + mark not in piece.data:
            return piece
        first = piece.data.split(self.slicer.line_end, 1)[0] if header else None

        def wanted(line: bytes) -> bool:
            if not line.startswith(mark) or line is first or line == first:
                return True
            return not self.dialect.sure_comment and cells.width(line.decode("utf-8", "replace")) == self.dialect.width

        data, dropped = self.slicer.without(piece.data, wanted)
        self.repairs.comments.update(piece.line + line for line in dropped)
        return replace(piece, data=data)

    def _without_marks(self, piece: Slice) -> Slice:
        """Leave out byte order marks at the beginning of lines, where one file was put after another."""
        marked = self.slicer.line_end + codecs.BOM_UTF8
        if piece.data.isascii() or (marked not in piece.data and not piece.data.startswith(codecs.BOM_UTF8)):
            return piece
        self.repairs.marks = True
        data = piece.data.removeprefix(codecs.BOM_UTF8).replace(marked, self.slicer.line_end)
        return replace(piece, data=data)

    def _without_footer(self, piece: Slice, *, header: bool) -> Slice:
        """Leave out totals and notes below the table, where they are surely none of its rows."""
        quote, end = self.slicer.quote, self.slicer.line_end
        if not piece.last or self.extra_rows == "keep" or self.dialect.width < 2:
            return piece
        # What ends without a line end may be cut; lines are looked at as far as no quote stands in them.
        tail = piece.data[-_TAIL:]
        lines = tail.split(end)[1 if len(tail) < len(piece.data) else self.dialect.header_rows if header else 0 :]
        # A line with an even number of quotes is a whole record; of others it is not known where they begin.
        if (quote and any(line.count(quote) % 2 for line in lines)) or self.dialect.rule or self.dialect.comment:
            return piece
        texts_of = [line.decode("utf-8", "replace").rstrip("\r\n") for line in lines[-_TAIL_LINES:]]
        found = footers.footer_of(texts_of, self._cells_of, self.dialect.width, is_typed)
        if not found.lines or (found.notes and not found.totals and not piece.data.endswith((b"\n", b"\r")) and not any(not line for line in texts_of)):
            return piece
        kept = piece.data.rsplit(end, found.lines)[0] + end
        self.repairs.below, self.repairs.totals = found.notes + found.totals, found.totals
        return replace(piece, data=kept)

    def _cells_of(self, line: str) -> list[str]:
        return next(iter(self.dialect.cells.records(line)), [])

    def _without_rules(self, piece: Slice) -> Slice:
        """Leave out the lines that only draw the table."""
        rule = self.dialect.rule.encode()
        data, dropped = self.slicer.without(piece.data, lambda line: not is_drawn(line, rule))
        self.repairs.rules.update(piece.line + line for line in dropped)
        return replace(piece, data=data)

    def _without_headers(self, piece: Slice, *, first: bool) -> Slice:
        """Leave out lines that are the header once more; where they may be data, say that they are there."""
        if first:
            line = piece.data.split(self.slicer.line_end, 1)[0]
            plain = line.strip() and can_repeat(self.dialect.names) and line.count(self.slicer.quote or b'"') % 2 == 0 and self.dialect.header_rows == 1
            plain = plain and self.extra_rows != "keep"
            self._header = line + self.slicer.line_end if plain and not self.dialect.comment else None
            self._rare = self._rare_in(line, piece.data[len(line) : len(line) + _LOOKED_AT])
        if (
            self._header is None
            or any(piece.data.find(rare, len(self._header) * first) < 0 for rare in self._rare)
            or self.slicer.line_end + self._header not in self.slicer.line_end + piece.data[len(self._header) * first :] + self.slicer.line_end
        ):
            return piece
        if not self.dialect.drop_headers:
            self._kept_headers = True
            return piece
        header, known = self._header.removesuffix(self.slicer.line_end), iter([True])
        data, dropped = self.slicer.without(piece.data, lambda line: line != header or (first and next(known, False)))
        self.repairs.headers.update(piece.line + line for line in dropped)
        return replace(piece, data=data)

    def _rare_in(self, line: bytes, rest: bytes) -> tuple[bytes, ...]:
        """What is looked for before the whole header is, as it is hardly ever in the data: a character that the first rows lack, and the longest name.

        A single character is found to be absent in no time, and a name in little.
        """
        lacking = sorted(set(line) - set(rest))
        longest = max((name.encode() for name in self.dialect.names if name in line.decode("utf-8", "replace")), key=len, default=b"")
        return (*(bytes([character]) for character in lacking[:1]), longest)

    def _parse(self, data: bytes, quotes: int | None, *, header: bool) -> Chunk | None:
        """What Arrow makes of the text; None where the slower reader has to tell what is wrong with it."""
        if b"\0" in data or (self.dialect.blanks and b'"' in data):
            return None
        try:
            chunk = None if quotes is None else self._with_numbers(data, quotes)
            return chunk or self._by_arrow(data, self._kinds(), header=header)
        except pa.ArrowInvalid:
            # Rows of different lengths, say.
            return None

    def _with_numbers(self, data: bytes, quotes: int) -> Chunk | None:
        """What Arrow makes of the text, with whole numbers read at once; None where there are none or nothing proves them."""
        columns = [(place, column) for place, column in enumerate(self.columns[: self.dialect.width]) if column.is_whole]
        if not columns or self._misses > _MOST_MISSES or self.dialect.padded or self.dialect.blanks:
            return None
        try:
            chunk = self._by_arrow(data, self._kinds() | {str(place): pa.int64() for place, _ in columns}, header=False)
        except pa.ArrowInvalid:
            self._misses += 1  # something else than a whole number
            return None
        for place, column in columns:
            column.long = whole.is_long(chunk.cells[place])
        if any(column.long for _, column in columns):
            return None
        if chunk.rows and whole.adds_up(chunk.cells, data, quotes, self.slicer.quote):
            return chunk
        self._misses += 1
        return None

    def _kinds(self) -> dict[str, pa.DataType]:
        """The types in which the cells are read: texts, with a dictionary where they are known to repeat."""
        kinds = dict.fromkeys(map(str, range(self.dialect.width)), pa.string())
        if self.dialect.blanks:
            return kinds
        # Arrow makes a dictionary quicker while it reads than anybody can afterwards.
        return kinds | {str(place): _REPEATED for place, column in enumerate(self.columns[: self.dialect.width]) if column.repeats}

    def _checked(self, piece: Slice) -> bytes:
        if piece.data.isascii():
            return piece.data
        try:
            piece.data.decode("utf-8")
        except UnicodeDecodeError as error:
            if not self._wide_text and piece.data[: error.start].isascii():
                raise NotUtf8 from error
            line = piece.line + piece.data.count(b"\n", 0, error.start)
            raise FileUnreadable(
                f"Line {line:,} has bytes that are not UTF-8, although the lines before it are. Repair the line, or choose the encoding of the file."
            ) from error
        self._wide_text = True
        return piece.data

    def _by_arrow(self, data: bytes, kinds: dict[str, pa.DataType], *, header: bool) -> Chunk:
        quote = self.slicer.quote
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(
                column_names=list(kinds), block_size=len(data) + 1, skip_rows_after_names=self.dialect.header_rows if header else 0
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self.dialect.delimiter, quote_char=self.dialect.cells.quote or False, newlines_in_values=bool(quote) and quote in data
            ),
            convert_options=arrow_csv.ConvertOptions(check_utf8=False, column_types=kinds, null_values=[""], strings_can_be_null=True),
        )
        arrays = [_whole(column) for column in table.columns]
        if self.dialect.padded:
            arrays = [texts.tidy(array) for array in arrays]
        elif self.dialect.blanks:
            arrays = [texts.without_leading(array) for array in arrays]
        return _chunk(arrays)

    def _by_python(self, data: bytes, line: int, *, header: bool) -> Chunk:
        text = data.decode("utf-8")
        if "\0" in text:
            self.repairs.nul += text.count("\0")
            text = text.replace("\0", "")
        reader = self.dialect.cells.rows(io.StringIO(text, newline=""))
        rows: list[list[str]] = []
        heading = self.dialect.header_rows if header else 0
        try:
            before = 0
            for row in reader:
                started, before = line + before, reader.line_num
                if not row or (self.dialect.width > 1 and len(row) == 1 and not row[0].strip()):
                    continue
                if heading:
                    heading -= 1
                    continue
                rows.append(self._fitted(row, started, self._rows + len(rows)))
        except csv.Error as error:
            raise FileUnreadable(f"The text could not be taken apart into cells near line {line + reader.line_num:,}: {error}.") from error
        width = max(map(len, rows), default=self.width)
        filled = (row if len(row) == width else row + [""] * (width - len(row)) for row in rows)
        columns = list(zip(*filled, strict=True)) if rows else [()] * width
        arrays = [pa.array([cell or None for cell in column], pa.string()) for column in columns]
        return _chunk([texts.tidy(array) for array in arrays] if self.dialect.padded else arrays)

    def _fitted(self, row: list[str], line: int, number: int) -> list[str]:
        """A row of a length that the table has, with what was done to it taken down."""
        expected = self.dialect.width
        if len(row) < expected:
            self.repairs.short.setdefault(line, number)
        elif len(row) > expected:
            while len(row) > expected and not row[-1].strip():
                row.pop()
            if len(row) > expected:
                self._shorten(row, line, number)
        self._widen(len(row))
        return row

    def _shorten(self, row: list[str], line: int, number: int) -> None:
        expected = self.dialect.width
        if len(row) > expected + _MOST_EXTRA:
            raise FileUnreadable(f"Line {line:,} has {len(row):,} cells where the header has {expected:,}. Repair the line, or choose another delimiter.")
        if line not in self.repairs.long:
            self.repairs.long[line] = number
            self.repairs.dropped += 0 if self.dialect.keeps_extra else len(row) - expected
        if not self.dialect.keeps_extra:
            del row[expected:]

    def _widen(self, width: int) -> None:
        for _ in range(width - self.width):
            self.names.append(f"column_{len(self.names) + 1}")
            column = self.ways.column(self.names[-1])
            column.look(pa.nulls(self._rows, pa.string()))
            self.columns.append(column)
        self.width = max(self.width, width)

    def look(self, chunk: Chunk) -> None:
        """Take evidence on the types."""
        if chunk.headers:
            self._note_headers(chunk)
        self._rows += chunk.rows
        nothing = pa.nulls(chunk.rows, pa.string())
        chunk.parsed = []
        for place, column in enumerate(self.columns):
            parsed = column.look(nothing) if place >= len(chunk.cells) else _look(column, chunk, place)
            chunk.parsed.append(None if parsed is None or column.reading is None else (column.reading, parsed))

    def _note_headers(self, chunk: Chunk) -> None:
        """Rows that are the same as the header, and may be data all the same."""
        if len(chunk.cells) != len(self.dialect.names):
            return
        same = np.ones(chunk.rows, dtype=bool)
        for place, name in enumerate(self.dialect.names):
            same &= pc.fill_null(pc.equal(chunk.raw(place), name), False).to_numpy(zero_copy_only=False)
        self.repairs.like_header += [self._rows + int(row) for row in np.flatnonzero(same)]

    def plan(self) -> Plan:
        """How the columns are stored, as far as is known."""
        marks = plans.file_marks(self.columns)
        return Plan(tuple(plans.plan_column(entry.name, entry.column, marks, day_first=self.day_first) for entry in self.named_columns()))

    def convert(self, chunk: Chunk, plan: Plan) -> pa.RecordBatch:
        """The slice in its types."""
        arrays = [self._converted(chunk, place, column) for place, column in zip(self.kept(), plan.columns, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, names=plan.schema.names)

    def _converted(self, chunk: Chunk, place: int, column: ColumnPlan) -> pa.Array:
        if place >= len(chunk.cells):
            return pa.nulls(chunk.rows, column.type)
        done = chunk.parsed[place] if place < len(chunk.parsed) else None
        if done is not None and done[0] == column.how:
            return done[1]
        evidence, cells = self.columns[place], chunk.cells[place]
        if pa.types.is_integer(cells.type) and column.how == "integer" and not column.missing:
            return cells
        if isinstance(evidence, ChosenColumn):
            return evidence.convert(chunk.raw(place), chunk.tidied(place), column)
        try:
            if column.how == texts.TEXT and not column.missing:
                cells = chunk.cells[place] if pa.types.is_dictionary(cells.type) else chunk.raw(place)
                if not numbers.has_blank_edge(cells.dictionary if pa.types.is_dictionary(cells.type) else cells):
                    return cells
            return texts.convert(chunk.raw(place), chunk.tidied(place), column.how, column.missing)
        except DoesNotFit:
            evidence.give_up()
            raise Again from None
