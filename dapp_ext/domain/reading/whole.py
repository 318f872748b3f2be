"""Whole numbers that are read from a delimited text at once, without their texts, where it is proved that nothing of them is lost.

A text is a number here only if it is the number as it is plainly written: ``007``, ``+7`` and ``0x7`` are not. Arrow takes
them all. But a text that is written otherwise is longer, and all bytes of a slice are accounted for: those of the cells, the
delimiters, the quotes and the line ends. So where the plain numbers, the texts of the other columns and what stands between
them add up to the very length of the slice, every number stands there plainly, and its text can be made again from it.
Only hexadecimal numbers of ten digits and more may be shorter than plain ones; columns of numbers so long are not read at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.domain.reading import numbers

LONG = 10**9
"""Numbers from here on may have hexadecimal texts as short as their plain ones."""
_LINE_ENDS = (10, 13)


def is_long(array: pa.Array) -> bool:
    """Whether some number has ten digits or more."""
    ends = pc.min_max(array).as_py()
    return ends["min"] is not None and (ends["min"] <= -LONG or ends["max"] >= LONG)


def adds_up(arrays: Sequence[pa.Array], data: bytes, quotes: int, quote: bytes) -> bool:
    """Whether the whole numbers among the columns account, as they are plainly written, for all of a text that the other columns leave.

    Parameters
    ----------
    arrays : sequence of pa.Array
        All columns of the text: texts, dictionaries of texts, or whole numbers.
    data : bytes
        The text: the rows and nothing else.
    quotes : int
        The quotes in it that open or close a cell; texts that have one inside, or a line end, prove nothing.
    quote : bytes
        The character; empty where quotes mean nothing.
    """
    text = np.frombuffer(data, dtype=np.uint8)
    known = len(arrays[0]) * (len(arrays) - 1) + quotes + sum(int(np.count_nonzero(text == end)) for end in _LINE_ENDS)
    unwanted = (*_LINE_ENDS, quote[0]) if quote and quotes else ()
    for array in arrays:
        if pa.types.is_integer(array.type):
            known += numbers.plain_characters(array)
        elif any(numbers.holds(_texts(array), byte) for byte in unwanted):
            return False
        else:
            known += _characters(array)
    return known == len(data)


def _texts(array: pa.Array) -> pa.Array:
    return array.dictionary if pa.types.is_dictionary(array.type) else array


def _characters(array: pa.Array) -> int:
    if not pa.types.is_dictionary(array.type):
        return numbers.characters(array)
    return pc.sum(pc.binary_length(array.dictionary).take(array.indices)).as_py() or 0
