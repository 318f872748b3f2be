"""Names that people give, and names made from those of files."""

from __future__ import annotations

import unicodedata
from pathlib import PurePath

from dapp_ext.errors import Invalid
from dapp_ext.store.grants import name_key

_ENDINGS = frozenset(
    [".csv", ".tsv", ".txt", ".gz", ".zip", ".xlsx", ".xlsm", ".ods", ".parquet", ".pq", ".json", ".jsonl", ".ndjson", ".feather", ".arrow", ".zst", ".bz2"]
)


def free_name(wanted: str, taken: set[str]) -> str:
    """The wanted name, or the first of ``name (2)``, ``name (3)`` … that is free."""
    if name_key(wanted) not in taken:
        return wanted
    number = 2
    while name_key(f"{wanted} ({number})") in taken:
        number += 1
    return f"{wanted} ({number})"


def clean_name(name: str) -> str:
    """A name as people may give it: one line, no control characters, at most 200 characters."""
    one_line = " ".join(unicodedata.normalize("NFC", name).split())
    # Cf are characters that do not show, or turn the direction of what follows: a name with one can look like another name.
    text = "".join(char for char in one_line if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp"))
    text = text[:200].strip()
    if not text.strip("."):
        raise Invalid("The name is empty. Give one that others recognise.")
    return text


def clean_filename(filename: str) -> str:
    """The last part of what a browser sends as a file's name; it is shown, and never becomes a path."""
    return clean_name(filename.replace("\\", "/").rsplit("/", 1)[-1] or "file")


def stem_of(filename: str) -> str:
    """A file's name without the endings of formats that are known."""
    stem = filename
    for suffix in reversed(PurePath(filename).suffixes):
        if suffix.lower() not in _ENDINGS:
            break
        stem = stem[: -len(suffix)]
    return stem or filename
