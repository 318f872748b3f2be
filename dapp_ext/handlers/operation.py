"""What a route of the API is, and one call of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from pydantic import BaseModel

from dapp_ext.errors import NotSignedIn
from dapp_ext.handlers.wire import BODY_LIMIT, encode, read_body, read_query
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import Request

if TYPE_CHECKING:
    from dapp_ext.handlers.backend import Backend
    from dapp_ext.services import Services
    from dapp_ext.services.files import Download

Query = TypeVar("Query", bound=Request)
Body = TypeVar("Body", bound=Request)
Shape = TypeVar("Shape", bound=BaseModel)
JSON = "application/json"
# So little is read in less time than a thread needs to begin.
SHORT_BODY = 16 * 1024

# Who may call: holders of a DAPP credential, anybody, or whoever Jupyter itself has signed in.
Access = Literal["account", "public", "jupyter"]


class Nothing(Request):
    """No parameters, or no body."""


@dataclass(frozen=True)
class Call(Generic[Query, Body]):
    """One call: who, to what, with what; handed to a plain function on a thread."""

    backend: Backend
    query: Query
    body: Body
    path: Mapping[str, str]
    address: str
    request_id: str
    account: Actor | None = None
    kept: str = ""  # the sign-in that the browser keeps, at the one address that it is sent to

    @property
    def actor(self) -> Actor:
        """The account behind the call; routes that are not public always have one."""
        if self.account is None:
            raise NotSignedIn
        return self.account

    @property
    def services(self) -> Services:
        return self.backend.opened

    @property
    def ref(self) -> str:
        """The id or name in the address."""
        return self.path["ref"]


@dataclass(frozen=True)
class Content:
    """An answer as it is sent."""

    media_type: str
    content: bytes


@dataclass(frozen=True)
class Operation:
    """One verb of one address: what it takes, what it answers, and the function that does it.

    ``run`` is called on a thread with a :class:`Call` whose query and body have the given shapes. ``alone`` routes
    answer even while the services are not open. ``soon`` is asked first where the body is short: called on the loop, it
    never keeps it waiting, and says ``None`` when ``run`` has to do it. ``takes`` and ``gives`` are the media types of body and answer;
    ``limit`` is the most bytes of a body. ``settled``: the answer hangs on nothing but who asks for what and what the database
    holds, so it may be given again for a moment (:mod:`dapp_ext.handlers.kept`).
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    run: Callable[[Call[Any, Any]], Any]
    sentence: str
    query: type[Request] = Nothing
    body: type[Request] = Nothing
    answer: type[BaseModel] | None = None
    status: int = 200
    access: Access = "account"
    takes: str = JSON
    gives: str = JSON
    alone: bool = False
    limit: int = BODY_LIMIT
    soon: Callable[[Call[Any, Any]], Awaitable[BaseModel | None]] | None = None
    settled: bool = False

    @property
    def tag(self) -> str:
        """The noun that the address begins with."""
        return self.path.split("/")[1].partition(".")[0]


class Encoded(Content, Generic[Shape]):
    """An answer of a shape that was encoded before, such as one that is kept in memory as it is sent."""


@dataclass(frozen=True)
class Raw:
    """A call as it came, before anything of it is believed."""

    backend: Backend
    query: Mapping[str, Sequence[bytes]]
    path: Mapping[str, str]
    address: str
    request_id: str
    account: Actor | None
    body: bytes = b""
    content_type: str = ""
    kept: str = ""


async def perform_soon(operation: Operation, raw: Raw) -> Content | None:
    """Answer a short call without a thread, where its operation can; ``None`` where it cannot. Called on the loop."""
    if operation.soon is None or len(raw.body) > SHORT_BODY:
        return None
    answer = await operation.soon(_read(operation, raw))
    return None if answer is None else Content(JSON, encode(answer))


def perform(operation: Operation, raw: Raw) -> Content | Download | None:
    """Validate a call, run it and encode its answer; ``None`` when there is nothing to say. Called on a thread."""
    answer = operation.run(_read(operation, raw))
    if isinstance(answer, BaseModel):
        return Content(JSON, encode(answer))
    return answer  # what the route table says, which a test checks


def _read(operation: Operation, raw: Raw) -> Call[Any, Any]:
    return Call(
        backend=raw.backend,
        query=read_query(operation.query, raw.query),
        body=read_body(operation.body, raw.body, raw.content_type),
        path=raw.path,
        address=raw.address,
        request_id=raw.request_id,
        account=raw.account,
        kept=raw.kept,
    )
