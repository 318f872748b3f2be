"""What the routes have in common: who asks, from which origin, and how an error is told."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import HTTPError, OutputTransform, RequestHandler

from dapp_ext import errors
from dapp_ext.errors import DappError, Denied, Internal, NotSignedIn, RouteNotFound
from dapp_ext.handlers.wire import envelope, status_of
from dapp_ext.logs import outline
from dapp_ext.schema.base import new_id
from dapp_panel.auth import Visitor

if TYPE_CHECKING:
    from dapp_panel.dashboard import Dashboard

log = logging.getLogger(__name__)

# The first words of the addresses that scripts and pages ask, and nobody types.
PROGRAMS = frozenset({"assets", "call", "channel", "download", "health", "upload", "vendor", "ws"})


def without_token(path: str) -> str:
    """A path for the log: that of a read-only link is the credential itself."""
    return "/shared/…" if path.startswith("/shared/") else path


def security_headers(framing: tuple[str, ...], inline: str) -> type[OutputTransform]:
    """What puts the safe defaults on every answer: own pages, files and failures alike.

    Parameters
    ----------
    framing : tuple of str
        Origins whose pages may show the dashboard in a frame.
    inline : str
        Hash of the one script that may stand in a page itself.
    """
    frames = " ".join(framing) or "'none'"
    policy = (
        f"default-src 'none'; script-src 'self' blob: '{inline}'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; "
        f"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {frames}"
    )
    defaults = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        # "no-referrer" would make browsers send `Origin: null` with the sign-in form, which is then refused.
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
        "Cache-Control": "no-store",
    }

    class SecurityHeaders(OutputTransform):
        def __init__(self, request: HTTPServerRequest) -> None:
            pass

        def transform_first_chunk(self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool) -> tuple[int, HTTPHeaders, bytes]:
            for name, value in defaults.items():
                headers.setdefault(name, value)
            headers.pop("Server", None)
            return status_code, headers, chunk

    return SecurityHeaders


class DashboardHandler(RequestHandler):
    """A route that knows the dashboard and tells errors in the one envelope."""

    dashboard: Dashboard
    # Whether a page about a failure offers the way to the dashboard.
    leads_home = True
    # Whether somebody who does not say what is wanted is taken for a person.
    for_people = True

    def initialize(self, dashboard: Dashboard) -> None:
        self.dashboard = dashboard
        self.request_id = new_id()

    def get_template_path(self) -> str:
        return str(self.dashboard.assets.folder.parent / "templates")

    async def head(self, *path: str) -> None:
        """What ``get`` would answer, without its body."""
        answer = self.get(*path)
        if answer is not None:
            await answer

    async def visitor(self) -> Visitor | None:
        """Who asks; None without a valid sign-in."""
        return await self.dashboard.doorkeeper.visitor(self.request)

    async def signed_in(self) -> Visitor:
        """Who asks.

        Raises
        ------
        NotSignedIn
        """
        visitor = await self.visitor()
        if visitor is None:
            raise NotSignedIn
        return visitor

    def check_same_origin(self) -> None:
        """Refuse what another site's page sends with our cookie.

        Raises
        ------
        Denied
        """
        site = self.request.headers.get("Sec-Fetch-Site", "same-origin")
        if not self.dashboard.origins.allows(self.request.headers.get("Origin")) or site != "same-origin":
            raise Denied("This was sent from another site and was refused. Open the dashboard itself and try again.")

    def check_not_cross_site(self) -> None:
        """Refuse a navigation that another site's page made.

        Raises
        ------
        Denied
        """
        if self.request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise Denied("This link was opened from another site and was refused. Open the dashboard itself and try again.")

    def tell(self, error: DappError) -> None:
        """Answer with an error: a page where a person looks, the envelope where a program asks."""
        self.set_status(status_of(error))
        if "retry_after" in error.details:
            self.set_header("Retry-After", str(error.details["retry_after"]))
        if self._is_for_people():
            self.show(error)
            return
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(envelope(error, self.request_id))

    def show(self, error: DappError, title: str = "") -> None:
        """A plain page that says what went wrong."""
        title = title or ("There is nothing here" if isinstance(error, RouteNotFound) else "This did not work")
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.set_header("X-Request-Id", self.request_id)
        self.render("failure.html", title=title, sentence=error.message, assets=self.dashboard.assets, leads_home=self.leads_home)

    def _is_for_people(self) -> bool:
        """Whether this was opened in a browser's window, or is an address that only people open."""
        accepted = self.request.headers.get("Accept", "*/*")
        programs = not self.for_people or self.request.path.strip("/").partition("/")[0] in PROGRAMS
        return "text/html" in accepted or not (programs or "application/json" in accepted)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, DappError):
            self.tell(error)
        elif status_code == 404:
            self.tell(RouteNotFound("There is nothing at this address."))
        elif status_code == 405:
            self.tell(errors.MethodNotAllowed("This address does not take that method."))
        elif status_code < 500:
            self.tell(errors.Malformed())
        else:
            self.tell(Internal())

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if isinstance(value, DappError):
            log.info("%s %s: %s, request %s", self.request.method, without_token(self.request.path), value.code, self.request_id)
        elif isinstance(value, HTTPError) and value.status_code < 500:
            log.info("%s %s: %s, request %s", self.request.method, without_token(self.request.path), value.status_code, self.request_id)
        else:
            log.error("%s %s failed, request %s:\n%s", self.request.method, without_token(self.request.path), self.request_id, outline(value))


class NotHere(DashboardHandler):
    """There is nothing here."""

    def prepare(self) -> None:
        raise RouteNotFound("There is nothing at this address.")


class WrongHost(DashboardHandler):
    """The request names a host that this dashboard is not."""

    leads_home = False

    def prepare(self) -> None:
        raise Denied(
            "The dashboard is not reached under this name. Open it under the address that it printed, or set DAPP_DASHBOARD_URL to the address that people use."
        )
