"""The records that one JSON object holds, in the shapes that programs and web services write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

NOTHING = object()
_USUAL = ("data", "results", "records", "items", "rows", "features", "value", "entries", "hits")
"""What a list of records is called beside others, as in the answers of web services."""
_FEWEST = 3
"""Objects of one shape from which on they are taken as records under their names."""
_LONGER = 4


def records_in(value: dict[str, Any], said: list[str]) -> Iterator[Any]:
    """The records of an object: in a list of objects, column by column, under their names, or the object itself.

    Parameters
    ----------
    said : list of str
        Gets a sentence where something was chosen.
    """
    split = (value.get("columns"), value.get("data"))
    if all(type(part) is list for part in split) and split[0] and all(type(name) is str for name in split[0]):
        return iter([split[0], *split[1]])  # type: ignore[misc]
    lists = {name: part for name, part in value.items() if type(part) is list}
    records = {name: part for name, part in lists.items() if part and all(type(item) is dict for item in part)}
    if (chosen := _chosen(records, said)) is not None:
        return iter(records[chosen])
    if lists and len(lists) == len(value) and len({len(part) for part in lists.values()}) == 1 and not records:
        return (dict(zip(value, row, strict=True)) for row in zip(*lists.values(), strict=True))
    inner = list(value.values())
    if len(inner) > 1 and all(type(part) is dict and part and all(key.isdigit() for key in part) for part in inner):
        keys = dict.fromkeys(key for part in inner for key in part)
        return ({name: part.get(key) for name, part in value.items()} for key in keys)
    if _are_records(inner):
        said.append('The records stand under names; these are in the column "key".')
        return ({"key": name, **part} for name, part in value.items())
    holders = [part for part in inner if type(part) is dict and any(type(each) is list for each in part.values())]
    return records_in(holders[0], said) if len(holders) == 1 and not lists else iter([value])


def _chosen(records: dict[str, list[Any]], said: list[str]) -> str | None:
    """The only list of records, the one with a usual name, or one that is much longer than the others."""
    if len(records) <= 1:
        return next(iter(records), None)
    by_length = sorted(records, key=lambda name: -len(records[name]))
    usual = [name for name in records if name.lower() in _USUAL]
    longest = by_length[0] if len(records[by_length[0]]) >= _LONGER * len(records[by_length[1]]) else None
    chosen = usual[0] if len(usual) == 1 else longest
    if chosen is not None:
        others = ", ".join(f'"{name[:80]}"' for name in records if name != chosen)
        said.append(f'The records were read from the list "{chosen[:80]}"; left out: {others}.')
    return chosen


def _are_records(inner: list[Any]) -> bool:
    """Whether objects all have the same names, over values that are no objects."""
    if len(inner) < _FEWEST or not all(type(part) is dict and part for part in inner):
        return False
    names = set(inner[0])
    return "key" not in names and all(set(part) == names and not any(type(each) in (dict, list) for each in part.values()) for part in inner)
