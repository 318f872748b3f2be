"""Signing in by password or by a one-use link, and signing out."""

from __future__ import annotations

from functools import partial

from pydantic import ValidationError

from dapp_ext.errors import DappError, Denied, LoginRefused, NotSignedIn, Throttled
from dapp_ext.handlers.wire import status_of
from dapp_ext.schema.accounts import LoginRequest
from dapp_panel.routes.base import DashboardHandler
from dapp_panel.routes.page import THEME_COOKIE

LONGEST_TICKET = 512
DEVICE_DAYS = 365


class EntryHandler(DashboardHandler):
    """What lets somebody in who has just proved who it is."""

    async def let_in(self, cookie: str, device: str) -> None:
        """Set the session's cookie and the mark by which this browser is known the next time; a session that it had ends."""
        rules = self.dashboard.doorkeeper.cookie
        had = self.dashboard.doorkeeper.cookie_of(self.request)
        if had and had != cookie:
            await self.dashboard.crew.run(partial(self.dashboard.services.accounts.leave_browser, had, address=self.request.remote_ip or ""))
        self.set_cookie(rules.name, cookie, **rules.attributes())
        self.set_cookie(rules.device_name, device, **{**rules.attributes(), "max_age": DEVICE_DAYS * 86_400})
        self.redirect("/", status=303)

    def theme(self) -> str:
        """Light or dark as the visitor chose; empty to follow the system."""
        chosen = self.get_cookie(THEME_COOKIE, "")
        return chosen if chosen in ("light", "dark") else ""


class SignInHandler(EntryHandler):
    """The page, the form that it sends, and the links that sign in by themselves."""

    async def head(self, *path: str) -> None:
        """Whether the page is there; programs that look at links ask so, and must not use them up."""
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.finish()

    async def get(self) -> None:
        ticket = self.get_query_argument("ticket", "")
        if ticket:
            await self._redeem(ticket)
        elif await self.visitor() is not None:
            self.redirect("/")
        else:
            self._page()

    async def _redeem(self, ticket: str) -> None:
        if self.request.headers.get("Sec-Purpose", "").startswith("prefetch"):
            self.set_status(204)
            return
        try:
            cookie, device = await self.dashboard.crew.run(self._open_by_ticket, ticket[:LONGEST_TICKET])
        except DappError as error:
            if await self.visitor() is not None:
                self.redirect("/")  # the link was used before, by this browser
                return
            sentence = "This sign-in link was used already or has expired. Ask for a new one, or sign in with your password."
            self._page(error, sentence if isinstance(error, NotSignedIn) else error.message)
            return
        await self.let_in(cookie, device)

    def _open_by_ticket(self, ticket: str) -> tuple[str, str]:
        accounts = self.dashboard.services.accounts
        present = self.dashboard.doorkeeper.cookie_of(self.request)
        cookie, actor = accounts.enter_browser(ticket, present=present, address=self.request.remote_ip, request_id=self.request_id)
        return cookie, accounts.device_mark(actor)

    def _open_by_password(self, request: LoginRequest) -> tuple[str, str]:
        accounts = self.dashboard.services.accounts
        device = self.get_cookie(self.dashboard.doorkeeper.cookie.device_name, "")
        cookie, actor = accounts.login_browser(request, address=self.request.remote_ip, request_id=self.request_id, device=device)
        return cookie, accounts.device_mark(actor)

    async def post(self) -> None:
        email = self.get_body_argument("email", "")
        try:
            self.check_same_origin()
            request = LoginRequest(email=email.strip(), password=self.get_body_argument("password", "", strip=False))
            cookie, device = await self.dashboard.crew.run(self._open_by_password, request)
        except ValidationError:
            self._page(LoginRefused(), "Enter your email and your password.", email=email)
        except DappError as error:
            self._page(error, error.message, email=email)
        else:
            await self.let_in(cookie, device)

    def _page(self, error: DappError | None = None, sentence: str = "", *, email: str = "") -> None:
        if error is not None:
            self.set_status(status_of(error))
            if isinstance(error, Throttled) and "retry_after" in error.details:
                self.set_header("Retry-After", str(error.details["retry_after"]))
        self.render(
            "signin.html",
            assets=self.dashboard.assets,
            sentence=sentence,
            email=email[:254],
            theme=self.theme(),
            warning=isinstance(error, (LoginRefused, Throttled, Denied)),
        )


class SignOutHandler(DashboardHandler):
    """Ends the session everywhere, not only in this browser."""

    async def post(self) -> None:
        self.check_same_origin()
        visitor = await self.visitor()
        if visitor is not None:
            await self.dashboard.crew.run(self.dashboard.services.accounts.logout, visitor.actor)
        rules = self.dashboard.doorkeeper.cookie
        self.clear_cookie(rules.name, path="/", secure=rules.secure, httponly=True, samesite="Strict")
        self.redirect("/signin", status=303)
