"""How columns fit a model: matched by name, and what is missing, new, renamed or of another kind said in words."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Mapping, Sequence

from dapp_ext.schema.base import Named
from dapp_ext.schema.datasets import Column, ColumnKind
from dapp_ext.schema.serving import CheckRead, Renamed, Retyped

# Kinds that are read as one another without loss.
_LIKE: tuple[frozenset[str], ...] = (frozenset({"integer", "decimal"}), frozenset({"category", "text"}), frozenset({"date", "datetime"}))
NAMED = 5


def match(model: Named, version: int, features: Sequence[Column], given: Mapping[str, ColumnKind | None], target: str | None) -> CheckRead:
    """Compare the columns that a model learned from with those that are given."""
    known = {column.name for column in features}
    missing = [column.name for column in features if column.name not in given]
    new = [name for name in given if name not in known and name != target]
    retyped = [
        Retyped(column=column.name, expected=column.kind, given=kind)
        for column in features
        if (kind := given.get(column.name)) is not None and not _alike(column.kind, kind)
    ]
    renamed = _renamed(missing, new)
    usable = len(missing) < len(features)
    return CheckRead(
        model=model,
        model_version=version,
        usable=usable,
        sentence=_sentence(usable, missing, retyped, renamed),
        matched=[column.name for column in features if column.name in given],
        missing=missing,
        new=new,
        retyped=retyped,
        renamed=renamed,
    )


def _alike(one: str, other: str) -> bool:
    return one == other or any(one in group and other in group for group in _LIKE)


def _renamed(missing: Sequence[str], new: Sequence[str]) -> list[Renamed]:
    """Names that differ in case, accents or punctuation only, or in a letter or two."""
    plain = {_plain(name): name for name in reversed(new)}
    found = []
    for name in missing[:1000]:
        near = difflib.get_close_matches(_plain(name), list(plain), 1, 0.85)
        if near:
            found.append(Renamed(missing=name, perhaps=plain[near[0]]))
    return found


def _plain(name: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", name).casefold() if letter.isalnum())


def _sentence(usable: bool, missing: Sequence[str], retyped: Sequence[Retyped], renamed: Sequence[Renamed]) -> str:
    if not usable:
        return f"None of the columns that the model learned from is there. It uses {_names(missing)}."
    said = []
    if missing:
        said.append(f"{_names(missing)} {'is' if len(missing) == 1 else 'are'} missing and will count as missing values.")
    said += [f"Perhaps {each.perhaps!r} is meant by {each.missing!r}." for each in renamed[:NAMED]]
    said += [f"{each.column!r} was learned as {each.expected} and is {each.given} here; what cannot be read counts as missing." for each in retyped[:NAMED]]
    return " ".join(said) or "All columns that the model learned from are there."


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"
