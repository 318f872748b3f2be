"""Cuts UTF-8 text into slices of whole records, minding line ends inside quotes.

The rule of quotes is that of RFC 4180 as spreadsheets, Arrow and Python's csv module apply it: a quote opens a
quoted cell only at the beginning of the cell; inside, two quotes mean one; a quote anywhere else is a plain
character.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dapp_ext.domain.reading.table import MAX_RECORD, PIECE
from dapp_ext.errors import FileUnreadable


@dataclass(frozen=True)
class Slice:
    """Whole records.

    Attributes
    ----------
    data : bytes
        The records with their line ends.
    line : int
        Number of the first line in the file, from 1.
    loose : bool
        Quotes stand where a strict reader would not expect them.
    last : bool
        Nothing comes after it.
    quotes : int
        How many quotes are in it, where they are not loose.
    """

    data: bytes
    line: int
    loose: bool = False
    last: bool = False
    quotes: int = 0


class Slicer:
    """Cuts a stream of pieces into slices of at least ``size`` bytes, the last one excepted.

    Parameters
    ----------
    delimiter : bytes
        One character.
    line_end : bytes
        The character that ends every record, be it alone or as the last of CR LF.
    quote : bytes
        One character; empty where no quotes are used.
    blanks : bool
        Blanks between a delimiter and an opening quote are skipped.
    """

    def __init__(self, delimiter: bytes, line_end: bytes = b"\n", *, quote: bytes = b'"', blanks: bool = False, size: int = PIECE) -> None:
        self.delimiter = delimiter
        self.line_end = line_end
        self.quote = quote
        self.blanks = blanks
        self.size = size
        self._close = re.compile(rb"(?:[^%b]|%b%b)*%b(?!%b)" % ((quote or b'"',) * 5))

    def cut(self, pieces: Iterator[bytes], first_line: int = 1) -> Iterator[Slice]:
        """The slices, in order.

        Raises
        ------
        FileUnreadable
            A quote is opened and never closed; the message names the line.
        """
        held = b""
        line = first_line
        wanted = self.size
        for piece in pieces:
            held += piece
            if len(held) < wanted:
                continue
            end, loose, quotes = self._last_end(held)
            if end == 0:
                self._refuse_long(held, line)
                wanted = len(held) * 2
                continue
            yield Slice(held[:end], line, loose, quotes=quotes)
            line += int(np.count_nonzero(np.frombuffer(held, np.uint8, end) == self.line_end[0]))
            held = held[end:]
            wanted = self.size
        if held:
            yield self._rest(held, line)

    def _rest(self, held: bytes, line: int) -> Slice:
        if len(held) > MAX_RECORD and held.find(self.line_end, 0, len(held) - 1) < 0:
            self._refuse_long(held, line)
        whole = held if held.endswith(self.line_end) else held + self.line_end
        end, loose, quotes = self._last_end(whole)
        if end != len(whole):
            raise FileUnreadable(
                f"A quote is opened on line {line + self._opened_on(whole):,} and never closed, so the rows after it cannot be told apart. "
                "Close or remove the quote and upload the file again."
            )
        return Slice(held, line, loose, last=True, quotes=quotes)

    def _refuse_long(self, held: bytes, line: int) -> None:
        if len(held) > MAX_RECORD:
            raise FileUnreadable(
                f"One row beginning on line {line + self._opened_on(held):,} is longer than {MAX_RECORD // 1024**2} MB. "
                "Perhaps a quote is never closed, or the file is not a table."
            )

    def _last_end(self, data: bytes) -> tuple[int, bool, int]:
        """Where the last whole record ends (0: nowhere), whether quotes are loose, and how many are before that end if not."""
        if not self.quote or self.quote not in data:
            return data.rfind(self.line_end) + 1, False, 0
        quotes = self._well_formed(data)
        if quotes is not None:
            end = self._last_even(data, quotes)
            return end, False, quotes - data.count(self.quote, end)
        return self._walk(data)[0], True, 0

    def _well_formed(self, data: bytes) -> int | None:
        """The number of quotes, where counting them is enough: each opens after a delimiter and closes before one; else None."""
        text = np.frombuffer(data, dtype=np.uint8)
        quotes = np.flatnonzero(text == self.quote[0])
        opening, closing = quotes[0::2], quotes[1::2]
        before = text.take(opening - 1, mode="wrap")[int(len(opening) > 0 and opening[0] == 0) :]
        after = text.take(closing + 1, mode="clip")  # at the very end that is the quote itself
        return len(quotes) if self._parts(before) and self._parts(after) else None

    def _parts(self, beside: npt.NDArray[np.uint8]) -> bool:
        """Whether all of these are what may stand beside a quoted cell: a delimiter, a line end, or the other half of a doubled quote."""
        return bool(((beside == self.delimiter[0]) | (beside == 10) | (beside == 13) | (beside == self.quote[0])).all())

    def _last_even(self, data: bytes, quotes: int) -> int:
        inside = quotes % 2
        upto = len(data)
        while (end := data.rfind(self.line_end, 0, upto)) >= 0:
            inside = (inside + data.count(self.quote, end, upto)) % 2
            if not inside:
                return end + 1
            upto = end
        return 0

    def _walk(self, data: bytes) -> tuple[int, int]:
        """Go line by line: where the last whole record ends, and the line (from 0) on which an open quote stands, or -1."""
        start = last = number = 0
        opened = -1
        while (end := data.find(self.line_end, start)) >= 0:
            is_open = self._open_after(data[start:end], opened >= 0)
            if is_open and opened < 0:
                opened = number
            elif not is_open:
                opened, last = -1, end + 1
            start, number = end + 1, number + 1
        return last, opened

    def without(self, data: bytes, wanted: Callable[[bytes], bool]) -> tuple[bytes, list[int]]:
        """The records without those one-line records that are not wanted, and the numbers of the lines left out, from 0."""
        kept: list[bytes] = []
        dropped: list[int] = []
        is_open = False
        for number, line in enumerate(data.split(self.line_end)):
            if not is_open and not wanted(line):
                dropped.append(number)
                continue
            is_open = self._open_after(line, is_open)
            kept.append(line)
        return self.line_end.join(kept), dropped

    def _opened_on(self, data: bytes) -> int:
        return max(self._walk(data)[1], 0)

    def _open_after(self, line: bytes, is_open: bool) -> bool:
        """Whether a quoted cell is still open at the end of a line."""
        if not self.quote or self.quote not in line:
            return is_open
        place = 0
        while place <= len(line):
            if not is_open:
                while self.blanks and line[place : place + 1] == b" ":
                    place += 1
                is_open = line[place : place + 1] == self.quote
                place += is_open
            if is_open:
                closing = self._close.match(line, place)
                if closing is None:
                    return True
                place, is_open = closing.end(), False
            following = line.find(self.delimiter, place)
            if following < 0:
                return False
            place = following + 1
        return False
