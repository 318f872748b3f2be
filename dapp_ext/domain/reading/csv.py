"""Delimited text, in a stream: cut into slices of whole records, taken apart by Arrow, typed column by column.

A slice that Arrow's strict reader refuses (rows too short or too long, stray quotes, NUL characters) is taken apart by
Python's reader, which is slower and tells what it met; so one broken row costs one slice, not the file.
"""

from __future__ import annotations

import codecs
from dataclasses import replace

from dapp_ext.domain.reading import encodings, layouts, plans, sniffing
from dapp_ext.domain.reading.amounts import unit_of
from dapp_ext.domain.reading.csv_table import CsvTable, NotUtf8
from dapp_ext.domain.reading.dialect import Dialect, is_parted_by_blanks, sniff
from dapp_ext.domain.reading.first_rows import is_typed
from dapp_ext.domain.reading.layouts import NotAligned
from dapp_ext.domain.reading.opening import Opened
from dapp_ext.domain.reading.plans import told
from dapp_ext.domain.reading.repairs import findings, tell
from dapp_ext.domain.reading.table import Notes, Sink, TableRead, write_table
from dapp_ext.errors import FileUnreadable
from dapp_ext.schema.datasets import Column, ReadOptions

_SAMPLE = 1024 * 1024


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
    encoding = sniffing.known_encoding(options.encoding, head) if options.encoding else sniffing.encoding_of(head)
    try:
        return _read_lines(opened, encoding, options, sink)
    except NotUtf8:
        if options.encoding:
            raise FileUnreadable(f"The text does not follow the encoding {options.encoding}. Choose another encoding.") from None
        return _read_lines(opened, encodings.USUAL, options, sink)


def _read_lines(opened: Opened, encoding: str, options: ReadOptions, sink: Sink) -> TableRead:
    try:
        return _read(opened, encoding, options, sink)
    except NotAligned:
        if options.layout == "aligned":
            raise FileUnreadable("Some line has text where the columns of the first lines part. Choose another layout, or let it be guessed.") from None
        return _read(opened, encoding, options.model_copy(update={"layout": "delimited"}), sink)


def _arranged(sample: str, options: ReadOptions, *, complete: bool) -> tuple[Dialect, layouts.Layout | None]:
    """How the text is written, and how its lines part where no delimiter does that."""
    line_end = "\n" if "\n" in sample else "\r"
    text = sample if complete else sample[: sample.rfind(line_end) + 1] or sample
    layout = None
    if options.layout in ("aligned", "blanks"):
        layout = layouts.chosen(options.layout, text, line_end)
    else:
        dialect = sniff(sample, options, complete=complete)
        if options.layout == "delimited" or options.delimiter or dialect.width > 1 or dialect.prose or options.format == "json":
            return dialect, None
        if is_parted_by_blanks(text, is_typed):
            return sniff(sample, options.model_copy(update={"delimiter": " "}), complete=complete), None
        lines = text.split(line_end)
        rows = [line for line in lines if not dialect.comment or not line.startswith(dialect.comment)]
        layout = layouts.guess(line_end.join(rows), line_end, is_typed)
        if layout is None:
            return dialect, None
        layout = replace(layout, comment=dialect.comment)
    parted = options.model_copy(update={"delimiter": layouts.PARTED, "quote": "none"})
    found = sniff(layout.text(text, line_end), parted, complete=True)
    return _named_by_comment(found, text.split(line_end)[: found.skip]), layout


def _named_by_comment(dialect: Dialect, before: list[str]) -> Dialect:
    """With the names of the last comment before the table, where the table has none and it has as many words, as numpy writes them."""
    words = before[-1].lstrip(dialect.comment).split() if before and dialect.comment and before[-1].startswith(dialect.comment) else []
    if dialect.header or len(words) != dialect.width or is_typed(words):
        return dialect
    return replace(dialect, header=True, names=tuple(words), header_rows=0)


def _read(opened: Opened, encoding: str, options: ReadOptions, sink: Sink) -> TableRead:
    sample, complete = _sample(opened, encoding)
    dialect, layout = _arranged(sample, options, complete=complete)
    table = CsvTable(opened, encoding, dialect, options, layout)
    plan, rows = write_table(table, sink)
    if rows == 0:
        raise _no_rows(sample, dialect)
    notes = Notes()
    _tell(table, notes)
    entries = table.named_columns(notes)
    plans.tell(entries, notes, ways=table.ways)
    known = told(
        options,
        format="csv",
        layout=layout.kind if layout else "delimited",
        delimiter=None if layout is not None or dialect.prose or dialect.width == 1 == (dialect.delimiter == layouts.PARTED) else dialect.delimiter,
        quote=dialect.cells.quote or "none",
        escape="backslash" if dialect.escaped else "none",
        encoding=encoding,
        decimal=dialect.decimal,
        thousands=plans.thousands_of(entries, options),
        date_order=plans.date_order_of(entries, table.ways),
        header=dialect.header,
        header_row=dialect.skip + 1,
        header_rows=(dialect.header_rows or None) if dialect.header else None,
        comment=dialect.comment or "none",
        extra_rows=options.extra_rows or "drop",
        extra_cells="keep" if dialect.keeps_extra else "drop",
    )
    report = known.model_copy(
        update={
            "compression": opened.packing,
            "member": opened.member,
            "missing": plans.marks_of(entries, plan),
            "columns": plans.readings_of(entries, plan, table.ways),
            "notes": notes.sentences,
        }
    )
    columns = [Column(name=entry.name, kind=entry.kind, nullable=True, unit=unit_of(entry.how)) for entry in plan.columns]
    return TableRead(columns, rows, report, [*findings(table.repairs, dialect.width), *plans.findings(entries, plan, table.ways)])


def _no_rows(sample: str, dialect: Dialect) -> FileUnreadable:
    if dialect.width > 1:
        return FileUnreadable("The file has only a header and no rows. Upload a file with at least one row of data.")
    if not sample.strip().count("\n"):
        return FileUnreadable(
            "The file has a single line of text, which was taken as the header, so there are no rows. "
            "Upload a table with a row for each thing and a delimiter, such as a comma, between its values; or say that the file has no header."
        )
    return FileUnreadable("The file has only a header and no rows. Upload a file with at least one row of data, or say that it has no header.")


def _sample(opened: Opened, encoding: str) -> tuple[str, bool]:
    """The beginning as text, without what is left out later anyway, and whether it is all."""
    head = opened.head(_SAMPLE)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    return text.removeprefix("\ufeff").replace("\0", ""), len(head) < _SAMPLE


def _tell(table: CsvTable, notes: Notes) -> None:
    dialect = table.dialect
    if not table.encoding.startswith(("utf", "ascii")):
        called = "Windows-1252 (cp1252)" if table.encoding == encodings.USUAL else table.encoding
        notes.add(f"The text is not UTF-8; it was read as {called}. Choose another encoding if letters look wrong.")
    if table.layout is not None:
        how = "columns that stand under each other" if table.layout.kind == "aligned" else "runs of blanks between the columns"
        notes.add(f"There is no delimiter; the lines were taken apart by {how}. If they are one text each, read the file again with the layout delimited.")
    if dialect.prose:
        notes.add(
            f'The lines were kept whole, as "{dialect.prose}" seems to belong to sentences. If it parts cells, read the file again with it as the delimiter.'
        )
    if dialect.header_rows == 2:
        notes.add("The names of the columns were put together from two rows; choose one header row if the second is data.")
    if dialect.skip:
        notes.add("1 line before the table was left out." if dialect.skip == 1 else f"{dialect.skip:,} lines before the table were left out.")
    if not dialect.header:
        notes.add("No header row was found, so the columns were numbered.")
    if dialect.row_names:
        notes.add("The header has one name less than the rows have cells; the first column was taken as the one without a name.")
    if dialect.decimal == ",":
        notes.add("The comma was read as the decimal sign.")
    if dialect.blanks:
        notes.add("Blanks after the delimiter were left out.")
    if dialect.comment and table.repairs.comments:
        count = len(table.repairs.comments)
        notes.add(f'{count:,} {"line" if count == 1 else "lines"} that begin with "{dialect.comment}" were left out as comments.')
    if dialect.escaped:
        notes.add("A backslash before a quote was taken as part of how the file is written, and left out.")
    if dialect.cells.quote == "'":
        notes.add("Single quotes around cells were taken as quotes.")
    if dropped := len(table.columns) - len(table.kept()):
        notes.add(f"{dropped:,} {'column' if dropped == 1 else 'columns'} without a name and without any value {'was' if dropped == 1 else 'were'} left out.")
    tell(table.repairs, notes, dialect)
