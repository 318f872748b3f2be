"""Column names: kept as they are, but never empty and never twice the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from dapp_ext.domain.reading.table import Notes, named


def column_names(given: Sequence[str], notes: Notes | None = None) -> list[str]:
    """Names that can be told apart.

    Blanks around a name are cut; an empty name becomes ``column_3`` (its place, from 1), a repeated one ``name_2``.
    Everything else stays exactly as it is, and every change is said in the notes.
    """
    stripped = [name.strip() for name in given]
    taken = {name for name in stripped if name}
    seen: set[str] = set()
    result: list[str] = []
    unnamed: list[str] = []
    repeated: list[str] = []
    for place, name in enumerate(stripped, start=1):
        if not name:
            chosen = _free(f"column_{place}", taken | seen)
            unnamed.append(chosen)
        elif name in seen:
            chosen = _numbered(name, taken | seen)
            repeated.append(chosen)
        else:
            chosen = name
        seen.add(chosen)
        result.append(chosen)
    if notes is not None:
        if unnamed:
            notes.add(f"{_columns(len(unnamed))} had no name (a blank header cell) and {_was(len(unnamed))} named {named(unnamed)}.")
        if repeated:
            notes.add(f"{_columns(len(repeated))} with the same name as another {_was(len(repeated))} renamed to {named(repeated)}.")
        _note_lookalikes(result, notes)
    return result


def _free(name: str, taken: set[str]) -> str:
    return name if name not in taken else _numbered(name, taken)


def _numbered(name: str, taken: set[str]) -> str:
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


def _note_lookalikes(names: list[str], notes: Notes) -> None:
    shapes: dict[str, str] = {}
    for name in names:
        if name.isascii():
            continue
        shape = unicodedata.normalize("NFC", name)
        if shape in shapes:
            notes.add(f"Two columns look the same but are written with different characters: {named([shapes[shape], name])}. Both were kept.")
        shapes.setdefault(shape, name)


def _columns(count: int) -> str:
    return "One column" if count == 1 else f"{count:,} columns"


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
