"""From evidence on columns of texts to how they are stored, and the sentences that say what was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from dapp_ext.domain.reading import missing, texts
from dapp_ext.domain.reading.table import ColumnPlan, Notes, cells, named
from dapp_ext.domain.reading.texts import TextColumn


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
    if column.is_text() or column.reading is None:
        return ColumnPlan(name, column.kind_of_text(), pa.string(), texts.TEXT, nulls)
    if column.reading == "date":
        kind, type_ = texts.loose_type(column.facts)
        return ColumnPlan(name, kind, type_, texts.loose_name(column.facts, day_first=day_first), nulls)
    reading = texts.READINGS[column.reading]
    return ColumnPlan(name, reading.kind, reading.type, column.reading, nulls)


def tell(columns: Sequence[Named], notes: Notes, *, day_first: bool, typed: Sequence[Named] = ()) -> None:
    """Say what was decided about the values.

    Parameters
    ----------
    typed : sequence of Named
        The marks for missing values in columns that hold real numbers or dates, as a workbook does.
    """
    _tell_marks(columns, typed, notes)
    _tell_booleans(columns, notes)
    _tell_numbers(columns, notes)
    _tell_dates(columns, notes, day_first=day_first)


def _tell_marks(columns: Sequence[Named], typed: Sequence[Named], notes: Notes) -> None:
    of_file = file_marks([entry.column for entry in columns]) | {mark for entry in typed for mark in entry.column.marks}
    taken: dict[str, int] = {}
    where: list[str] = []
    for entry in [*columns, *typed]:
        nulls = entry.column.missing_marks(of_file) if entry not in typed else frozenset(entry.column.marks)
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
    if found := [entry.name for entry in columns if entry.column.reading == "decimal_grouped"]:
        notes.add(f"Commas between thousands, as in 1,234.5, were left out of the numbers in {named(found)}.")
    if found := [entry.name for entry in columns if entry.column.reading in ("big_integer", "huge_integer")]:
        notes.add(f"Whole numbers beyond 64 bits were kept with all their digits in {named(found)}.")
    if found := [entry.name for entry in columns if entry.column.rounded and not entry.column.is_text()]:
        notes.add(f"Numbers with more than 17 digits were rounded to about 16 in {named(found)}.")
    for entry in columns:
        if entry.column.infinite and entry.column.reading in ("decimal", "decimal_grouped", "decimal_comma"):
            notes.add(
                f"{named([entry.name])} holds {cells(entry.column.infinite)} that are infinite or too large for a number (beyond 1.8e308); they were read as infinity."
            )


def _tell_dates(columns: Sequence[Named], notes: Notes, *, day_first: bool) -> None:
    if found := [entry.name for entry in columns if entry.column.reading == "iso_zoned"]:
        notes.add(f"Time stamps with a zone were converted to universal time (UTC) in {named(found)}.")
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
