"""JSON: an array of records, or one record per line; nested objects are flattened, their names joined with dots.

Both are read in a stream. Whole documents of other shapes (records inside an object, columns instead of rows) are
read at once, up to a bound.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterator
from decimal import Decimal
from itertools import chain, islice
from typing import Any, NoReturn

from dapp_ext.domain.reading import plans, sniffing, texts
from dapp_ext.domain.reading.chosen import Ways
from dapp_ext.domain.reading.inside import NOTHING, records_in
from dapp_ext.domain.reading.numbers import has_too_many_digits
from dapp_ext.domain.reading.opening import Opened, as_utf8
from dapp_ext.domain.reading.relaxing import MOST_RELAXED, relaxed
from dapp_ext.domain.reading.table import MAX_RECORD, Notes, Plan, Sink, TableRead, check_columns, check_rows, named, write_table
from dapp_ext.domain.reading.values import ValueChunk, ValueTable
from dapp_ext.errors import FileUnreadable
from dapp_ext.schema.datasets import ReadOptions

_ROWS = 5_000
_CELLS = 500_000
_DOCUMENT = 512 * 1024 * 1024
_DEPTH = 64
_PLAIN_LIST = re.compile(r"\[(\s*(-?[\d.eE+-]+|true|false|null)\s*,?)*(\]?\s*|[{[][\s\S]*)")
"""A list that begins with plain values, perhaps cut."""
_BEFORE = "\ufeff \t\r\n\x1e"
"""What may stand before a value, with the sign that RFC 7464 puts before each."""
_DIGITS = 18
_SINGLE = re.compile(r"[\s{\[]*'")
Path = tuple[str, ...]


def looks_like_json(head: str) -> bool:
    """Whether a text begins as JSON does, and not as a delimited text whose first cell is in brackets."""
    start = head.lstrip(_BEFORE)
    if start.startswith(("//", "/*", ")]}'")):
        start = relaxed(start).lstrip(_BEFORE)
    after = start[1:200].lstrip()[:1]
    if start.startswith("{"):
        return after in ('"', "}")
    return start.startswith("[") and (after in ("{", "[", "]") or after == '"' or _PLAIN_LIST.fullmatch(start) is not None)


class _Strict:
    """Decodes JSON values, and refuses a name that a record has twice."""

    def __init__(self) -> None:
        self.constants: set[str] = set()
        self.decoder = json.JSONDecoder(parse_constant=self._constant, parse_float=_decimal, object_pairs_hook=self._pairs)
        # Python does not read numbers of more than 4,300 digits; as a text they are kept as they are.
        self.patient = json.JSONDecoder(parse_constant=self._constant, parse_float=_decimal, object_pairs_hook=self._pairs, parse_int=_integer)
        self.halves = False

    def _constant(self, name: str) -> float | None:
        """What many programs write although JSON does not have it: NaN is missing, Infinity a number."""
        self.constants.add(name)
        return None if name == "NaN" else float(name)

    def _pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            self._refuse_repeated(pairs)
        return found

    def _refuse_repeated(self, pairs: list[tuple[str, Any]]) -> NoReturn:
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise FileUnreadable(f'A record has the name "{twice[:80]}" twice, so one of the two values would be lost. Give each value a name of its own.')

    def value(self, text: str, place: int = 0) -> tuple[Any, int]:
        """The value that begins at a place, and where it ends."""
        try:
            value, end = self.decoder.raw_decode(text, place)
        except RecursionError as error:
            raise _too_deep() from error
        except json.JSONDecodeError:
            raise
        except ValueError:
            value, end = self.patient.raw_decode(text, place)
        if text.find("\\u", place, end) >= 0 and _HALF.search(text, place, end):
            self.halves, value = True, _whole_letters(value)
        return value, end


_HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""Half of a pair of escapes that make one letter; alone it is none."""


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) < 4000 else digits


def _decimal(digits: str) -> float | Decimal:
    """A number with a point or an exponent; with all its digits where a double has fewer."""
    return float(digits) if len(digits) <= _DIGITS or not has_too_many_digits(digits) else Decimal(digits)


def _whole_letters(value: Any) -> Any:
    """The value with a replacement character for each half of a letter."""
    if type(value) is str:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if type(value) is list:
        return [_whole_letters(each) for each in value]
    return {_whole_letters(name): _whole_letters(each) for name, each in value.items()} if type(value) is dict else value


def _too_deep() -> FileUnreadable:
    return FileUnreadable(f"The JSON is nested more than {_DEPTH} levels deep. Flatten it and upload it again.")


class JsonTable(ValueTable):
    """JSON records as a :class:`~.table.ChunkedTable`.

    Parameters
    ----------
    opened : Opened
        The file.
    encoding : str
        Its encoding.
    layout : str
        ``array``, ``lines`` or ``document``.
    options : ReadOptions
        What is not to be guessed.
    """

    def __init__(self, opened: Opened, encoding: str, layout: str, options: ReadOptions) -> None:
        dates = texts.FROM_STRINGS if options.date_order is None else (*texts.FROM_STRINGS, "date")
        super().__init__(Ways.of(options, dates, decimal=options.decimal or "."), whole=False)
        self.opened = opened
        self.encoding = encoding
        self.layout = layout
        self.header = options.header
        self.strict = _Strict()
        self.nested: dict[str, None] = {}
        self.relax = False
        """Whether what JSON does not have, such as comments, is left out of the text first."""
        self.said: list[str] = []

    def name_of(self, key: Hashable) -> str:
        """Names joined with dots."""
        assert isinstance(key, tuple)
        return ".".join(key)

    def chunks(self) -> Iterator[ValueChunk]:
        """The records, some thousand at a time."""
        records = self._records()
        size = _ROWS
        rows = 0
        while found := list(islice(records, size)):
            rows += len(found)
            check_rows(rows)
            chunk = self._chunk(found)
            size = max(100, min(_ROWS, _CELLS // max(len(chunk.columns), 1)))
            yield chunk

    def _chunk(self, records: list[dict[str, Any]]) -> ValueChunk:
        columns: dict[Hashable, list[Any]] = {}
        for row, record in enumerate(records):
            for path, value in self._flat(record, ()):
                column = columns.get(path)
                if column is None:
                    column = columns[path] = [None] * len(records)
                    check_columns(max(len(columns), len(self.columns)))
                column[row] = value
        return ValueChunk(len(records), columns)

    def _flat(self, record: dict[str, Any], prefix: Path) -> Iterator[tuple[Path, Any]]:
        if len(prefix) > _DEPTH:
            raise _too_deep()
        for name, value in record.items():
            if type(value) is dict and value:
                if not prefix:
                    self.nested[name] = None
                yield from self._flat(value, (*prefix, name))
            else:
                yield (*prefix, name), value

    def _records(self) -> Iterator[dict[str, Any]]:
        pieces: Iterator[str] = (piece.decode("utf-8") for piece in _whole_characters(as_utf8(self.opened.pieces(), self.encoding)))
        if self.relax:
            pieces = iter([relaxed("".join(pieces))])
        if self.layout == "lines":
            return self._from_lines(pieces)
        if self.layout == "array":
            return self._from_items(_items(pieces, self.strict))
        found = _document(pieces, self.strict)
        return self._from_items(iter(found) if type(found) is list else records_in(found, self.said))

    def _from_lines(self, pieces: Iterator[str]) -> Iterator[dict[str, Any]]:
        for number, line in _lines(pieces):
            line = line.strip().lstrip("\x1e")
            if not line:
                continue
            try:
                value, end = self.strict.value(line)
            except json.JSONDecodeError as error:
                raise FileUnreadable(f"Line {number:,} is not complete JSON ({error.msg}). Repair or remove the line and upload the file again.") from error
            if end != len(line) or type(value) is not dict:
                raise FileUnreadable(f"Line {number:,} does not hold one JSON object. Write one record in braces on each line.")
            yield value

    def _from_items(self, items: Iterator[Any]) -> Iterator[dict[str, Any]]:
        first = next(items, NOTHING)
        if first is NOTHING:
            return iter(())
        if type(first) is list:
            return self._from_rows(first, items)
        return (_checked(item, number) for number, item in enumerate(chain((first,), items), start=1))

    def _from_rows(self, first: list[Any], items: Iterator[Any]) -> Iterator[dict[str, Any]]:
        """Rows as lists; the first one names the columns when it holds nothing but texts."""
        named_by_first = self.header if self.header is not None else all(type(value) is str for value in first)
        names = [str(value) for value in first] if named_by_first else [f"column_{place}" for place in range(1, len(first) + 1)]
        if len(set(names)) != len(names):
            raise FileUnreadable("Two columns have the same name in the first row. Give each column a name of its own.")
        for number, item in enumerate(items if named_by_first else chain((first,), items), start=1):
            if type(item) is not list or len(item) != len(names):
                raise FileUnreadable(f"Row {number:,} of the JSON does not have the {len(names):,} cells of the first row.")
            yield dict(zip(names, item, strict=True))


def _checked(item: Any, number: int) -> dict[str, Any]:
    if type(item) is not dict:
        if number == 1:
            what = "plain values" if type(item) is not str else "texts"
            raise FileUnreadable(
                f'The JSON is a list of {what}, not of records, so it has no columns. Upload an array of objects, such as [{{"a": 1}}, {{"a": 2}}].'
            )
        raise FileUnreadable(f'Element {number:,} of the JSON array is not a record. Upload an array of objects, such as [{{"a": 1}}, {{"a": 2}}].')
    return item


def _whole_characters(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Pieces that do not end within a UTF-8 character."""
    held = b""
    for piece in pieces:
        held += piece
        cut = len(held)
        while cut and len(held) - cut < 4 and held[cut - 1] & 0xC0 == 0x80:
            cut -= 1
        if cut and held[cut - 1] >= 0xC0:
            cut -= 1
        else:
            cut = len(held)
        if cut and _is_utf8(held[:cut]):
            yield held[:cut]
            held = held[cut:]
    if held and _is_utf8(held):
        yield held


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileUnreadable("The JSON is not UTF-8 text. Save it as UTF-8 and upload it again.") from error
    return True


def _lines(pieces: Iterator[str]) -> Iterator[tuple[int, str]]:
    held = ""
    number = 0
    for piece in pieces:
        lines = (held + piece).split("\n")
        held = lines.pop()
        if len(held) > MAX_RECORD:
            raise FileUnreadable(f"Line {number + 1:,} is longer than {MAX_RECORD // 1024**2} MB. Write one record on each line.")
        for line in lines:
            number += 1
            yield number, line
    if held:
        yield number + 1, held


def _items(pieces: Iterator[str], strict: _Strict) -> Iterator[Any]:
    """The elements of one large array, decoded as they arrive."""
    held = next(pieces, "")
    place = held.index("[") + 1
    line = 1
    while True:
        place = _skip(held, place)
        end = value = None
        if place < len(held):
            if held[place] == "]":
                _refuse_more(held[place + 1 :], pieces)
                return
            try:
                value, end = strict.value(held, place)
            except json.JSONDecodeError as error:
                broken = error
        # A number at the very end may go on in the next piece, and an element must be followed by something.
        following = _skip(held, end) if end is not None else len(held)
        if end is None or following >= len(held):
            more = next(pieces, "")
            if not more:
                where = line + held.count("\n", 0, broken.pos) if end is None and place < len(held) else line + held.count("\n")
                quotes = " Names and texts stand in double quotes." if _SINGLE.match(held, place) else ""
                raise FileUnreadable(f"The JSON is broken or incomplete near line {where:,}.{quotes} Repair it and upload the file again.")
            if len(held) - place > MAX_RECORD:
                raise FileUnreadable(f"The JSON is broken near line {line + held.count(chr(10), 0, place):,}, or one record is longer than 64 MB.")
            line += held.count("\n", 0, place)
            held, place = held[place:] + more, 0
            continue
        yield value
        if held[following] == ",":
            place = following + 1
        elif held[following] == "]":
            place = following
        else:
            raise FileUnreadable(f"The JSON is broken near line {line + held.count(chr(10), 0, following):,}: a comma is missing between two records.")


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place] in " \t\r\n\x1e":
        place += 1
    return place


def _refuse_more(rest: str, pieces: Iterator[str]) -> None:
    if rest.strip() or any(piece.strip() for piece in pieces):
        raise FileUnreadable("Something follows after the end of the JSON array. Put all records into one array, or write one record per line.")


def _document(pieces: Iterator[str], strict: _Strict) -> Any:
    parts: list[str] = []
    size = 0
    for piece in pieces:
        parts.append(piece)
        size += len(piece)
        if size > _DOCUMENT:
            raise FileUnreadable("The JSON is one object larger than 512 MB. Write it as an array of records, or one record per line.")
    text = "".join(parts).strip()
    try:
        value, end = strict.value(text)
    except json.JSONDecodeError as error:
        raise FileUnreadable(f"The JSON is broken near line {error.lineno:,} ({error.msg}). Repair it and upload the file again.") from error
    return value if end == len(text) else _one_after_another(text, value, end, strict)


def _one_after_another(text: str, first: Any, end: int, strict: _Strict) -> list[Any]:
    """Objects that stand one after the other without an array around them."""
    found = [first]
    while (end := _skip(text, end)) < len(text):
        try:
            value, end = strict.value(text, end)
        except json.JSONDecodeError as error:
            raise FileUnreadable(
                f"Something follows after the end of the JSON object near line {error.lineno:,}. Write the records as one array, or one record per line."
            ) from error
        found.append(value)
    return found


def layout_of(head: str, chosen: str | None) -> str:
    """``array``, ``lines`` or ``document``, by the beginning of the text and the format that was chosen."""
    start = head.lstrip(_BEFORE)
    if start.startswith("["):
        return "array"
    if chosen == "jsonl":
        return "lines"
    line, _, rest = start.partition("\n")
    try:
        value, end = _Strict().value(line.strip())
    except (json.JSONDecodeError, FileUnreadable):
        return "lines" if rest.lstrip().startswith("{") and line.rstrip().endswith("}") else "document"
    return "lines" if end == len(line.strip()) and rest.strip() and type(value) is dict else "document"


def read_json(opened: Opened, options: ReadOptions, sink: Sink) -> TableRead:
    """Read JSON or JSON lines.

    Parameters
    ----------
    opened : Opened
        The file.
    options : ReadOptions
        What is not to be guessed.
    sink : Sink
        Where the batches go.
    """
    head = opened.head()
    encoding = sniffing.known_encoding(options.encoding, head) if options.encoding else sniffing.mark_of(head) or sniffing.wide_text(head) or "utf-8"
    table, plan, rows = _read(opened, encoding, head.decode(encoding, "ignore"), options, sink)
    if not rows or not plan.columns:
        raise FileUnreadable("The JSON holds no records, so the file has no rows. Upload an array with at least one object in it.")
    notes = Notes()
    table.tell(notes)
    if found := sorted(table.strict.constants):
        notes.add(f"{' and '.join(found)}, which JSON does not have, {'was' if len(found) == 1 else 'were'} read as missing (NaN) or as infinity.")
    if table.relax:
        notes.add("Comments and commas after the last value, which JSON does not have, were left out.")
    for sentence in table.said:
        notes.add(sentence)
    if table.strict.halves:
        notes.add("Some escapes (\\ud800 and the like) are half of a letter; where the other half is missing, a replacement character stands.")
    if table.nested:
        notes.add(f"Nested objects were flattened into columns named with dots: {named(list(table.nested))}.")
    if gaps := [name for name, count in _absent(table) if count]:
        notes.add(f"Not every record has a value for {named(gaps)}; where there is none it is missing.")
    report = plans.told(options, format="jsonl" if table.layout == "lines" else "json", encoding=encoding)
    return table.read(plan, rows, report.model_copy(update={"compression": opened.packing, "member": opened.member}), notes)


def _read(opened: Opened, encoding: str, sample: str, options: ReadOptions, sink: Sink) -> tuple[JsonTable, Plan, int]:
    """The table as it stands; or, where that is no JSON, without what people and programs add to it."""
    table = JsonTable(opened, encoding, layout_of(sample, options.format), options)
    try:
        return table, *write_table(table, sink)
    except FileUnreadable:
        if opened.packing is not None or opened.size > MOST_RELAXED or len(relaxed(sample)) == len(sample):
            raise
        table = JsonTable(opened, encoding, layout_of(relaxed(sample), options.format), options)
        table.relax = True
        return table, *write_table(table, sink)


def _absent(table: JsonTable) -> Iterator[tuple[str, int]]:
    for name, column in zip(table.names(), table.columns.values(), strict=True):
        yield name, column.missing
