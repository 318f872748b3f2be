"""Gaps in dates: a series that has a value for every day, hour, month ... but not for some."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_SMALLEST = 10
_REGULAR = 0.8
_NIGHTS = 0.1
_DAY = 86_400_000_000
_STEPS = {_DAY: "day", 7 * _DAY: "week", 3_600_000_000: "hour", 60_000_000: "minute", 1_000_000: "second"}
Moments = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Gaps:
    """Attributes
    ----------
    missing : int
        Steps without a value.
    after : array of int
        The moments that follow a gap, in microseconds since 1970.
    step : str
        The usual step in words.
    """

    missing: int
    after: Moments
    step: str


def find_gaps(moments: Moments) -> Gaps | None:
    """The gaps of a regular series; None where there are none, or no regular step.

    Parameters
    ----------
    moments : array of int
        Different moments in microseconds since 1970, in order.
    """
    if len(moments) < _SMALLEST:
        return None
    days, rest = np.divmod(moments, _DAY)
    if not rest.any():
        found = _steps(moments, _months(days), "month") or _steps(moments, _working_days(days), "working day")
        if found is not None:
            return found if found.missing else None
    found = _steps(moments, moments, "")
    if found is None or not found.missing:
        return None
    # Hours that are left out again and again, such as nights, are no gaps.
    return None if rest.any() and found.missing > _NIGHTS * (len(moments) + found.missing) else found


def _steps(moments: Moments, places: Moments | None, step: str) -> Gaps | None:
    """Gaps in places that should go up by one and the same; None where they do not."""
    if places is None:
        return None
    differences = np.diff(places)
    usual = int(np.median(differences))
    if usual <= 0 or (step and usual != 1) or (differences % usual).any() or (differences == usual).mean() < _REGULAR:
        return None
    wide = np.flatnonzero(differences > usual)
    return Gaps(int((differences[wide] // usual - 1).sum()), moments[wide + 1], step or _STEPS.get(usual, _in_words(usual)))


def _in_words(step: int) -> str:
    for unit, name in _STEPS.items():
        if unit != 7 * _DAY and step % unit == 0:
            return f"{step // unit} {name}s"
    return f"{step / 1e6:g} seconds"


def _months(days: Moments) -> Moments | None:
    """The months, where every date is on the same day of its month."""
    dates = days.astype("M8[D]")
    months = dates.astype("M8[M]")
    if len(np.unique((dates - months.astype("M8[D]")).astype(np.int64))) > 1:
        return None
    places: Moments = months.astype(np.int64)
    return places


def _working_days(days: Moments) -> Moments | None:
    """The days counted without Saturdays and Sundays, where none of them occurs."""
    if ((days + 3) % 7 >= 5).any():
        return None
    places: Moments = np.busday_count(np.datetime64("1970-01-01"), days.astype("M8[D]")).astype(np.int64)
    return places
