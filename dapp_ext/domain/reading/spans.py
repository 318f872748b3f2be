"""Spans of time in texts: ``36:15:00``, ``2 days 03:04:05``, ``P1DT12H15M``, ``1h 30m``, ``90 min``, ``2 Stunden``."""

from __future__ import annotations

import re
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.domain.reading.dates import mapped
from dapp_ext.domain.reading.numbers import DoesNotFit

_CLOCK = re.compile(r"(-)?(?:(\d+) days?,? ?\+?)?(\d{1,4}):([0-5]\d):([0-5]\d)(?:\.(\d{1,6}))?", re.ASCII)
_ISO = re.compile(r"(-)?P(?=[\dT])(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,6})0*)?S)?)?", re.ASCII)
_ONLY_DAYS = re.compile(r"(-?\d+) days?", re.ASCII)

# From the largest to the smallest; in English and German, long and short.
_UNITS = (
    (604_800, r"w|wks?|weeks?|Wochen?"),
    (86_400, r"d|days?|Tage?"),
    (3600, r"h|hrs?|hours?|Std\.?|Stunden?"),
    (60, r"m|mins?\.?|minutes?|Min\.?|Minuten?"),
    (1, r"s|secs?|seconds?|Sek\.?|Sekunden?"),
)
_BY_UNITS = re.compile(r"(-)?" + r"(?:,? ?|,? and |,? und )".join(rf"(?:(\d+(?:\.\d+)?) ?(?:{words})(?![A-Za-z]))?" for _, words in _UNITS), re.ASCII)
_STARTS = r"^-?[0-9]+(\.[0-9]+)? ?(w|d|h|m|s|W|T|S|M)"
# A letter alone may be something else: 5 m are metres, 3d is a house, 10s are the tens. An hour, or two units one after the other, tell.
_SURE = re.compile(r"\d ?(?:h|[A-Za-z]{3,}\.?|hr)(?![A-Za-z])|\d ?[a-zA-Z]+\.?,? ?(?:and |und )?\d", re.ASCII)


def durations(array: pa.Array) -> pa.Array:
    """Spans of time (ISO 8601 without months and years, which differ in length); units of one letter only where some value tells that they are."""
    if pc.any(pc.match_substring_regex(array, _STARTS)).as_py() and not any(_SURE.search(text) for text in array.unique().drop_null().to_pylist()):
        raise DoesNotFit
    return maybe_durations(array)


def maybe_durations(array: pa.Array) -> pa.Array:
    """The same, whether or not a value tells what a letter stands for."""
    return mapped(array, span, pa.duration("us"))


def span(text: str) -> timedelta:
    """One span of time.

    Raises
    ------
    DoesNotFit
    """
    if (days := _ONLY_DAYS.fullmatch(text)) is not None:
        return timedelta(days=int(days[1]))
    if (iso := _ISO.fullmatch(text)) is not None:
        weeks, days_, hours_, minutes_, seconds_ = (int(part or 0) for part in iso.groups()[1:6])
        parts = timedelta(weeks=weeks, days=days_, hours=hours_, minutes=minutes_, seconds=seconds_, microseconds=_micro(iso[7]))
        return -parts if iso[1] else parts
    if (clock := _CLOCK.fullmatch(text)) is not None:
        sign, days_text, hours, minutes, seconds, fraction = clock.groups()
        found = timedelta(days=int(days_text or 0), hours=int(hours), minutes=int(minutes), seconds=int(seconds), microseconds=_micro(fraction))
        return -found if sign else found
    return _by_units(text)


def _by_units(text: str) -> timedelta:
    units = _BY_UNITS.fullmatch(text)
    if units is None or not any(units.groups()[1:]):
        raise DoesNotFit
    total = timedelta()
    for (seconds, _), amount in zip(_UNITS, units.groups()[1:], strict=True):
        if amount:
            total += timedelta(seconds=float(amount) * seconds) if "." in amount else timedelta(seconds=int(amount) * seconds)
    return -total if units[1] else total


def _micro(fraction: str | None) -> int:
    return int((fraction or "").ljust(6, "0"))
