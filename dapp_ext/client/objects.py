"""What datasets, models and jobs have in common as objects in a notebook."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from dapp_ext.client.connection import Connection
from dapp_ext.client.drawing import card, paragraph, table, text_table
from dapp_ext.errors import DappError, Invalid, JobFailed, every_error


class Read(Protocol):
    """A shape of the wire that has an identity."""

    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=Read)
T = TypeVar("T")
# A notebook keeps what it shows: so many lines are read, more are only carried about.
_MOST_LINES = 20


class Thing(Generic[R]):
    """Something on the server, as it was when last read; its ``str`` is its id, so it stands wherever an id does."""

    def __init__(self, connection: Connection, read: R) -> None:
        self._connection = connection
        self._read = read

    @property
    def id(self) -> str:
        """The identity, the same at every door."""
        return self._read.id

    @property
    def read(self) -> R:
        """All that was read, as it came over the wire."""
        return self._read

    def __str__(self) -> str:
        return self.id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and other.id == self.id

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.id))


class Listing(list[T]):
    """A list that draws itself as a table.

    Parameters
    ----------
    items : iterable
        The things; they are listed as they come.
    title : str
        What they are, for the heading.
    columns : mapping of str to callable
        What is shown of each thing: heading, and how to get the plain value.
    newest_last : bool
        Where the list is long, its end is shown instead of its beginning.
    """

    def __init__(self, items: Iterable[T], title: str, columns: Mapping[str, Callable[[T], Any]], *, newest_last: bool = False) -> None:
        super().__init__(items)
        self._title, self._columns, self._newest_last = title, columns, newest_last

    def _lines(self) -> list[list[Any]]:
        shown = self[-_MOST_LINES:] if self._newest_last else self[:_MOST_LINES]
        return [[get(each) for get in self._columns.values()] for each in shown]

    def _more(self) -> str:
        hidden = len(self) - _MOST_LINES
        return f"… and {hidden:,} {'earlier' if self._newest_last else 'more'}" if hidden > 0 else ""

    def __repr__(self) -> str:
        if not self:
            return f"{self._title}: none"
        return "\n".join(line for line in (f"{self._title}: {len(self):,}", text_table(list(self._columns), self._lines()), self._more()) if line)

    def _repr_html_(self) -> str:
        if not self:
            return card(self._title, paragraph("None.", "soft"))
        return card(f"{self._title} ({len(self):,})", table(list(self._columns), self._lines()), paragraph(self._more(), "soft") if self._more() else "")


def reference(thing: object, what: str) -> str:
    """The id or name that was meant by an object, an id or a name."""
    if isinstance(thing, (Thing, str)) and str(thing).strip():
        return str(thing).strip()
    raise Invalid(f"Give {what} as an object, its id or its name, not {type(thing).__name__}.")


def failure(sentence: str | None, code: str | None, default: type[DappError] = JobFailed) -> DappError:
    """The error behind a failed thing: by its code where that is known, else by its sentence."""
    known = every_error()
    if code in known:
        return known[code](sentence)
    return next((cls for cls in known.values() if cls.sentence == sentence), default)(sentence)
