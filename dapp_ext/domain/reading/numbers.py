"""Numbers in texts: which texts are numbers, and their exact values.

A text is a number only if nothing is lost by taking it as one: ``007``, ``+49170``, ``0x1F`` and ``1_000`` are not.
All functions take an Arrow string array in which missing cells are null, and raise :class:`DoesNotFit`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

INFINITIES = pa.array(["inf", "-inf", "Infinity", "-Infinity", "INF", "-INF", "Inf", "-Inf", "infinity", "-infinity"])
_Bytes = npt.NDArray[np.uint8]
_MAYBE_BLANK = np.zeros(256, dtype=bool)
_MAYBE_BLANK[:33] = _MAYBE_BLANK[127:] = True
_EXACT = 15
"""Every decimal of so many digits has a double of its own (IEEE 754)."""
_DIGITS = 17
"""No double needs more digits to be told from all others (IEEE 754)."""


_GROUPED = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
_COMMA = re.compile(r"-?(\d{1,3}(\.\d{3})+|\d*),\d+")
_POINT = re.compile(r"-?\d*\.\d+")
_THOUSAND = re.compile(r"-?\d{1,3}\.\d{3}")


_SHORTEST_HEXADECIMAL = 10
"""Characters of the shortest hexadecimal number that is not shorter than its decimal digits: ``0x3B9ACA00``."""


class DoesNotFit(Exception):
    """The texts are not all of the kind."""


@dataclass(frozen=True)
class _Edges:
    """First, second and third byte (0 where there is none), last byte, and length of every text that is not empty."""

    first: _Bytes
    second: _Bytes
    third: _Bytes
    lengths: npt.NDArray[np.int32]


def _places(array: pa.Array) -> tuple[_Bytes, npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """The bytes of a string array, and start and length of every text that is not empty."""
    _, positions, text = array.buffers()
    if text is None or not len(array):
        return np.zeros(0, dtype=np.uint8), np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int32)
    offsets = np.frombuffer(positions, dtype=np.int32)[array.offset : array.offset + len(array) + 1]
    starts = offsets[:-1]
    lengths = offsets[1:] - starts
    kept = lengths > 0
    if array.null_count:
        # A null made by a kernel may keep its bytes.
        kept &= array.is_valid().to_numpy(zero_copy_only=False)
    if not kept.all():
        starts, lengths = starts[kept], lengths[kept]
    return np.frombuffer(text, dtype=np.uint8), starts, lengths


def _edges(array: pa.Array) -> _Edges:
    data, starts, lengths = _places(array)
    if not len(starts):
        nothing = np.zeros(0, dtype=np.uint8)
        return _Edges(nothing, nothing, nothing, lengths)
    last = len(data) - 1
    second = data[np.minimum(starts + 1, last)] * (lengths > 1)
    third = data[np.minimum(starts + 2, last)] * (lengths > 2)
    return _Edges(data[starts], second, third, lengths)


def has_blank_edge(array: pa.Array) -> bool:
    """Whether some text begins or ends with a blank or a control character, or perhaps with a Unicode space."""
    data, starts, lengths = _places(array)
    first, last = data[starts], data[starts + lengths - 1]
    return bool(_MAYBE_BLANK[first].any() or _MAYBE_BLANK[last].any())


def _plain_start(array: pa.Array) -> None:
    """Refuse what begins as no plain number does: a letter, a plus, a zero before a digit."""
    edges = _edges(array)
    minus = edges.first == ord("-")
    lead, after = np.where(minus, edges.second, edges.first), np.where(minus, edges.third, edges.second)
    digit = (lead >= ord("0")) & (lead <= ord("9"))
    if not (digit | (lead == ord("."))).all():
        raise DoesNotFit
    if ((lead == ord("0")) & (after >= ord("0")) & (after <= ord("9"))).any():
        raise DoesNotFit


def integers(array: pa.Array) -> pa.Array:
    """64-bit integers; no leading zeros, no sign but minus."""
    try:
        found = pc.cast(array, pa.int64())
    except pa.ArrowInvalid as error:
        raise DoesNotFit from error
    if characters(array) != plain_characters(found) or _has_letters(array):
        raise DoesNotFit
    return found


def _has_letters(array: pa.Array) -> bool:
    """Whether some text is a hexadecimal number, which the cast takes: ``0xFFFFFFFF`` has as many characters as its value has digits."""
    data, starts, lengths = _places(array)
    long = lengths >= _SHORTEST_HEXADECIMAL
    return bool(long.any() and (data[starts[long] + 1] > ord("9")).any())


def holds(array: pa.Array, byte: int) -> bool:
    """Whether a byte is in some text; a text that is null may count."""
    _, positions, text = array.buffers()
    if text is None or not len(array):
        return False
    offsets = np.frombuffer(positions, dtype=np.int32)[array.offset : array.offset + len(array) + 1]
    return bool((np.frombuffer(text, dtype=np.uint8)[offsets[0] : offsets[-1]] == byte).any())


def characters(array: pa.Array) -> int:
    """Length of all texts together, in bytes."""
    if array.null_count:
        return pc.sum(pc.binary_length(array)).as_py() or 0  # a null made by a kernel may keep its bytes
    if not len(array):
        return 0
    offsets = np.frombuffer(array.buffers()[1], dtype=np.int32)[array.offset : array.offset + len(array) + 1]
    return int(offsets[-1] - offsets[0])


def plain_characters(found: pa.Array) -> int:
    """How many characters the numbers take when they are written plainly: fewer than the texts where one has a leading zero, say."""
    plain = found.drop_null().to_numpy() if found.null_count else found.to_numpy()
    if not len(plain):
        return 0
    low, high = int(plain.min()), int(plain.max())
    total = len(plain)
    if low < 0:
        if low == -(2**63):
            return sum(len(str(value)) for value in plain.tolist())
        total += int(np.count_nonzero(plain < 0))
        plain, high = np.abs(plain), max(high, -low)
    bound = 10
    while bound <= high:
        total += int(np.count_nonzero(plain >= bound))
        bound *= 10
    return total


def big_integers(array: pa.Array, digits: int) -> pa.Array:
    """Integers of up to 38 or 76 digits, as decimals without a fraction."""
    # The number of digits is checked here: Arrow's cast wraps round beyond about 38 digits without saying so.
    _must_match(array, rf"^(0|-?[1-9][0-9]{{0,{digits - 1}}})$")
    try:
        return pc.cast(array, pa.decimal128(38, 0) if digits <= 38 else pa.decimal256(76, 0))
    except pa.ArrowInvalid as error:
        raise DoesNotFit from error


def decimals(array: pa.Array) -> pa.Array:
    """Doubles, nearest to the text. An integer that a double cannot hold exactly does not fit."""
    try:
        _plain_start(array)
    except DoesNotFit:
        _plain_start(pc.if_else(pc.is_in(array, INFINITIES), pa.scalar(None, pa.string()), array))
    try:
        values = pc.cast(array, pa.float64())
    except pa.ArrowInvalid as error:
        raise DoesNotFit from error
    _refuse_inexact_integers(array)
    _refuse_codes(array)
    return values


def _refuse_codes(array: pa.Array) -> None:
    """``1E5`` and ``1234e56`` are codes: programs write numbers with a point or a sign in them (``1.0E5``, ``1E+05``), and as a number it would be lost."""
    data, starts, lengths = _places(array)
    if not len(starts):
        return
    text = data[starts[0] : starts[-1] + lengths[-1]]
    for letter, code in ((ord("E"), "^[0-9]+E[0-9]+$"), (ord("e"), "^[0-9]{2,}e[0-9]+$")):
        if (text == letter).any() and pc.any(pc.match_substring_regex(array, code)).as_py():
            raise DoesNotFit


def _refuse_inexact_integers(array: pa.Array) -> None:
    *_, lengths = _places(array)
    if not len(lengths) or lengths.max() <= _EXACT:
        return
    long = array.filter(pc.greater(pc.binary_length(array), _EXACT))
    whole = long.filter(pc.match_substring_regex(long, r"^-?[0-9]+$"))
    if any(int(text) != int(float(text)) for text in whole.to_pylist()):
        raise DoesNotFit


@dataclass
class Digits:
    """How many digits the numbers of a column have: behind the decimal sign at most, whether some have more than a double, and
    whether those are doubles all the same."""

    largest: float = 0.0
    fraction: int = _DIGITS - 1
    many: bool = False
    doubles: bool = False

    @property
    def whole(self) -> int:
        """Digits before the decimal sign."""
        return len(str(int(self.largest)))

    def note(self, array: pa.Array) -> None:
        """Look at the next numbers, written with a decimal sign of their own; short ones have no more digits than characters."""
        long = _long(array)
        if long is None:
            return
        if not _has_many(long):  # a bound is enough, and found in no time
            self.fraction = max(self.fraction, pc.max(pc.binary_length(long)).as_py() - 1)
            return
        self.many = True
        plain = pc.replace_substring_regex(long, r"[eE].*$", "")
        # Whatever writes exponents writes doubles, perhaps with more digits than they have.
        self.doubles |= pc.any(pc.match_substring_regex(long, "[eE]")).as_py()
        self.fraction = max(self.fraction, pc.max(pc.utf8_length(pc.replace_substring_regex(plain, r"^[^.]*[.]?", ""))).as_py())


def _long(array: pa.Array) -> pa.Array | None:
    """The texts that may have too many digits."""
    *_, lengths = _places(array)
    if not len(lengths) or lengths.max() <= _DIGITS:
        return None
    return array.filter(pc.greater(pc.binary_length(array), _DIGITS))


def _has_many(long: pa.Array) -> bool:
    digits = pc.replace_substring_regex(pc.replace_substring_regex(long, r"[eE].*$", ""), r"^[-0.,]+|[.,]", "")
    digits = digits.filter(pc.greater(pc.binary_length(digits), _DIGITS))
    # Zeros at the end are no digits to keep: they say how precisely something is written.
    return bool(pc.any(pc.greater(pc.binary_length(pc.replace_substring_regex(digits, r"0+$", "")), _DIGITS)).as_py())


def too_many_digits(array: pa.Array) -> bool:
    """Whether some number has more digits than a double tells apart (17)."""
    long = _long(array)
    return long is not None and _has_many(long)


def has_too_many_digits(text: str) -> bool:
    """The same for one number, as JSON writes it."""
    return "e" not in text and "E" not in text and len(text.lstrip("-0.").replace(".", "").rstrip("0")) > _DIGITS


def exact_decimals(array: pa.Array, stored: pa.DataType) -> pa.Array:
    """Decimals with all their digits, written as :func:`decimals` takes them."""
    _must_match(array, r"^-?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$")
    _plain_start(array)
    _refuse_codes(array)
    if not pa.types.is_decimal256(stored):
        return _cast_decimals(array, stored)
    # Arrow wraps round beyond some digits without saying so, which a double of the same text shows.
    values = _cast_decimals(array, stored)
    if not np.allclose(_doubles(pc.cast(values, pa.float64())), _doubles(pc.cast(array, pa.float64())), rtol=1e-12, atol=0, equal_nan=True):
        raise DoesNotFit
    return values


def _cast_decimals(array: pa.Array, stored: pa.DataType) -> pa.Array:
    try:
        return pc.cast(array, stored)
    except pa.ArrowInvalid as error:
        raise DoesNotFit from error


def _doubles(array: pa.Array) -> npt.NDArray[np.float64]:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.float64)


SPACES = " \u00a0\u202f\u2009"
"""Plain, no-break, narrow no-break and thin space."""
APOSTROPHES = "'\u2019"
_INFINITY = r"-?(inf|Inf|INF|infinity|Infinity)"


def decimals_written(array: pa.Array, decimal: str, thousands: str) -> pa.Array:
    """Doubles written with other signs than a point alone, such as ``1,234.5`` or ``1.234,5``."""
    return decimals(plainly(array, decimal, thousands))


def plainly(array: pa.Array, decimal: str, thousands: str) -> pa.Array:
    """The same numbers with a point, and nothing between thousands.

    Parameters
    ----------
    decimal : str
        The decimal sign.
    thousands : str
        The characters that may stand between thousands; empty for none.
    """
    point = re.escape(decimal)
    grouped = rf"([0-9]{{1,3}}([{re.escape(thousands)}][0-9]{{3}})+)|" if thousands else ""
    _must_match(array, rf"^(-?({grouped}0|([1-9][0-9]*))?({point}[0-9]*)?([eE][+-]?[0-9]+)?|{_INFINITY})$")
    for sign in thousands:
        array = pc.replace_substring(array, sign, "")
    return array if decimal == "." else pc.replace_substring(array, decimal, ".")


def decimals_lakh(array: pa.Array) -> pa.Array:
    """Doubles with commas after the thousands and then after every two digits, as in ``12,34,567.50``; grouping by threes fits beside it."""
    whole = r"[1-9][0-9]?(,[0-9]{2})+,[0-9]{3}|[0-9]{1,3}(,[0-9]{3})+|0|[1-9][0-9]*"
    _must_match(array, rf"^(-?({whole})?([.][0-9]*)?([eE][+-]?[0-9]+)?|{_INFINITY})$")
    return decimals(pc.replace_substring(array, ",", ""))


def decimals_minus_after(array: pa.Array, decimal: str, thousands: str) -> pa.Array:
    """Doubles of which some have their minus behind them, as in ``12.50-``."""
    return decimals_written(pc.replace_substring_regex(array, r"^([0-9., ]*[0-9]) ?-$", r"-\1"), decimal, thousands)


_LONGEST_SIGNED = 6
"""More digits behind a plus, and nothing else, are a telephone number."""


def signed(array: pa.Array, decimal: str | None, thousands: str) -> pa.Array:
    """Numbers of which some have a plus before them, as in ``+1.5`` beside ``-2.0``: integers without a decimal sign, else doubles.

    ``+49`` alone is a code of a country: a plus before a whole number is a sign only where others have a minus.
    """
    plus = pc.match_substring_regex(array, r"^\+")
    whole = pc.match_substring_regex(array, r"^\+[0-9]+$")
    if pc.any(whole).as_py() and not pc.any(pc.match_substring_regex(array, "^-")).as_py():
        raise DoesNotFit
    if not pc.any(plus).as_py() and decimal is None:
        return integers(array)
    return maybe_signed(array, decimal, thousands)


def maybe_signed(array: pa.Array, decimal: str | None, thousands: str) -> pa.Array:
    """The same, whether or not a value tells that a plus is a sign."""
    if pc.any(pc.match_substring_regex(array, rf"^\+(00*[0-9]|[0-9]{{{_LONGEST_SIGNED + 1}}}[0-9]*$)")).as_py():
        raise DoesNotFit
    plain = pc.replace_substring_regex(array, r"^\+([0-9.,])", r"\1")
    return integers(plain) if decimal is None else decimals_written(plain, decimal, thousands)


def _must_match(array: pa.Array, pattern: str) -> None:
    if not pc.all(pc.match_substring_regex(array, pattern), min_count=0).as_py():
        raise DoesNotFit


def decimal_sign(cells: list[str], delimiter: str) -> str:
    """The decimal sign that the cells speak for: ``,`` where more cells need it than need ``.``.

    Parameters
    ----------
    cells : list of str
        Cells of a sample.
    delimiter : str
        What stands between cells: beside semicolons, ``1,234`` is taken as 1.234, elsewhere as 1234.
    """
    point = comma = 0
    for cell in cells:
        text = cell.strip()
        if "," not in text and "." not in text:
            continue
        if _GROUPED.fullmatch(text):
            comma += delimiter == ";" and "." not in text and text.count(",") == 1
            point += "." in text
        elif _COMMA.fullmatch(text):
            comma += 1
        elif _POINT.fullmatch(text):
            point += delimiter != ";" or not _THOUSAND.fullmatch(text)
    return "," if comma > point and delimiter != "," else "."
