"""From evidence on columns of texts to how they are stored, and the sentences that say what was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from dapp_ext.domain.findings import SHOWN_ROWS, ordered
from dapp_ext.domain.reading import amounts, missing, numbers, texts, zones
from dapp_ext.domain.reading.chosen import ChosenColumn, Ways
from dapp_ext.domain.reading.table import ColumnPlan, Notes, Plan, cells, named
from dapp_ext.domain.reading.texts import TextColumn
from dapp_ext.schema.datasets import ColumnReading, Finding, ReadOptions, ReadReport

_BETWEEN = {
    "decimal_grouped": ("Commas", "1,234.5"),
    "decimal_lakh": ("Commas", "12,34,567.5"),
    "decimal_spaced": ("Blanks", "1 234.5"),
    "decimal_blanks": ("Blanks", "1 234.5"),
    "decimal_apostrophe": ("Apostrophes", "1'234.5"),
    "decimal_comma_spaced": ("Blanks", "1 234,5"),
    "decimal_comma_blanks": ("Blanks", "1 234,5"),
    "decimal_comma_apostrophe": ("Apostrophes", "1'234,5"),
}


@dataclass(frozen=True)
class Named:
    """A column's evidence beside its name."""

    name: str
    column: TextColumn


def file_marks(columns: Sequence[TextColumn]) -> set[str]:
    """The marks that stand for missing values in number, date and true/false columns."""
    return {mark for column in columns if not column.is_text() for mark in column.marks}


def plan_column(name: str, column: TextColumn, marks: set[str], *, day_first: bool) -> ColumnPlan:
    """How one column of texts is stored.

    Parameters
    ----------
    marks : set of str
        What :func:`file_marks` found.
    day_first : bool
        The order of ``01/02/2021`` where no value of the column proves it.
    """
    nulls = column.missing_marks(marks)
    if isinstance(column, ChosenColumn):
        return column.plan(name, nulls)
    if column.is_text() or column.reading is None:
        return ColumnPlan(name, column.kind_of_text(), pa.string(), texts.TEXT, nulls)
    if column.reading == "date":
        kind, type_ = texts.loose_type(column.facts)
        return ColumnPlan(name, kind, type_, texts.loose_name(column.facts, day_first=day_first), nulls)
    if column.reading == amounts.AMOUNT:
        return ColumnPlan(name, "decimal", pa.float64(), amounts.name_of(column.amounts), nulls)
    if (exact := column.exact()) is not None:
        return ColumnPlan(name, "decimal", exact, texts.exact_name(column.reading, exact), nulls)
    reading = texts.READINGS[column.reading]
    return ColumnPlan(name, reading.kind, reading.type, column.reading, nulls)


def tell(columns: Sequence[Named], notes: Notes, *, ways: Ways, typed: Sequence[Named] = ()) -> None:
    """Say what was decided about the values.

    Parameters
    ----------
    typed : sequence of Named
        The marks for missing values in columns that hold real numbers or dates, as a workbook does.
    """
    _tell_marks(columns, typed, notes)
    _tell_booleans(columns, notes)
    _tell_numbers(columns, notes)
    _tell_dates(columns, notes, day_first=ways.day_first)
    _tell_chosen(columns, notes, ways)


def _tell_chosen(columns: Sequence[Named], notes: Notes, ways: Ways) -> None:
    for entry in columns:
        if isinstance(entry.column, ChosenColumn) and entry.column.refused:
            kind, count = entry.column.choice.kind, cells(entry.column.refused)
            notes.add(f"{named([entry.name])} was read as {kind}, as was chosen; {count} that could not be read so became missing.")
    if unknown := sorted(set(ways.types) - {entry.name for entry in columns}):
        notes.add(f"A kind was chosen for {named(unknown)}, but there is no such column.")


def told(options: ReadOptions, **known: Any) -> ReadReport:
    """A report of how the file was read, with what of it was guessed."""
    guessed = [name for name, value in known.items() if value is not None and name in ReadOptions.model_fields and getattr(options, name) is None]
    return ReadReport(**known, guessed=guessed)


def thousands_of(columns: Sequence[Named], options: ReadOptions) -> str:
    """What stands between thousands in the columns."""
    if options.thousands is not None:
        return options.thousands
    signs = [texts.WRITTEN[entry.column.reading][1] for entry in columns if entry.column.reading in texts.WRITTEN and not entry.column.is_text()]
    return {"": "none", ",": ",", ".": "."}.get(signs[0], " " if signs[0][0] in numbers.SPACES else "'") if signs else "none"


def date_order_of(columns: Sequence[Named], ways: Ways) -> str | None:
    """The order of day and month, where some column has one that matters."""
    found = [entry.column.facts.day_first(ways.day_first) for entry in columns if entry.column.reading == "date" and entry.column.facts.ordered]
    return None if not found else "day_first" if found[0] else "month_first"


def marks_of(columns: Sequence[Named], plan: Plan) -> list[str]:
    """The marks that were read as missing."""
    return sorted({mark for entry, column in zip(columns, plan.columns, strict=True) for mark in column.missing if mark in entry.column.marks})


def readings_of(columns: Sequence[Named], plan: Plan, ways: Ways) -> list[ColumnReading]:
    """How the columns were taken where there was a choice."""
    found = []
    for entry, column in zip(columns, plan.columns, strict=True):
        chosen = isinstance(entry.column, ChosenColumn)
        written = None if entry.column.is_text() else _written(entry.column, ways)
        if chosen or written:
            found.append(ColumnReading(name=entry.name, kind=column.kind, chosen=chosen, written=written))
    return found


def _written(column: TextColumn, ways: Ways) -> str | None:
    if column.reading == amounts.AMOUNT:
        unit = f"; the unit {column.amounts.unit} is kept with the column" if column.amounts.unit else ""
        return f"amounts as {column.amounts.example}{unit}"
    if column.reading in texts.MINUS_AFTER:
        return f"numbers as 12{texts.MINUS_AFTER[column.reading][0]}50-"
    if column.reading in texts.SIGNED:
        return "numbers as +12"
    if column.reading in _BETWEEN:
        return f"numbers as {_BETWEEN[column.reading][1]}"
    if column.reading in ("decimal_comma", "decimal_comma_plain"):
        return "numbers as 1.234,5" if column.reading == "decimal_comma" else "numbers as 1234,5"
    if column.reading == "date" and column.facts.ordered:
        order = "day first" if column.facts.day_first(ways.day_first) else "month first"
        return f"dates with the {order}" + ("" if column.facts.proven else ", a guess")
    return {"iso_zoned": "time stamps with a zone, kept as UTC", "named_zone": "time stamps with the name of a zone, kept as UTC", "yes_no": "yes and no"}.get(
        column.reading or ""
    )


def findings(columns: Sequence[Named], plan: Plan, ways: Ways) -> list[Finding]:
    """What only the reader can find, with the rows that show it."""
    found: list[Finding] = []
    for entry, column in zip(columns, plan.columns, strict=True):
        found += _marked(entry, column) + _ambiguous(entry, ways) + _zones(entry) + _refused(entry)
    return ordered(found, READ_CODES)


READ_CODES = {
    "left_out": "rows were left out as no data",
    "repeated_headers": "rows are the same as the header",
    "ragged_rows": "rows have too many or too few cells",
    "texts_as_dates": "texts beside real dates were read as dates",
    "mixed_zones": "time stamps show the clocks of several zones",
    "ambiguous_dates": "dates may have the day or the month first",
    "not_converted": "values are not of the kind that was chosen",
    "missing_marks": "marks such as ? or NA were read as missing",
}
"""The stable codes of findings that come from reading, and what is said of many columns at once."""


def _marked(entry: Named, column: ColumnPlan) -> list[Finding]:
    marks = {mark: entry.column.marks[mark] for mark in column.missing if mark in entry.column.marks}
    if not marks:
        return []
    listed = ", ".join(f'"{mark}" ({count:,} {"time" if count == 1 else "times"})' for mark, count in sorted(marks.items(), key=lambda item: -item[1])[:5])
    rows = sorted({row for mark in marks for row in entry.column.mark_rows.get(mark, ())})[:SHOWN_ROWS]
    sentence = f"{listed} in {named([entry.name])} stands for a missing value and was read so."
    return [Finding(code="missing_marks", severity="info", sentence=sentence, columns=[entry.name], rows=rows, count=sum(marks.values()))]


def _ambiguous(entry: Named, ways: Ways) -> list[Finding]:
    facts = entry.column.facts
    if entry.column.reading != "date" or facts.proven or not facts.rows or ways.order_chosen:
        return []
    order, other = ("day first", "month") if facts.day_first(ways.day_first) else ("month first", "day")
    sentence = (
        f"Dates in {named([entry.name])} may have the day or the month first; no value proves which. They were read with the {order}. "
        f"If the {other} comes first, read the file again with that order."
    )
    return [Finding(code="ambiguous_dates", severity="warning", sentence=sentence, columns=[entry.name], rows=facts.rows, count=facts.ambiguous)]


def _zones(entry: Named) -> list[Finding]:
    seen, name = entry.column.zones, named([entry.name])
    if isinstance(entry.column, ChosenColumn):
        return []
    if entry.column.reading == "iso_zoned" and len(seen.offsets) > 1:
        listed = ", ".join(sorted(seen.offsets)[:6])
        sentence = f"Time stamps in {name} were written with different offsets ({listed}); all were brought to universal time (UTC), each to the right moment."
        return [Finding(code="mixed_zones", severity="info", sentence=sentence, columns=[entry.name], rows=seen.rows, count=seen.other)]
    if entry.column.is_text() and seen.mixed:
        sentence = (
            f"{seen.bare:,} time stamps in {name} have no zone while others have one, so their moment is not known and all were kept as text. "
            f"Read the file again with {name} as datetime to keep those with a zone."
        )
        return [Finding(code="mixed_zones", severity="warning", sentence=sentence, columns=[entry.name], rows=seen.rows, count=seen.bare)]
    return []


def _refused(entry: Named) -> list[Finding]:
    column = entry.column
    if not isinstance(column, ChosenColumn) or not column.refused:
        return []
    sentence = f"{cells(column.refused)} of {named([entry.name])} could not be read as {column.choice.kind}, which was chosen, and became missing."
    return [Finding(code="not_converted", severity="warning", sentence=sentence, columns=[entry.name], rows=column.refused_rows, count=column.refused)]


def _tell_marks(columns: Sequence[Named], typed: Sequence[Named], notes: Notes) -> None:
    of_file = file_marks([entry.column for entry in columns]) | {mark for entry in typed for mark in entry.column.marks}
    real = {id(entry.column) for entry in typed}
    taken: dict[str, int] = {}
    where: list[str] = []
    for entry in [*columns, *typed]:
        nulls = entry.column.missing_marks(of_file) if id(entry.column) not in real else frozenset(entry.column.marks)
        for mark in nulls:
            taken[mark] = taken.get(mark, 0) + entry.column.marks[mark]
        if nulls:
            where.append(entry.name)
        for mark, count in entry.column.marks.items():
            if mark not in nulls and mark in missing.WORDS:
                notes.add(
                    f'"{mark}" was kept as text in {named([entry.name])} ({cells(count)}), because it may be a real value there. '
                    "If it means missing, upload the file again and name it as a mark for missing values."
                )
    if taken:
        listed = ", ".join(f'"{mark}" ({count:,})' for mark, count in sorted(taken.items(), key=lambda item: -item[1])[:20])
        notes.add(f"Read as missing: {listed}, in {named(where)}.")


def _tell_booleans(columns: Sequence[Named], notes: Notes) -> None:
    if found := [entry.name for entry in columns if entry.column.reading == "yes_no" and not entry.column.is_text()]:
        notes.add(f"Yes and no were read as true and false in {named(found)}.")


def _tell_numbers(columns: Sequence[Named], notes: Notes) -> None:
    for reading, (words, example) in _BETWEEN.items():
        if found := [entry.name for entry in columns if entry.column.reading == reading]:
            notes.add(f"{words} between thousands, as in {example}, were left out of the numbers in {named(found)}.")
    for entry in columns:
        if entry.column.reading == amounts.AMOUNT:
            facts = entry.column.amounts
            kept = f' The unit "{facts.unit}" is kept with the column.' if facts.unit else ""
            notes.add(f"{named([entry.name])} was read as numbers written like {facts.example}.{kept} Choose text for it if that is not what it means.")
    if found := [entry.name for entry in columns if entry.column.reading in texts.MINUS_AFTER]:
        notes.add(f"A minus behind a number, as in 12.50-, was read as its sign in {named(found)}.")
    if found := [entry.name for entry in columns if entry.column.reading in texts.SIGNED]:
        notes.add(f"A plus before a number, as in +1.5, was read as its sign in {named(found)}.")
    if found := [entry.name for entry in columns if entry.column.reading in ("big_integer", "huge_integer")]:
        notes.add(f"Whole numbers beyond 64 bits were kept with all their digits in {named(found)}.")
    if found := [entry.name for entry in columns if not entry.column.is_text() and entry.column.exact() is not None]:
        notes.add(f"Decimals of more than 17 digits were kept with all their digits in {named(found)}.")
    rounded = [
        entry for entry in columns if not entry.column.is_text() and (entry.column.rounded or (entry.column.digits.many and entry.column.exact() is None))
    ]
    if found := [entry.name for entry in rounded]:
        notes.add(f"Numbers with more than 17 digits were rounded to about 16 in {named(found)}.")
    for entry in columns:
        if entry.column.infinite and (entry.column.reading == "decimal" or entry.column.reading in texts.WRITTEN):
            notes.add(
                f"{named([entry.name])} holds {cells(entry.column.infinite)} that are infinite or too large for a number (beyond 1.8e308); they were read as infinity."
            )


def _tell_dates(columns: Sequence[Named], notes: Notes, *, day_first: bool) -> None:
    if found := [entry.name for entry in columns if entry.column.reading in ("iso_zoned", "named_zone")]:
        notes.add(f"Time stamps with a zone were converted to universal time (UTC) in {named(found)}.")
    for entry in columns:
        if entry.column.reading == "named_zone":
            seen = sorted(entry.column.zones.names)
            american = "; those of three letters as North America's (RFC 5322)" if zones.AMERICA.keys() & set(seen) else ""
            notes.add(f"The zones of {named([entry.name])} were read from their names: {', '.join(seen[:6])}{' …' * (len(seen) > 6)}{american}.")
    for entry in columns:
        column = entry.column
        if column.reading != "date":
            continue
        facts = column.facts
        if facts.ordered:
            order = "day first" if facts.day_first(day_first) else "month first"
            why = "as its values prove" if facts.proven else "which is a guess, because no value proves it; check it"
            notes.add(f"Dates in {named([entry.name])} were read with the {order}, {why}.")
        elif len(facts.spellings) > 1:
            notes.add(f"Dates in {named([entry.name])} are written in {len(facts.spellings)} ways; all were read.")
        elif not facts.months_only:
            notes.add(f"Dates were recognised in {named([entry.name])}.")
        if facts.short_years:
            notes.add(f"Years of two digits in {named([entry.name])} were read as 1969 to 2068.")
        if facts.months_only:
            notes.add(f"Months in {named([entry.name])} were read as dates, their first day.")
