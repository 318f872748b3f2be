"""Which fix a finding offers, and what exactly was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast, get_args

from dapp_ext.domain.findings import names_things
from dapp_ext.errors import ColumnUnknown, Invalid
from dapp_ext.schema.datasets import Column, ColumnProfile, Finding, Profile
from dapp_ext.schema.fixes import FixCode, FixOffer, FixOptions, FixRequest

_NUMBERS = ("integer", "decimal", "duration")
_MOMENTS = ("date", "datetime", "time")
_TEXTS = ("text", "category")
# What each fix can be applied to; the others do not mind.
_FITS: dict[str, tuple[str, ...]] = {
    "convert": _TEXTS,
    "clip_outliers": ("integer", "decimal"),
    "clear_infinite": ("decimal",),
    "log_scale": ("integer", "decimal"),
    "group_rare": _TEXTS,
    "cut_texts": _TEXTS,
    "normalise_texts": _TEXTS,
    "parse_dates": ("text", "category", "date", "datetime", "integer"),
    "fill_gaps": ("date", "datetime"),
}
_MANY, _MOST, _GAP = 0.2, 0.5, "missing"
_WHOLE_ROWS = ("drop_duplicate_rows", "drop_header_rows", "drop_rows")
_PLAIN_OFFERS: dict[str, tuple[FixCode, str]] = {
    "duplicate_rows": ("drop_duplicate_rows", "Keep the first of equal rows and remove the others."),
    "repeated_headers": ("drop_header_rows", "Remove the rows that are the same as the header."),
    "spelling_variants": ("normalise_texts", "Bring the same to one spelling, the most frequent one."),
    "mixed_dates": ("parse_dates", "Make it a column of dates; what is no date becomes missing."),
    "empty_column": ("drop_columns", "Remove the column."),
    "constant_column": ("drop_columns", "Remove the column."),
    "identifier_like": ("drop_columns", "Remove the column."),
    "mixed_types": ("convert", "Make it a column of numbers; what is no number becomes missing."),
    "numbers_as_text": ("convert", "Take the signs and units off and make it a column of numbers."),
    "outliers": ("clip_outliers", "Move values that lie far out to the nearest usual value."),
    "infinite_values": ("clear_infinite", "Make infinite values missing."),
    "skewed": ("log_scale", "Replace the values by their logarithm, which evens them out."),
    "long_text": ("cut_texts", "Cut texts after 20,000 characters."),
    "ambiguous_dates": ("parse_dates", "Swap day and month."),
    "compact_dates": ("parse_dates", "Make it a column of dates."),
}


@dataclass(frozen=True)
class Asked:
    """A fix with everything settled that can be settled before the values are looked at."""

    code: FixCode
    columns: list[str]
    options: FixOptions = field(default_factory=FixOptions)


def with_offers(profile: Profile) -> Profile:
    """The profile with the fix that each finding offers."""
    return profile.model_copy(update={"findings": [each.model_copy(update={"fix": offer(each, profile)}) for each in profile.findings]})


def offer(finding: Finding, profile: Profile) -> FixOffer | None:
    """What one press would do about a finding; nothing where no fix makes sense."""
    if finding.code in _PLAIN_OFFERS:
        code, sentence = _PLAIN_OFFERS[finding.code]
        return FixOffer(code=code, sentence=sentence)
    columns = {column.name: column for column in profile.columns}
    concerned = [columns[name] for name in finding.columns if name in columns]
    if finding.code == "missing_values" and concerned:
        return _for_missing(concerned, profile)
    if finding.code == "date_gaps" and concerned and concerned[0].distinct == profile.rows - concerned[0].missing:
        # Where a date has several rows, such as one for each sale, no row is missing.
        return FixOffer(code="fill_gaps", sentence="Add a row for every date that is left out; its other columns are missing.")
    if finding.code == "high_cardinality":
        if all(names_things(name) for name in finding.columns):
            return FixOffer(code="drop_columns", sentence="Remove the column.")
        return FixOffer(code="group_rare", sentence="Keep the 49 most frequent texts and call all others Other.")
    if finding.code == "totals_row":
        return FixOffer(code="drop_rows", sentence="Remove the last row.", options={"rows": finding.rows})
    if finding.code == "disguised_missing" and concerned:
        return FixOffer(code="mark_missing", sentence="Make these values missing.", options=_marks(concerned))
    return None


def _for_missing(concerned: Sequence[ColumnProfile], profile: Profile) -> FixOffer:
    if [column.name for column in concerned] == [profile.likely_target]:
        return FixOffer(code="drop_missing_rows", sentence="Remove the rows without it: what is to be predicted must be known.")
    kinds = {column.kind for column in concerned}
    share = min(column.missing for column in concerned) / max(profile.rows, 1)
    if share >= _MOST and not kinds & set(_TEXTS):
        return FixOffer(code="drop_columns", sentence="Remove the column, most of which is missing.")
    if kinds <= set(_TEXTS) and (share >= _MANY or kinds == {"text"}):
        return FixOffer(code="fill_missing", sentence=f'Fill the gaps with the word "{_GAP}", a value of its own.', options={"method": "value", "value": _GAP})
    if kinds <= set(_NUMBERS):
        return FixOffer(code="fill_missing", sentence="Fill the gaps with the median.", options={"method": "median"})
    if kinds <= set(_MOMENTS):
        return FixOffer(code="fill_missing", sentence="Fill the gaps with the value before.", options={"method": "previous"})
    if kinds <= {"boolean", *_TEXTS}:
        return FixOffer(code="fill_missing", sentence="Fill the gaps with the most frequent value.", options={"method": "most_frequent"})
    return FixOffer(code="fill_missing", sentence="Fill the gaps with what is usual for each column.")


def _marks(columns: Sequence[ColumnProfile]) -> dict[str, Any]:
    """The values that the finding is about, where they can be named; texts are looked for anew."""
    numbers = [number for column in columns for number in sentinels(column)]
    return {"values": [f"{number:.0f}" for number in dict.fromkeys(numbers)]} if numbers else {}


def sentinels(column: ColumnProfile) -> list[float]:
    """Extremes that are made of nines, or -1: written where nothing was known."""
    if column.kind not in ("integer", "decimal"):
        return []
    return [float(extreme) for extreme in (column.maximum, column.minimum) if _is_sentinel(extreme)]


def _is_sentinel(value: Any) -> bool:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return False
    if number in (-1, -9):
        return True
    digits = f"{abs(number):.0f}"
    return number == int(number) and 2 <= len(digits) <= 7 and set(digits) == {"9"}


def is_stand_in(text: str) -> bool:
    """Whether a text often stands for a value that is not known."""
    from dapp_ext.domain.profiling.texts import STAND_INS  # the services load this module at their start, the profiler not

    return text.strip().lower() in STAND_INS


def resolve(request: FixRequest, columns: Sequence[Column], profile: Profile) -> Asked:
    """What exactly is to be done.

    Raises
    ------
    Invalid
        If there is no such fix, nothing that it could be done to, or a column has the wrong kind.
    ColumnUnknown
        If a column is named that is not there.
    """
    kinds = {column.name: column.kind for column in columns}
    for name in request.columns:
        if name not in kinds:
            raise ColumnUnknown(f"The dataset has no column named {name!r}. Choose one of its columns.")
    code, options = _code_of(request, profile)
    named = list(dict.fromkeys(request.columns)) or _concerned(request.code, code, profile)
    named = [name for name in named if name in kinds]
    if not named and code not in _WHOLE_ROWS:
        raise Invalid("No finding names a column for this fix. Name the columns to mend.")
    for name in named:
        fits = _FITS.get(code)
        if fits is not None and kinds[name] not in fits:
            raise Invalid(f"Column {name!r} holds {kinds[name]} values, which {code.replace('_', ' ')} cannot be done to.")
    if code == "drop_columns" and len(named) == len(kinds):
        raise Invalid("No column would be left. Name fewer columns.")
    return Asked(code, named, options)


def _code_of(request: FixRequest, profile: Profile) -> tuple[FixCode, FixOptions]:
    """The fix behind a code, with the options of the offer where none were given."""
    if request.code in get_args(FixCode):
        return cast(FixCode, request.code), request.options
    found = [offered for finding in profile.findings if finding.code == request.code and _about(finding, request) and (offered := offer(finding, profile))]
    if not found:
        raise Invalid(f"There is no fix {request.code!r} for this dataset. Fixes are: {', '.join(get_args(FixCode))}.")
    same = len({each.model_dump_json() for each in found}) == 1
    usual = FixOptions.model_validate(found[0].options) if same else FixOptions()
    return found[0].code, usual.model_copy(update=request.options.model_dump(exclude_unset=True))


def _about(finding: Finding, request: FixRequest) -> bool:
    return not request.columns or bool(set(finding.columns) & set(request.columns)) or not finding.columns


def _concerned(asked: str, code: FixCode, profile: Profile) -> list[str]:
    """The columns that findings name for a fix."""
    names: dict[str, None] = {}
    for finding in profile.findings:
        offered = offer(finding, profile)
        if offered is not None and offered.code == code and asked in (code, finding.code):
            names.update(dict.fromkeys(finding.columns))
    return list(names)
