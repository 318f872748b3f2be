"""An Arrow stream straight into the arrays of a pandas frame.

A table comes in parts, and pandas wants each column as one piece. To read the parts first and join them afterwards takes
memory twice, and most of the time goes into having that memory wiped. So the numbers of each part are read from the
line to where they belong; only what pandas keeps in another shape than Arrow (texts, dates, true and false) is joined.

The format is Arrow's (https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

from dapp_ext.client.direct import DirectAnswer
from dapp_ext.client.frames import read_arrow, to_pandas
from dapp_ext.errors import FileUnreadable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

_LARGEST_HEAD = 64 * 1024 * 1024
_FIELD_OF_BODY_LENGTH = 3
_SKIPPED_AT_ONCE = 64 * 1024


class Gathering:
    """A table on its way into a frame.

    Parameters
    ----------
    schema : pyarrow.Schema
        Without dictionaries.
    rows : int
        How many will come in all.
    """

    def __init__(self, schema: pa.Schema, rows: int) -> None:
        import numpy as np
        import pyarrow as pa

        self._schema = schema
        self._rows = rows
        self._have = 0
        self._numbers: dict[int, np.ndarray[Any, Any]] = {
            at: np.empty(rows, field.type.to_pandas_dtype())
            for at, field in enumerate(schema)
            if pa.types.is_integer(field.type) or (pa.types.is_floating(field.type) and field.type != pa.float16())
        }
        self._missing: dict[int, np.ndarray[Any, Any]] = {}
        self._others: dict[int, list[pa.Array]] = {at: [] for at in range(len(schema)) if at not in self._numbers}

    def take(self, head: bytes, size: int, fill: Callable[[memoryview], None]) -> None:
        """Read one part.

        Parameters
        ----------
        head : bytes
            The message up to its body.
        size : int
            Bytes of the body.
        fill : callable
            Fills memory with the next bytes of the line.
        """
        import numpy as np
        import pyarrow as pa

        # Room for the message as a whole: where each column lies in it is known before its bytes are there, and what is
        # read to elsewhere never takes memory here.
        room = np.empty(len(head) + size, np.uint8)
        room[: len(head)] = np.frombuffer(head, np.uint8)
        batch = pa.ipc.read_record_batch(pa.ipc.read_message(pa.py_buffer(room)), self._schema)
        if self._have + batch.num_rows > self._rows:
            raise pa.ArrowInvalid("more rows than were told of")
        inside, base = room.data, room.ctypes.data
        places: list[tuple[int, memoryview]] = []
        for at, column in enumerate(batch.columns):
            buffers = column.buffers()
            if at in self._numbers and batch.num_rows:
                values = buffers.pop()
                if values is None:
                    raise pa.ArrowInvalid("a column without values")
                mine = self._numbers[at][self._have : self._have + batch.num_rows]
                places.append((values.address - base, mine.view(np.uint8).data))
            places += [(each.address - base, inside[each.address - base :][: each.size]) for each in buffers if each is not None and each.size]
        done = len(head)
        for begin, place in sorted(places, key=lambda each: each[0]):
            if begin < done or begin + len(place) > len(room):
                raise pa.ArrowInvalid("columns that lie in each other")
            _skip(fill, begin - done)
            fill(place)
            done = begin + len(place)
        _skip(fill, len(room) - done)
        self._note(batch)

    def frame(self) -> pd.DataFrame:
        """All of it, as :func:`~dapp_ext.client.frames.to_pandas` makes it of a whole table."""
        import numpy as np
        import pandas as pd
        import pyarrow as pa

        if self._have != self._rows:
            raise pa.ArrowInvalid("fewer rows than were told of")
        columns: dict[str, Any] = {}
        for at, field in enumerate(self._schema):
            if at in self._others:
                kept = pa.chunked_array(self._others.pop(at), field.type)
                columns[field.name] = to_pandas(pa.table([kept], names=["c"]))["c"]
                continue
            values, missing = self._numbers.pop(at), self._missing.pop(at, None)
            if missing is None:
                columns[field.name] = values
            elif pa.types.is_floating(field.type):
                values[missing] = np.nan
                columns[field.name] = values
            else:
                columns[field.name] = pd.arrays.IntegerArray(values, missing)
        return pd.DataFrame(columns, copy=False)

    def _note(self, batch: pa.RecordBatch) -> None:
        """Keep what is not in the numbers."""
        import numpy as np

        end = self._have + batch.num_rows
        for at, column in enumerate(batch.columns):
            if at in self._others:
                self._others[at].append(column)
            elif column.null_count:
                missing = self._missing.setdefault(at, np.zeros(self._rows, bool))
                missing[self._have : end] = column.is_null().to_numpy(zero_copy_only=False)
        self._have = end


def read_pandas(stream: BinaryIO) -> pd.DataFrame:
    """A frame out of an Arrow stream; without a detour where it comes from this machine and says how many rows it has.

    Raises
    ------
    FileUnreadable
        If it is no such stream.
    """
    if isinstance(stream, DirectAnswer) and stream.rows is not None:
        return gathered(stream, stream.rows)
    return to_pandas(read_arrow(stream))


def gathered(stream: BinaryIO, rows: int) -> pd.DataFrame:
    """A frame out of an Arrow stream of so many rows, from a file that reads into given memory.

    Raises
    ------
    FileUnreadable
        If it is no such stream, or has another number of rows.
    """
    import pyarrow as pa

    try:
        head, size = _head(stream)
        schema = pa.ipc.read_schema(pa.py_buffer(head))
        if size or not len(schema) or len(set(schema.names)) != len(schema) or any(pa.types.is_dictionary(kind) for kind in schema.types):
            return to_pandas(read_arrow(_Again(head, stream)))  # type: ignore[arg-type]
        gathering = Gathering(schema.remove_metadata(), rows)
        while True:
            head, size = _head(stream)
            if not head:
                return gathering.frame()
            gathering.take(head, size, lambda place: _fill(stream, place))
    except (pa.ArrowException, struct.error, EOFError) as error:
        raise FileUnreadable("The server's answer is not an Arrow stream. Client and server may differ in version.") from error


def _head(stream: BinaryIO) -> tuple[bytes, int]:
    """A message up to its body, and the size of that; nothing at the end of the stream."""
    begun = _exactly(stream, 8)
    mark, size = struct.unpack("<II", begun)
    if mark != 0xFFFFFFFF or size > _LARGEST_HEAD:
        raise EOFError
    if not size:
        return b"", 0
    message = _exactly(stream, size)
    # A table of flatbuffers: where its fields lie is told by another one, which lies so many bytes before it.
    (table,) = struct.unpack_from("<I", message)
    (back,) = struct.unpack_from("<i", message, table)
    known, _, *fields = struct.unpack_from("<6H", message, table - back)
    place = fields[_FIELD_OF_BODY_LENGTH] if known >= 12 else 0
    (body,) = struct.unpack_from("<q", message, table + place) if place else (0,)
    if body < 0:
        raise EOFError
    return begun + message, body


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = bytearray(size)
    _fill(stream, memoryview(data))
    return bytes(data)


def _fill(stream: BinaryIO, place: memoryview) -> None:
    while place:
        count = stream.readinto(place)  # type: ignore[attr-defined]
        if not count:
            raise EOFError
        place = place[count:]


def _skip(fill: Callable[[memoryview], None], size: int) -> None:
    """Pass over what lies between two columns."""
    while size:
        nothing = memoryview(bytearray(min(size, _SKIPPED_AT_ONCE)))
        fill(nothing)
        size -= len(nothing)


class _Again:
    """A stream whose first bytes were looked at already."""

    closed = False

    def __init__(self, begun: bytes, stream: BinaryIO) -> None:
        self._begun, self._stream = begun, stream

    def read(self, size: int) -> bytes:
        found, self._begun = self._begun[:size], self._begun[size:]
        while len(found) < size and (more := self._stream.read(size - len(found))):
            found += more
        return found
