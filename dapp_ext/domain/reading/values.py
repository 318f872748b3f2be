"""Columns of Python values, as workbooks and JSON hold them, made into typed Arrow columns.

The type of a column follows from the types of all its values: whole and fractional numbers together are decimals,
dates and time stamps together are time stamps; anything else that is mixed becomes text, and the notes say so.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.domain.findings import SHOWN_ROWS, ordered
from dapp_ext.domain.reading import plans, texts
from dapp_ext.domain.reading.chosen import ChosenColumn, Ways
from dapp_ext.domain.reading.names import column_names
from dapp_ext.domain.reading.numbers import DoesNotFit
from dapp_ext.domain.reading.table import Again, ColumnPlan, Notes, Plan, TableRead, cells, named
from dapp_ext.domain.reading.texts import TextColumn
from dapp_ext.schema.datasets import Column, Finding, ReadReport

_NUMBER, _BIG, _FLOAT, _BOOL, _NESTED = "number", "big", "float", "bool", "nested"
_FAMILIES: dict[type, str] = {
    int: _NUMBER, float: _FLOAT, bool: _BOOL, str: "text", date: "date", datetime: "datetime", time: "time", timedelta: "duration",
    list: _NESTED, dict: _NESTED, Decimal: _FLOAT,
}  # fmt: skip
_TYPES: dict[str, pa.DataType] = {
    _BOOL: pa.bool_(), "date": pa.date32(), "datetime": pa.timestamp("us"), "time": pa.time64("us"), "duration": pa.duration("us"),
}  # fmt: skip
_MIXED = "mixed"
_DATES = "dates"
"""Real dates and texts that are dates, in one column."""
_NOT_TEXT = "typed"
_EXACT = 2**53
_NUMBERS = ("integer", "big_integer", "huge_integer", "decimal")


@dataclass
class ValueChunk:
    """Some rows: for each column that has a value in them, the values of all these rows."""

    rows: int
    columns: Mapping[Hashable, Sequence[Any]]
    parsed: dict[Hashable, tuple[str, pa.Array]] = field(default_factory=dict)


class ValueColumn:
    """Evidence on one column.

    Parameters
    ----------
    texts : TextColumn
        What looks at its texts; at all values, where a kind was chosen.
    whole : bool
        Floats without a fraction are whole numbers, as in a workbook, which knows no others.
    """

    def __init__(self, texts: TextColumn, *, whole: bool) -> None:
        self.texts = texts
        self.whole = whole
        self.families: dict[str, int] = {}
        self.digits = 0
        self.inexact = False
        self.infinite = 0
        self.rows = 0
        self.missing = 0
        self.text_rows: list[int] = []
        self.text_count = 0
        self.last_day = 0
        self.digits_kept: TextColumn | None = None
        """Looks at all numbers as texts, where some have more digits than a double."""
        self.rounded = False

    def look(self, values: Sequence[Any]) -> tuple[str, pa.Array] | None:
        """Take the next values. Returns them as Arrow, with the name of how, where that is clear already."""
        self.rows += len(values)
        self.missing += values.count(None)
        if isinstance(self.texts, ChosenColumn):
            self.texts.look(texts.tidy(self._all_as_texts(values)))
            return None
        found = set(map(type, values)) - {type(None)}
        families = {_FAMILIES[each] for each in found}
        if Decimal in found or self.digits_kept is not None:
            self._look_at_digits(values)
        if "text" in families:
            self._look_at_texts(values)
        elif self.texts.rows:
            self.texts.look(pa.nulls(len(values), pa.string()))
        parsed = None
        for family in sorted(families - {"text"}):
            self.families[family] = self.families.get(family, 0) + 1
        typed = families - {"text"}
        if typed and typed <= {"date", "datetime"}:
            self.last_day = max(self.last_day, max(value.day for value in values if isinstance(value, date)))
        if typed and typed <= {_NUMBER, _FLOAT}:
            parsed = self._look_at_numbers([None if type(value) is str else value for value in values] if "text" in families else values, typed)
        return parsed if "text" not in families else None

    def _look_at_digits(self, values: Sequence[Any]) -> None:
        """Numbers of more digits than a double has keep them, where they come in the first rows with numbers; later they are rounded."""
        if self.digits_kept is None and not self.families:
            self.digits_kept = TextColumn(_NUMBERS, frozenset())
        if self.digits_kept is None:
            self.rounded = True
        else:
            array = pa.array(
                [None if value is None or type(value) not in (int, float, Decimal) else self._as_text(value, frozenset()) for value in values], pa.string()
            )
            self.digits_kept.look(array)

    @property
    def keeps_digits(self) -> TextColumn | None:
        """What looked at the numbers as texts, where it keeps more digits than a double has."""
        column = self.digits_kept
        numeric = bool(self.typed) and self.typed <= {_NUMBER, _BIG, _FLOAT} and self.texts.reading is None
        return column if column is not None and numeric and column.reading == "decimal" and column.exact() is not None else None

    def _look_at_texts(self, values: Sequence[Any]) -> None:
        array = pa.array([value if type(value) is str and value else None for value in values], pa.string())
        self.text_count += len(array) - array.null_count
        if len(self.text_rows) < SHOWN_ROWS:
            start = self.rows - len(values)
            self.text_rows += [start + row for row, text in enumerate(array.to_pylist()) if text is not None][: SHOWN_ROWS - len(self.text_rows)]
        before = self.rows - len(values) - self.texts.rows
        if before:
            self.texts.look(pa.nulls(before, pa.string()))
        self.texts.look(texts.tidy(array))

    def _look_at_numbers(self, values: Sequence[Any], families: set[str]) -> tuple[str, pa.Array] | None:
        if _FLOAT in families:
            return self._look_at_floats(values)
        try:
            return "integer", pa.array(values, pa.int64())
        except OverflowError:
            self.digits = max(self.digits, max(len(str(abs(value))) for value in values if value is not None))
            self.families[_BIG] = self.families.get(_BIG, 0) + 1
            return None

    def _look_at_floats(self, values: Sequence[Any]) -> tuple[str, pa.Array] | None:
        try:
            array = pa.array([None if value is None else float(value) for value in values], pa.float64())
        except OverflowError:
            self.inexact = True
            return None
        self.inexact |= any(type(value) is int and int(float(value)) != value for value in values)
        self.infinite += pc.sum(pc.is_inf(array)).as_py() or 0
        if not self.whole:
            return "decimal", array
        rounded = pc.equal(pc.floor(array), array)
        small = pc.less(pc.abs(array), float(_EXACT))
        if pc.all(pc.and_(rounded, small), min_count=0).as_py():
            self.families[_NUMBER] = self.families.get(_NUMBER, 0) + 1
            self.families[_FLOAT] -= 1
            return "integer", pc.cast(array, pa.int64())
        return "decimal", array

    @property
    def typed(self) -> set[str]:
        """The families of the values that are no texts."""
        return {family for family, count in self.families.items() if count}

    @property
    def loses_digits(self) -> bool:
        """Whether numbers have more digits than are kept."""
        many = self.rounded or (self.digits_kept is not None and self.digits_kept.digits.many)
        return many and self.how() == "decimal"

    @property
    def mixed(self) -> bool:
        """Whether values of different kinds have to be kept as text."""
        return self.how() == _MIXED and self.typed != {_NESTED}

    @property
    def dated(self) -> bool:
        """Whether texts beside real dates are read as dates."""
        return self.how() == _DATES

    @property
    def is_text(self) -> bool:
        """Whether the column stays text as far as is known."""
        return self.how() in (_MIXED, texts.TEXT)

    def how(self) -> str:
        """How the column is read; ``text`` and what :mod:`.texts` knows for texts only."""
        typed = self.typed
        if not typed:
            return texts.TEXT if self.texts.is_text() else _NOT_TEXT
        if self.texts.reading is not None:
            return _DATES if typed <= {"date", "datetime"} and self.texts.reading in ("iso_date", "iso_datetime", "date") else _MIXED
        if typed <= {_NUMBER, _BIG, _FLOAT}:
            if self.keeps_digits is not None:
                return texts.EXACT
            if _FLOAT in typed:
                return _MIXED if self.inexact or _BIG in typed else "decimal"
            if _BIG in typed:
                return "big_integer" if self.digits <= 38 else "huge_integer" if self.digits <= 76 else _MIXED
            return "integer"
        if typed == {"date", "datetime"}:
            return "datetime"
        if typed == {"time", "duration"}:
            return "duration"
        return next(iter(typed)) if len(typed) == 1 and typed <= _TYPES.keys() else _MIXED

    def plan(self, name: str, marks: set[str], *, day_first: bool) -> ColumnPlan:
        """How the column is stored, given the marks for missing values in the number columns of the file."""
        how = self.how()
        if not self.typed or isinstance(self.texts, ChosenColumn):
            return plans.plan_column(name, self.texts, marks, day_first=day_first)
        if (exact := self.keeps_digits) is not None:
            return plans.plan_column(name, exact, set(), day_first=day_first)
        nulls = frozenset(self.texts.marks) if how != _MIXED or self.texts.given is not None else frozenset()
        if how == _MIXED:
            return ColumnPlan(name, "text", pa.string(), _MIXED, nulls)
        if how == _DATES:
            facts = self.texts.facts
            timed = "datetime" in self.typed or self.texts.reading == "iso_datetime" or facts.timed
            written = texts.loose_name(facts, day_first=day_first) if self.texts.reading == "date" else str(self.texts.reading)
            return ColumnPlan(name, "datetime" if timed else "date", pa.timestamp("us") if timed else pa.date32(), f"{_DATES}:{written}", nulls)
        if how in _TYPES:
            kind = "boolean" if how == _BOOL else how
            return ColumnPlan(name, kind, _TYPES[how], how, nulls)  # type: ignore[arg-type]
        reading = texts.READINGS[how]
        return ColumnPlan(name, reading.kind, reading.type, how, nulls)

    def convert(self, values: Sequence[Any], plan: ColumnPlan) -> pa.Array:
        """Values in the type of the plan."""
        if isinstance(self.texts, ChosenColumn):
            array = self._all_as_texts(values)
            return self.texts.convert(array, texts.tidy(array), plan)
        if not self.typed:
            array = pa.array([value or None for value in values], pa.string())
            try:
                return texts.convert(array, texts.tidy(array), plan.how, plan.missing)
            except DoesNotFit:
                self.texts.give_up()
                raise Again from None
        if plan.how.startswith(texts.EXACT):
            array = self._all_as_texts(values)
            return texts.convert(array, array, plan.how, plan.missing)
        if plan.how == _MIXED:
            return pa.array([self._as_text(value, plan.missing) for value in values], pa.string())
        typed = [None if type(value) is str else value for value in values]
        if plan.how.startswith(_DATES):
            return self._all_dates(values, typed, plan)
        if plan.how == "datetime":
            typed = [datetime(value.year, value.month, value.day) if type(value) is date else value for value in typed]
        elif plan.how == "duration":
            typed = [_since_midnight(value) if type(value) is time else value for value in typed]
        elif plan.how == "decimal":
            typed = [None if value is None else float(value) for value in typed]
        elif pa.types.is_decimal(plan.type):
            return pc.cast(pa.array([None if value is None else str(int(value)) for value in typed], pa.string()), plan.type)
        elif plan.how == "integer":
            typed = [int(value) if type(value) is float else value for value in typed]
        return pa.array(typed, plan.type)

    def _all_dates(self, values: Sequence[Any], typed: list[Any], plan: ColumnPlan) -> pa.Array:
        """Real dates, and texts that are dates."""
        array = pa.array([value if type(value) is str and value else None for value in values], pa.string())
        try:
            parsed = texts.convert(array, texts.tidy(array), plan.how.removeprefix(_DATES + ":"), plan.missing)
        except DoesNotFit:
            self.texts.give_up()
            raise Again from None
        if pa.types.is_timestamp(plan.type):
            typed = [datetime(value.year, value.month, value.day) if type(value) is date else value for value in typed]
        return pc.coalesce(pa.array(typed, plan.type), pc.cast(parsed, plan.type))

    def _all_as_texts(self, values: Sequence[Any]) -> pa.Array:
        return pa.array([self._as_text(value, frozenset()) for value in values], pa.string())

    def without_marks(self, values: Sequence[Any], marks: frozenset[str]) -> Sequence[Any]:
        """Numbers and other values that are no texts, without those whose text is one of the marks that were given."""
        if all(value is None or type(value) is str for value in values):
            return values
        return [None if value is not None and type(value) is not str and self._as_text(value, frozenset()) in marks else value for value in values]

    def _as_text(self, value: Any, missing: frozenset[str]) -> str | None:
        if value is None or value == "" or (type(value) is str and (value.strip() in missing or not value.strip())):
            return None
        if type(value) is float and self.whole and value.is_integer():
            return str(int(value))
        if type(value) is bool:
            return "true" if value else "false"
        if type(value) in (list, dict):
            return json.dumps(value, ensure_ascii=False)
        if type(value) is Decimal:
            return format(value, "f")
        return value.isoformat() if isinstance(value, date | time) else str(value)


def _since_midnight(value: time) -> timedelta:
    return datetime.combine(date.min, value) - datetime.min


class ValueTable(ABC):
    """Columns of values whose names may turn up at any time; base of the readers of workbooks and JSON.

    Parameters
    ----------
    ways : Ways
        How texts are taken.
    whole : bool
        Floats without a fraction are whole numbers.
    """

    def __init__(self, ways: Ways, *, whole: bool) -> None:
        self.columns: dict[Hashable, ValueColumn] = {}
        self.rows = 0
        self.ways = ways
        self._whole = whole

    @abstractmethod
    def name_of(self, key: Hashable) -> str:
        """The name of a column, before it is made unique."""

    def look(self, chunk: ValueChunk) -> None:
        """Take evidence on the types."""
        for key in chunk.columns:
            if key not in self.columns:
                column = self.columns[key] = ValueColumn(self.ways.column(self.name_of(key)), whole=self._whole)
                if isinstance(column.texts, ChosenColumn):
                    column.texts.look(pa.nulls(self.rows, pa.string()))
                column.rows = column.missing = self.rows
        chunk.parsed = {}
        for key, column in self.columns.items():
            values = self._values(chunk, key, column)
            parsed = column.look(values if values is not None else [None] * chunk.rows)
            if parsed is not None:
                chunk.parsed[key] = parsed
        self.rows += chunk.rows

    def _values(self, chunk: ValueChunk, key: Hashable, column: ValueColumn) -> Sequence[Any] | None:
        values = chunk.columns.get(key)
        return values if values is None or not self.ways.marks else column.without_marks(values, self.ways.marks)

    def names(self, notes: Notes | None = None) -> list[str]:
        """Unique names of the columns."""
        return column_names([self.name_of(key) for key in self.columns], notes)

    def plan(self) -> Plan:
        """How the columns are stored, as far as is known."""
        marks = {mark for column in self.columns.values() if not column.is_text for mark in column.texts.marks}
        pairs = zip(self.names(), self.columns.values(), strict=True)
        return Plan(tuple(column.plan(name, marks, day_first=self.ways.day_first) for name, column in pairs))

    def convert(self, chunk: ValueChunk, plan: Plan) -> pa.RecordBatch:
        """The rows in their types."""
        pairs = zip(self.columns.items(), plan.columns, strict=False)
        arrays = [self._converted(chunk, key, column, entry) for (key, column), entry in pairs]
        return pa.RecordBatch.from_arrays(arrays, schema=plan.schema)

    def _converted(self, chunk: ValueChunk, key: Hashable, column: ValueColumn, plan: ColumnPlan) -> pa.Array:
        values = self._values(chunk, key, column)
        if values is None:
            return pa.nulls(chunk.rows, plan.type)
        done = chunk.parsed.get(key)
        if done is not None and done[0] == plan.how:
            return done[1]
        return column.convert(values, plan)

    def tell(self, notes: Notes) -> None:
        """Say what was decided about names and values."""
        pairs = list(zip(self.names(notes), self.columns.values(), strict=True))
        if found := [name for name, column in pairs if column.mixed]:
            notes.add(f"Values of different kinds are mixed in {named(found)}, so all were kept as text.")
        if found := [name for name, column in pairs if _NESTED in column.typed]:
            notes.add(f"Lists were kept as JSON text in {named(found)}.")
        if found := [name for name, column in pairs if column.infinite]:
            notes.add(f"Numbers too large for a computer's number (beyond 1.8e308) were read as infinity in {named(found)}.")
        if found := [name for name, column in pairs if column.dated]:
            notes.add(f"Texts beside real dates were read as dates in {named(found)}.")
        if found := [name for name, column in pairs if column.loses_digits]:
            notes.add(f"Numbers with more than 17 digits were rounded to about 16 in {named(found)}.")
        if found := [name for name, column in pairs if column.keeps_digits is not None]:
            notes.add(f"Decimals of more than 17 digits were kept with all their digits in {named(found)}.")
        untyped = [plans.Named(name, column.texts) for name, column in pairs if not column.typed]
        typed = [plans.Named(name, column.texts) for name, column in pairs if column.typed and not column.is_text]
        plans.tell(untyped, notes, ways=self.ways, typed=typed)

    def read(self, plan: Plan, rows: int, report: ReadReport, notes: Notes) -> TableRead:
        """What was read, with what the columns have to tell."""
        entries = [plans.Named(name, column.texts) for name, column in zip(self.names(), self.columns.values(), strict=True)]
        order = plans.date_order_of(entries, self.ways)
        known = {
            "date_order": order,
            "guessed": [*report.guessed, *(["date_order"] if order and not self.ways.order_chosen else [])],
            "missing": plans.marks_of(entries, plan),
            "columns": plans.readings_of(entries, plan, self.ways),
            "notes": notes.sentences,
        }
        columns = [Column(name=column.name, kind=column.kind) for column in plan.columns]
        dated = [_texts_as_dates(name, column) for name, column in zip(self.names(), self.columns.values(), strict=True) if column.dated]
        return TableRead(columns, rows, report.model_copy(update=known), [*ordered(dated, plans.READ_CODES), *plans.findings(entries, plan, self.ways)])


def _texts_as_dates(name: str, column: ValueColumn) -> Finding:
    facts = column.texts.facts
    sentence = f"{cells(column.text_count)} of {named([name])} {'is' if column.text_count == 1 else 'are'} text and no real date; they were read as dates too."
    # A spreadsheet that expects the month first turns 05/01 into May the first, and leaves 25/01 as text.
    swapped = facts.ordered and facts.first > 12 and column.last_day <= 12
    if swapped:
        sentence += (
            " No real date has a day after the twelfth while these texts have, so a spreadsheet may have swapped day and month in the real dates. Check them."
        )
    return Finding(
        code="texts_as_dates", severity="warning" if swapped else "info", sentence=sentence, columns=[name], rows=column.text_rows, count=column.text_count
    )
