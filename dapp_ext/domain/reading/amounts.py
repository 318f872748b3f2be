"""Amounts in texts: numbers with a currency or a percent sign, or in brackets for minus.

A column is read so where all its texts have the same sign; where several currencies are mixed it stays text. The sign is kept
with the column, the number stays as it is written: ``12.5%`` is 12.5 with the unit ``%``.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from dapp_ext.domain.reading import numbers
from dapp_ext.domain.reading.numbers import DoesNotFit

AMOUNT = "amount"
_UNIT = r"(?:US\$|A\$|C\$|R\$|[$€£¥₹₩₽₺₪฿%‰]|USD|EUR|GBP|CHF|JPY|CAD|AUD|NZD|CNY|INR|BRL|MXN|ZAR|SEK|NOK|DKK|PLN|CZK|HUF|S\$|HK\$|NT\$|KRW|TRY|UAH|SGD|HKD|TWD|THB|ILS|AED|SAR|kr|zł|Kč|Ft|lei|Rs\.|S?Fr\.|руб\.?|円|元|원|₴|₸|₫|₱)"
_BLANKS = " \u00a0\u202f"
_BLANK = f"[{_BLANKS}]?"
_PARTS = (
    rf"^(?P<open>\()?(?P<sign>[+-])?{_BLANK}(?P<before>{_UNIT})?{_BLANK}(?P<second>[+-])?"
    rf"(?P<number>(?:[0-9][0-9.,'’{_BLANKS}]*)?[0-9])[.,]?{_BLANK}(?P<after>{_UNIT})?(?P<close>\))?$"
)
_POINT = rf"^([0-9]+|[1-9][0-9]{{0,2}}([,'’{_BLANKS}][0-9]{{3}})+|[1-9][0-9]?(,[0-9]{{2}})+,[0-9]{{3}})(\.[0-9]+)?$"
_COMMA = rf"^([0-9]+|[1-9][0-9]{{0,2}}([.'’{_BLANKS}][0-9]{{3}})+)(,[0-9]+)?$"
_BETWEEN = f"['’{_BLANKS}]"
_ZERO = r"^0+([.,]0+)?$"


@dataclass
class AmountFacts:
    """What the texts of one column showed.

    Attributes
    ----------
    unit : str or None
        The sign beside the numbers; empty where brackets alone make them amounts, None as long as nothing is known.
    decimal : str or None
        The decimal sign; None as long as no value has any.
    after : bool
        Whether the sign stands behind the number.
    brackets : bool
        Whether some stand in brackets, which mean minus.
    """

    unit: str | None = None
    decimal: str | None = None
    after: bool = False
    brackets: bool = False

    @property
    def example(self) -> str:
        """A number written that way."""
        number = "1.234,50" if self.decimal == "," else "1,234.50"
        if not self.unit:
            return f"({number}) for minus"
        percent = "12,5" if self.decimal == "," else "12.5"
        shown = f"{percent}{self.unit}" if self.unit in "%‰" else f"{number} {self.unit}" if self.after else f"{self.unit}{number}"
        return f"{shown}, in brackets for minus" if self.brackets else shown


def gather(array: pa.Array, facts: AmountFacts, usual: str) -> None:
    """Check that every text is an amount of one unit, and take down what that shows.

    Parameters
    ----------
    usual : str
        The decimal sign of the file, for values that could have either.

    Raises
    ------
    DoesNotFit
        Some text is none, or has another unit, or nobody can tell what its signs mean.
    """
    if not pc.all(pc.match_substring_regex(array, _PARTS), min_count=0).as_py():
        raise DoesNotFit
    parts = pc.extract_regex(array.drop_null(), _PARTS)
    number, opened = pc.struct_field(parts, "number"), _there(parts, "open")
    signs = pc.add(pc.cast(_there(parts, "sign"), pa.int8()), pc.cast(_there(parts, "second"), pa.int8()))
    odd = pc.or_(pc.xor(opened, _there(parts, "close")), pc.or_(pc.greater(signs, 1), pc.and_(opened, pc.greater(signs, 0))))
    if pc.any(pc.or_(odd, pc.and_(_there(parts, "before"), _there(parts, "after")))).as_py():
        raise DoesNotFit
    _take_unit(parts, number, opened, facts)
    _take_decimal(number, facts, usual)


def _there(parts: pa.Array, name: str) -> pa.Array:
    return pc.greater(pc.binary_length(pc.struct_field(parts, name)), 0)


def _take_unit(parts: pa.Array, number: pa.Array, opened: pa.Array, facts: AmountFacts) -> None:
    units = pc.binary_join_element_wise(pc.struct_field(parts, "before"), pc.struct_field(parts, "after"), "")
    # Nothing costs nothing in any currency.
    counted = units.filter(pc.invert(pc.and_(pc.equal(units, ""), pc.match_substring_regex(number, _ZERO))))
    found = set(counted.unique().to_pylist())
    known = set() if facts.unit is None else {facts.unit}
    if len(found | known) != 1:
        raise DoesNotFit
    unit = (found | known).pop()
    any_open = pc.any(opened).as_py()
    if unit == "" and not known:
        # Codes may stand in brackets, too: amounts are told by others without them, or by what stands between their digits.
        others = not pc.all(opened).as_py() or pc.any(pc.match_substring_regex(number, "[.,]")).as_py()
        if not any_open or not others:
            raise DoesNotFit
    facts.unit = unit
    facts.brackets |= bool(any_open)
    facts.after |= bool(pc.any(_there(parts, "after")).as_py())


def _take_decimal(number: pa.Array, facts: AmountFacts, usual: str) -> None:
    fits = {sign for sign, pattern in ((".", _POINT), (",", _COMMA)) if pc.all(pc.match_substring_regex(number, pattern)).as_py()}
    if facts.decimal is not None:
        fits &= {facts.decimal}
    if not fits:
        raise DoesNotFit
    if len(fits) == 1:
        facts.decimal = fits.pop()
    elif pc.any(pc.match_substring_regex(number, "[.,]")).as_py():
        dotted = pc.any(pc.match_substring(number, ".")).as_py()
        if dotted and usual == "." and facts.unit not in ("%", "‰"):
            raise DoesNotFit  # "€ 1.234" may be a thousand or hardly more than one
        facts.decimal = usual


def name_of(facts: AmountFacts) -> str:
    """The name of the reading, with what the facts decided."""
    return f"{AMOUNT}:{facts.decimal or '.'}{facts.unit or ''}"


def unit_of(how: str) -> str | None:
    """The unit in the name of a reading."""
    return how.removeprefix(f"{AMOUNT}:")[1:] or None if how.startswith(f"{AMOUNT}:") else None


def parse(array: pa.Array, how: str) -> pa.Array:
    """Doubles, by the name of the reading.

    Raises
    ------
    DoesNotFit
        Some text is no such amount.
    """
    decimal = how.removeprefix(f"{AMOUNT}:")[0]
    if not pc.all(pc.match_substring_regex(array, _PARTS), min_count=0).as_py():
        raise DoesNotFit
    parts = pc.extract_regex(array, _PARTS)
    minus = pc.or_(_there(parts, "open"), pc.or_(*(pc.equal(pc.struct_field(parts, name), "-") for name in ("sign", "second"))))
    number = pc.struct_field(parts, "number")
    if not pc.all(pc.match_substring_regex(number, _POINT if decimal == "." else _COMMA), min_count=0).as_py():
        raise DoesNotFit
    number = pc.replace_substring_regex(pc.replace_substring(number, "," if decimal == "." else ".", ""), _BETWEEN, "")
    values = numbers.decimals(number if decimal == "." else pc.replace_substring(number, ",", "."))
    return pc.if_else(minus, pc.negate(values), values)


def without_signs(array: pa.Array) -> pa.Array:
    """Texts whose kind was chosen as a number, without unit, and with a minus for brackets; others as they are."""
    if not len(array) or not pc.any(pc.match_substring_regex(array, _PARTS)).as_py():
        return array
    parts = pc.extract_regex(array, _PARTS)
    minus = pc.or_(_there(parts, "open"), pc.or_(*(pc.equal(pc.struct_field(parts, name), "-") for name in ("sign", "second"))))
    bare = pc.binary_join_element_wise(pc.if_else(minus, "-", ""), pc.struct_field(parts, "number"), "")
    signed = pc.or_(_there(parts, "open"), pc.or_(_there(parts, "before"), _there(parts, "after")))
    return pc.if_else(pc.fill_null(signed, False), bare, array)
