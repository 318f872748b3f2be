"""Bytes to shapes and back: strict JSON in, JSON out, and every failure as one envelope with its status."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Any, NoReturn, TypeVar, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from tornado.web import HTTPError

from dapp_ext import errors
from dapp_ext.errors import DappError, Denied, Internal, Invalid, Malformed, MediaUnsupported, MethodNotAllowed, NotSignedIn, RouteNotFound, TooLarge
from dapp_ext.schema.base import ErrorAnswer, ErrorBody

T = TypeVar("T")
Shape = TypeVar("Shape", bound=BaseModel)

BODY_LIMIT = 1024 * 1024
MAX_DEPTH = 32
# A text with its escapes, or a bracket: enough to know how deep JSON is nested before anything recurses over it.
_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_CACHE_BUSTER = re.compile(r"\d+")

# One table by inheritance: the nearest class counts.
STATUS: dict[type[DappError], int] = {
    DappError: 500,
    errors.Invalid: 422,
    errors.Malformed: 400,
    errors.CursorInvalid: 400,
    errors.TooLarge: 413,
    errors.TooSlow: 408,
    errors.MediaUnsupported: 415,
    errors.NotSignedIn: 401,
    errors.Throttled: 429,
    errors.Denied: 403,
    errors.NotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.Conflict: 409,
    errors.JobFailed: 422,
    errors.Unavailable: 503,
    errors.StorageFull: 507,
    errors.Broken: 500,
}
# What tornado and Jupyter raise by themselves; anything else of theirs is our fault.
_FOREIGN: dict[int, type[DappError]] = {400: Malformed, 401: NotSignedIn, 404: RouteNotFound, 405: MethodNotAllowed, 413: TooLarge, 415: MediaUnsupported}


def status_of(error: DappError) -> int:
    """The HTTP status of an error of ours."""
    return next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)


def as_dapp_error(error: BaseException | None) -> DappError:
    """Any exception as one of ours; what is unforeseen says nothing but its request id."""
    if isinstance(error, DappError):
        return error
    if isinstance(error, HTTPError):
        if error.status_code == 403:
            return Denied("The server refused the request: it comes from another site or lacks the page's XSRF token. Reload the page and try again.")
        return _FOREIGN.get(error.status_code, Internal)()
    return Internal()


def envelope(error: DappError, request_id: str) -> bytes:
    """The JSON of a failure."""
    body = ErrorBody(code=error.code, message=error.message, details=error.details, request_id=request_id)
    return ErrorAnswer(error=body).model_dump_json().encode()


def encode(answer: BaseModel) -> bytes:
    """A shape as JSON, by its names on the wire."""
    return answer.model_dump_json(by_alias=True).encode()


def read_body(shape: type[Shape], body: bytes, content_type: str) -> Shape:
    """A request body as its shape; nothing counts as an empty object.

    Raises
    ------
    MediaUnsupported
        If the body does not say that it is JSON.
    Malformed, Invalid
        If it is not, or does not fit.
    """
    if not body:
        body = b"{}"
    elif content_type.partition(";")[0].strip().lower() != "application/json":
        raise MediaUnsupported("Send the body as JSON, with the header Content-Type: application/json.")
    check_json(body)
    try:
        return shape.model_validate_json(body, strict=True)
    except ValidationError as error:
        _refuse(error)


def read_json_text(kind: Any, text: str, name: str) -> Any:
    """A value that came as JSON within a query parameter."""
    check_json(text.encode())
    try:
        return TypeAdapter(kind).validate_json(text, strict=True)
    except ValidationError as error:
        _refuse(error, (name,))


def read_query(shape: type[Shape], query: Mapping[str, Sequence[bytes]]) -> Shape:
    """Query parameters as their shape; an empty one counts as left out, except in lists."""
    values: dict[str, Any] = {}
    for name, given in query.items():
        if _CACHE_BUSTER.fullmatch(name) and not any(given):
            continue  # JupyterLab appends the time so that nothing is cached
        try:
            texts = [each.decode("utf-8") for each in given]
        except UnicodeDecodeError:
            raise Malformed(f"The parameter {name!r} is not valid UTF-8.") from None
        field = shape.model_fields.get(name)
        if field is not None and _is_list(field.annotation):
            values[name] = texts
        elif len(texts) > 1:
            raise Invalid(f"The parameter {name!r} is given more than once.")
        elif texts[0] or field is None:  # a name that there is not is refused, whatever it is said to be
            values[name] = texts[0]
    try:
        return shape.model_validate(values)
    except ValidationError as error:
        _refuse(error)


def check_json(body: bytes) -> None:
    """Pass JSON of reasonable depth without a name given twice, NaN or a number that nobody can hold."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("The body is not valid UTF-8.") from None
    depth = 0
    for match in _BRACKETS.finditer(text):
        depth += 1 if match[0] in "[{" else -1 if match[0] in "]}" else 0
        if depth > MAX_DEPTH:
            raise Malformed(f"The JSON is nested deeper than {MAX_DEPTH} levels.")
    try:
        json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite, parse_int=_held)
    except (ValueError, RecursionError):
        raise Malformed("The body is not valid JSON.") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("The JSON gives the same name twice in one object.")
    return found


def _no_constant(text: str) -> NoReturn:
    raise Malformed(f"{text} is not JSON. Send null for a missing value.")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise Malformed("The JSON holds a number that is too large.")
    return value


def _held(text: str) -> int:
    if len(text) > 20 or not -(2**63) <= int(text) < 2**63:
        raise Malformed("The JSON holds a whole number that does not fit into 64 bits. Send it as text.")
    return int(text)


def _is_list(annotation: Any) -> bool:
    if get_origin(annotation) is list:
        return True
    return isinstance(annotation, UnionType) and any(_is_list(each) for each in get_args(annotation))


def _refuse(error: ValidationError, prefix: tuple[str, ...] = ()) -> NoReturn:
    # The given values stay out of the answer: it may be logged by whoever reads it.
    fields = [
        {"field": ".".join(str(part) for part in (*prefix, *each["loc"])), "problem": each["msg"]}
        for each in error.errors(include_input=False, include_url=False)
    ]
    first = fields[0]
    where = f" in {first['field']!r}" if first["field"] else ""
    more = f" (and {len(fields) - 1} more)" if len(fields) > 1 else ""
    raise Invalid(f"The request does not fit{where}: {first['problem']}{more}.", fields=fields[:50]) from None
