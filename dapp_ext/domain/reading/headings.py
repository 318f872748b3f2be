"""Headers of two rows, as merged cells make them: ``2023`` over ``Units`` and ``Sales``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

IsText = Callable[[Any], bool]


def _filled(cell: Any) -> bool:
    return cell is not None and str(cell).strip() != ""


def _is_drawn(cell: Any) -> bool:
    return set(str(cell).strip()) <= set("-=_:")


def names_in_two_rows(upper: Sequence[Any], lower: Sequence[Any], is_text: IsText, is_typed: Callable[[int], bool]) -> bool:
    """Whether the second row names columns too, or their units: it has texts where all that follows are numbers or dates.

    Parameters
    ----------
    upper, lower : sequence
        The first two rows.
    is_text : callable
        Whether a cell is text and nothing else.
    is_typed : callable
        Whether the column at a place holds numbers, dates or the like below both rows.
    """
    if len(upper) < 2 or len(lower) > len(upper) or not all(is_text(cell) and not _is_drawn(cell) for cell in lower if _filled(cell)):
        return False
    typed = [place for place in range(len(lower)) if is_typed(place)]
    gap = any(not _filled(upper[place]) and _filled(cell) for place, cell in enumerate(lower))
    named = sum(map(_filled, lower))
    if gap and _names_under(upper, lower, typed):
        return True
    return len(typed) >= (1 if gap else 2) and named >= 2 and all(_filled(lower[place]) for place in typed) and sum(map(_filled, upper)) >= 2


def _names_under(upper: Sequence[Any], lower: Sequence[Any], typed: Sequence[int]) -> bool:
    """Whether the second row names the parts of some columns and is empty under the names of others, as exports of surveys write it.

    ``Which drinks?, (nothing)`` stands over ``Tea, Coffee``: what is under a name goes on under the empty cells beside it.
    """
    named = [place for place, cell in enumerate(lower) if _filled(cell)]
    parts = all(not _filled(upper[place]) or (place + 1 in named and not _filled(upper[place + 1])) for place in named)
    covered = all(_filled(upper[place]) or place in named for place in range(len(upper)))
    alone = [place for place in typed if _filled(upper[place]) and place not in named]
    return len(named) > 1 and parts and covered and bool(alone) and named[0] > 0 and _filled(upper[named[0]])


def names_above(upper: Sequence[Any], lower: Sequence[str], merged: bool) -> bool:
    """Whether a row over the one that was taken for the header belongs to it: it tells equal names apart, or lies over several."""
    filled = [place for place, cell in enumerate(upper) if _filled(cell)]
    if not filled or any(place >= len(lower) or not _filled(lower[place]) for place in filled):
        return False
    repeated = [name for name, count in Counter(cell for cell in lower if _filled(cell)).items() if count > 1]
    return (bool(repeated) and len(filled) > 1) or (merged and len(filled) > 1)


def joined_names(upper: Sequence[Any], lower: Sequence[Any], shown: Callable[[Any], str] = str) -> list[str]:
    """One name for each column: what stands over it, with what stands under that; what is merged counts for all it covers."""
    names: list[str] = []
    over = ""
    for place in range(max(len(upper), len(lower))):
        above = shown(upper[place]).strip() if place < len(upper) and _filled(upper[place]) else ""
        below = shown(lower[place]).strip() if place < len(lower) and _filled(lower[place]) else ""
        if above:
            over = above if below else ""
        names.append(f"{above or over} {below}".strip() if below else above)
    return names
