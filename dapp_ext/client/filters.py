"""Conditions on rows, written as a short expression.

``"age > 30 and sex == 'Male'"`` becomes a list of :class:`~dapp_ext.schema.datasets.Filter`; nothing is evaluated, the
text is only read. The rules:

- comparisons ``== != < <= > >=`` between a column and a value, also chained: ``18 <= age < 65``
- ``column in ['a', 'b']`` for one of several values
- ``'text' in column`` for a part of a text, upper and lower case alike
- ``column is None`` and ``column is not None`` (or ``== None``, ``!= None``) for missing values
- a column alone, or ``not column``, for columns of true and false
- conditions are joined by ``and`` (or ``&``); there is no ``or``
- names with blanks or signs stand in backticks: ``` `hours-per-week` >= 40 ```
- values are numbers, texts, ``True``, ``False``, ``None`` and, as text, dates: ``day >= '2024-01-31'``
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from pydantic import ValidationError

from dapp_ext.errors import Invalid
from dapp_ext.schema.datasets import Filter, FilterOperator

FilterLike = str | Filter | Iterable[Filter] | None

_COMPARISONS: dict[type[ast.cmpop], FilterOperator] = {
    ast.Eq: "eq",
    ast.NotEq: "ne",
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
}
_MIRRORED: dict[FilterOperator, FilterOperator] = {"eq": "eq", "ne": "ne", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}
_EXAMPLE = "An example: \"age > 30 and sex == 'Male'\"."
# A quoted text, or a name in backticks; texts are matched first so that backticks inside them stay.
_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`([^`]+)`""", re.DOTALL)


def read_filters(given: FilterLike) -> list[Filter]:
    """Filters out of an expression, one filter, several, or none.

    Raises
    ------
    Invalid
        If the expression does not follow the rules above; the sentence shows the place.
    """
    if given is None:
        return []
    if isinstance(given, str):
        return parse_expression(given)
    if isinstance(given, Filter):
        return [given]
    filters = list(given)
    try:
        return [each if isinstance(each, Filter) else Filter.model_validate(each) for each in filters]
    except ValidationError as error:
        raise Invalid(f"A filter is a text or made with Filter(column=…, op=…, value=…). {_EXAMPLE}") from error


def parse_expression(text: str) -> list[Filter]:
    """Filters out of an expression; the rules stand at the top of this module."""
    names: dict[str, str] = {}

    def hide(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0]
        placeholder = f"_column_{len(names)}_"
        names[placeholder] = match[1]
        return placeholder

    readable = _QUOTED.sub(hide, text.strip())
    try:
        tree = ast.parse(readable, mode="eval")
    except (SyntaxError, ValueError) as error:
        raise Invalid(f"The filter cannot be read: {text!r}. {_EXAMPLE}") from error
    return _Reader(text, names).conditions(tree.body)


class _Reader:
    """Turns the syntax tree of one expression into filters."""

    def __init__(self, text: str, names: dict[str, str]) -> None:
        self.text = text
        self.names = names

    def conditions(self, node: ast.expr) -> list[Filter]:
        match node:
            case ast.BoolOp(op=ast.And(), values=values):
                return [each for value in values for each in self.conditions(value)]
            case ast.BinOp(op=ast.BitAnd(), left=left, right=right):
                return self.conditions(left) + self.conditions(right)
            case ast.BoolOp(op=ast.Or()) | ast.BinOp(op=ast.BitOr()):
                raise self._refused("conditions cannot be joined by “or”; for one column use: column in ['a', 'b']")
            case ast.Compare(left=left, ops=ops, comparators=right):
                operands = [left, *right]
                return [self._compare(operands[at], op, operands[at + 1]) for at, op in enumerate(ops)]
            case ast.Name():
                return [Filter(column=self._column(node), op="eq", value=True)]
            case ast.UnaryOp(op=ast.Not(), operand=ast.Name() as name):
                return [Filter(column=self._column(name), op="eq", value=False)]
        raise self._refused("each condition compares a column with a value")

    def _compare(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Filter:
        if isinstance(op, ast.In):
            return self._membership(left, right)
        if isinstance(op, ast.NotIn):
            raise self._refused("“not in” is not known; use one condition with != for each value, joined by “and”")
        if not isinstance(left, ast.Name):
            if not isinstance(right, ast.Name):
                raise self._refused("each condition needs a column; names with blanks or signs stand in backticks")
            left, right, mirrored = right, left, True
        else:
            mirrored = False
        column, value = self._column(left), self._value(right)
        if isinstance(op, (ast.Is, ast.IsNot)) and value is not None:
            raise self._refused("“is” goes with None only; compare values with ==")
        if value is None:
            if isinstance(op, (ast.Eq, ast.Is)):
                return Filter(column=column, op="is_null")
            if isinstance(op, (ast.NotEq, ast.IsNot)):
                return Filter(column=column, op="not_null")
            raise self._refused("None has no order; use “is None” or “is not None”")
        if isinstance(value, list):
            raise self._refused("a list goes with “in”")
        operator = _COMPARISONS[type(op)]
        return Filter(column=column, op=_MIRRORED[operator] if mirrored else operator, value=value)

    def _membership(self, left: ast.expr, right: ast.expr) -> Filter:
        if isinstance(right, ast.Name):
            value = self._value(left)
            if not isinstance(value, str):
                raise self._refused("only a text can be “in” a column: 'text' in column")
            return Filter(column=self._column(right), op="contains", value=value)
        values = self._value(right)
        if not isinstance(values, list) or not isinstance(left, ast.Name):
            raise self._refused("“in” is written: column in ['a', 'b']")
        return Filter(column=self._column(left), op="in", value=values)

    def _column(self, node: ast.Name) -> str:
        return self.names.get(node.id, node.id)

    def _value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Name):
            raise self._refused("a column is compared with a value; texts stand in quotes")
        try:
            value = ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
            raise self._refused("values are numbers, texts in quotes, True, False, None, or a list of them") from error
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self._plain(each) for each in value]
        return self._plain(value)

    def _plain(self, value: Any) -> Any:
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        raise self._refused("values are numbers, texts in quotes, True, False, None, or a list of them")

    def _refused(self, why: str) -> Invalid:
        return Invalid(f"The filter cannot be read: {self.text!r}: {why}. {_EXAMPLE}")


def plain_filters(filters: Iterable[Filter]) -> list[dict[str, Any]]:
    """Filters as JSON-ready objects; dates and times become ISO 8601 texts."""
    return [{"column": each.column, "op": each.op, "value": _jsonable(each.value)} for each in filters]


def _jsonable(value: Any) -> Any:
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_jsonable(each) for each in value]
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):  # a NumPy scalar
        return _jsonable(value.item())
    return value
