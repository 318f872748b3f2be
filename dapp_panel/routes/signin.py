"""Signing in by password or by a one-use link, and signing out."""

from __future__ import annotations

from pydantic import ValidationError

from dapp_ext.errors import DappError, Denied, LoginRefused, NotSignedIn, Throttled
from dapp_ext.schema.accounts import LoginRequest
from dapp_panel.routes.base import DashboardHandler, status_of
from dapp_panel.routes.page import THEME_COOKIE

LONGEST_TICKET = 512


class SignInHandler(DashboardHandler):
    """The page, the form that it sends, and the links that sign in by themselves."""

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
            cookie = await self.dashboard.crew.run(self._open_by_ticket, ticket[:LONGEST_TICKET])
        except DappError as error:
            if await self.visitor() is not None:
                self.redirect("/")  # the link was used before, by this browser
                return
            sentence = "This sign-in link was used already or has expired. Ask for a new one, or sign in with your password."
            self._page(error, sentence if isinstance(error, NotSignedIn) else error.message)
            return
        self._let_in(cookie)

    def _open_by_ticket(self, ticket: str) -> str:
        accounts = self.dashboard.services.accounts
        actor = accounts.redeem_ticket(ticket, "dashboard", address=self.request.remote_ip)
        return accounts.open_browser_session(actor, door="dashboard", address=self.request.remote_ip)

    async def post(self) -> None:
        email = self.get_body_argument("email", "")
        try:
            self.check_same_origin()
            request = LoginRequest(email=email.strip(), password=self.get_body_argument("password", "", strip=False))
            cookie, _ = await self.dashboard.crew.run(
                self.dashboard.services.accounts.login_browser, request, address=self.request.remote_ip, request_id=self.request_id
            )
        except ValidationError:
            self._page(LoginRefused(), "Enter your email and your password.", email=email)
        except DappError as error:
            self._page(error, error.message, email=email)
        else:
            self._let_in(cookie)

    def _let_in(self, cookie: str) -> None:
        rules = self.dashboard.doorkeeper.cookie
        self.set_cookie(rules.name, cookie, **rules.attributes())
        self.redirect("/", status=303)

    def _page(self, error: DappError | None = None, sentence: str = "", *, email: str = "") -> None:
        if error is not None:
            self.set_status(status_of(error))
            if isinstance(error, Throttled) and "retry_after" in error.details:
                self.set_header("Retry-After", str(error.details["retry_after"]))
        theme = self.get_cookie(THEME_COOKIE, "")
        self.render(
            "signin.html",
            assets=self.dashboard.assets,
            sentence=sentence,
            email=email[:254],
            theme=theme if theme in ("light", "dark") else "",
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
