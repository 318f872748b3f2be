"""JSON as people and programs write it although it is none: with comments, commas after the last value, a line before it against hijacking."""

from __future__ import annotations

import re

MOST_RELAXED = 64 * 1024 * 1024
"""Bytes of a file that is looked at so; it is read as a whole."""
_PREFIX = re.compile(r"\s*\)\]\}',?\s*\n")
_PARTS = re.compile(r""""(?:[^"\\]|\\.)*+"?|//[^\r\n]*|/\*[\s\S]*?(?:\*/|\Z)|,(?=(?:\s|//[^\r\n]*|/\*[\s\S]*?\*/)*+[\]}])""")


def relaxed(text: str) -> str:
    """The text without comments (``//`` to the end of the line, ``/* */``), commas before a closing bracket, and ``)]}'`` before the value.

    Line ends stay, so that lines keep their numbers.
    """
    text = _PREFIX.sub("\n", text, count=1) if text.lstrip().startswith(")]}") else text
    if "/" not in text and "," not in text:
        return text
    return _PARTS.sub(lambda found: found[0] if found[0][0] == '"' else "\n" * found[0].count("\n"), text)
