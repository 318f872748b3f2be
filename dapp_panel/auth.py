"""Who is at the door of the dashboard: the cookie, the origins and hosts that are let in, Bokeh's provider.

The cookie carries an opaque value of a session that the accounts service keeps; it is looked up on every page, every
socket and every call. Cookies are not separated by port, so its name carries the instance, and its value means nothing
elsewhere.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bokeh.server.auth_provider import AuthProvider

from dapp_ext.errors import NotSignedIn
from dapp_ext.schema.accounts import Actor
from dapp_ext.settings import Settings

if TYPE_CHECKING:
    from dapp_ext.services import Services
    from dapp_panel.crew import Crew

_DEFAULT_PORTS = {"http": 80, "https": 443}
_EVERY_ADDRESS = ("", "0.0.0.0", "::")


@dataclass(frozen=True)
class Visitor:
    """A signed-in browser: its cookie (which stays in this process) and the account behind it."""

    cookie: str
    address: str
    actor: Actor


def normal_origin(address: str) -> str | None:
    """``scheme://host[:port]`` in lower case without a default port; None when it is not an http origin."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:  # an unclosed bracket
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return None
    try:
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except ValueError:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" if port == _DEFAULT_PORTS[parts.scheme] else f"{parts.scheme}://{host}:{port}"


@dataclass(frozen=True)
class Origins:
    """The exact origins that the dashboard is reached at, and those of others that may frame it."""

    own: frozenset[str]
    framing: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings, port: int) -> Origins:
        """Loopback names, the address that is listened on, and ``DAPP_DASHBOARD_URL``."""
        names = ["localhost", "127.0.0.1", "[::1]"]
        if settings.host not in _EVERY_ADDRESS:
            names.append(f"[{settings.host}]" if ":" in settings.host else settings.host)
        own = [f"http://{name}:{port}" for name in names]
        if settings.dashboard_url:
            own.append(settings.dashboard_url)
        return cls(frozenset(_normal(own)), tuple(_normal(settings.allow_origin.split(","))))

    def allows(self, origin: str | None) -> bool:
        """Whether a browser page of exactly this origin may post or open a socket; a missing one may not."""
        if not origin or origin == "null":
            return False
        found = normal_origin(origin)
        return found is not None and found == origin.lower() and found in self.own

    def allows_host(self, host: str) -> bool:
        """Whether a request may name this host (a foreign one is DNS rebinding or a wrong link)."""
        return any(normal_origin(f"{scheme}://{host}") in self.own for scheme in _DEFAULT_PORTS)


def _normal(addresses: Iterable[str]) -> list[str]:
    return [found for each in addresses if (found := normal_origin(each)) is not None]


@dataclass(frozen=True)
class Cookie:
    """How the session cookie of this instance is named and set."""

    name: str
    secure: bool
    days: int

    @classmethod
    def of(cls, settings: Settings) -> Cookie:
        """Named after the home folder; with the ``__Host-`` rules of browsers where the dashboard has TLS."""
        instance = hashlib.sha256(str(settings.home).encode()).hexdigest()[:8]
        secure = settings.dashboard_url.lower().startswith("https://")
        return cls(f"{'__Host-' if secure else ''}dapp_{instance}", secure, settings.session_days)

    @property
    def device_name(self) -> str:
        """The cookie by which a browser is known that has signed in before; it opens nothing."""
        return f"{self.name}_device"

    def attributes(self) -> dict[str, Any]:
        """What Tornado's ``set_cookie`` is given."""
        return {"httponly": True, "samesite": "Strict", "secure": self.secure, "path": "/", "max_age": self.days * 86_400}


class Doorkeeper:
    """Turns a cookie into a visitor, and binds sockets to the sign-in that asked for them."""

    def __init__(self, services: Services, crew: Crew, cookie: Cookie) -> None:
        self._services = services
        self._crew = crew
        self._binding_key = secrets.token_bytes(32)
        self.cookie = cookie

    def look_up(self, cookie: str, address: str, request_id: str = "") -> Actor:
        """The actor behind a cookie, as the database knows it now; blocks.

        Raises
        ------
        NotSignedIn
            When the session has ended or never was.
        """
        return self._services.accounts.browser_session(cookie, address=address, request_id=request_id)

    def cookie_of(self, request: Any) -> str:
        """The cookie that a request came with; empty without one."""
        morsel = request.cookies.get(self.cookie.name)
        return morsel.value if morsel is not None else ""

    def recall(self, cookie: str, address: str, request_id: str = "") -> Actor | None:
        """The actor behind a cookie, if it was looked up a moment ago and nothing was committed since; waits for nothing."""
        stamp = self._services.context.database.stamp()
        return None if stamp is None else self._services.accounts.recall_browser(cookie, stamp, address=address, request_id=request_id)

    async def visitor(self, request: Any) -> Visitor | None:
        """Who sent this request; None without a valid session."""
        cookie = self.cookie_of(request)
        if not cookie:
            return None
        try:
            actor = self.recall(cookie, request.remote_ip)
            if actor is None:
                actor = await self._crew.run(self.look_up, cookie, request.remote_ip)
        except NotSignedIn:
            return None
        return Visitor(cookie, request.remote_ip, actor)

    def binding(self, visitor: Visitor) -> str:
        """A mark of this sign-in for signed page tokens; says nothing to whoever reads it."""
        return hashlib.blake2b(visitor.cookie.encode(), key=self._binding_key, digest_size=16).hexdigest()


class DappAuthProvider(AuthProvider):
    """Bokeh asks here, for pages and sockets alike, before it opens a session."""

    def __init__(self, doorkeeper: Doorkeeper) -> None:
        self._doorkeeper = doorkeeper
        super().__init__()

    @property
    def get_user_async(self) -> Callable[[Any], Awaitable[Visitor | None]]:
        return self._get_user

    async def _get_user(self, handler: Any) -> Visitor | None:
        visitor = await self._doorkeeper.visitor(handler.request)
        handler.request.visitor = visitor
        return visitor

    @property
    def login_url(self) -> str:
        return "/signin"
