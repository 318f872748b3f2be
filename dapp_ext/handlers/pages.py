"""The two pages for people: the API's documentation, and the door that a sign-in link opens."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib import resources
from urllib.parse import urlsplit

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError

from dapp_ext.errors import DappError, Denied, Malformed
from dapp_ext.handlers.auth import ONE_PERSON_PROVIDERS, holds_one_secret
from dapp_ext.handlers.base import DappHandler
from dapp_ext.schema.accounts import Role

_TYPES = {"docs.html": "text/html; charset=utf-8", "docs.css": "text/css; charset=utf-8", "docs.js": "text/javascript; charset=utf-8"}


@cache
def _shipped(name: str) -> bytes:
    return (resources.files("dapp_ext.handlers") / "docs" / name).read_bytes()


class Page(DappHandler):
    """A page; its failures are pages too, and nothing on it comes from elsewhere."""

    @property
    def content_security_policy(self) -> str:
        return "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

    async def prepare(self) -> None:
        self.forget_jupyter()
        if self.request.method not in ("GET", "HEAD"):
            raise HTTPError(405)
        self.refuse_foreign_host()

    def write_failure(self, error: DappError) -> None:
        self.set_header("Content-Type", _TYPES["docs.html"])
        self.finish(
            f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>DAPP</title>'
            f'<link rel="stylesheet" href="{escape(url_path_join(self.base_url, "dapp/docs/docs.css"))}">'
            f'<main class="message"><h1>This did not work</h1><p>{escape(error.message)}</p></main></html>'
        )


class Docs(Page):
    """The API's documentation, with its style and script beside it."""

    @allow_unauthenticated
    def get(self, name: str = "docs.html") -> None:
        self.set_header("Content-Type", _TYPES[name])
        self.finish(_shipped(name))

    @allow_unauthenticated
    def head(self, name: str = "docs.html") -> None:
        self.get(name)


class SignIn(Page):
    """Opens JupyterLab for whoever holds a sign-in link.

    The link is used up by the first GET, without a button to press: it is printed in a terminal or made by the
    dashboard's own page, and goes straight into a browser, so no mail program's preview comes before its person.
    """

    @allow_unauthenticated
    async def get(self) -> None:
        if self.request.headers.get("Sec-Purpose", "").startswith("prefetch"):
            self.set_status(204)  # a browser that guesses where its person will go
            return
        ticket = self.get_query_argument("ticket", "")
        if not ticket:
            raise Malformed("The link is not complete. Ask for a new one: jupyter dapp signin-link")
        if type(self.identity_provider) not in ONE_PERSON_PROVIDERS or not self.backend.personal:
            raise Denied("This server signs people in by its own login. Open it without the link.")
        services = await self.backend.services()
        actor = await self.backend.call(services.accounts.redeem_ticket, ticket, "jupyterlab", address=self.address)
        if actor.role is not Role.admin:
            # Whoever enters runs code as the user that this server runs as, and so holds all that the owner holds.
            raise Denied("JupyterLab on this machine is open to its administrators. Use the dashboard, or your own JupyterLab with DAPP_URL.")
        if holds_one_secret(self.identity_provider):
            self.identity_provider.set_login_cookie(self, self.identity_provider.generate_anonymous_user(self))
        self.redirect(self._local(self.get_query_argument("next", "")))

    @allow_unauthenticated
    def head(self) -> None:
        """Programs that look at links ask so, and must not use them up."""
        self.set_header("Content-Type", _TYPES["docs.html"])

    def _local(self, wanted: str) -> str:
        """Where to go: below our own address, or to JupyterLab."""
        try:
            parts = urlsplit(wanted)
        except ValueError:
            parts = urlsplit("")
        plain = not parts.scheme and not parts.netloc and "\\" not in wanted and not any(ord(char) < 33 for char in wanted)
        inside = wanted.startswith(self.base_url) and not wanted.startswith("//") and "/../" not in f"{parts.path}/"
        return wanted if plain and inside else url_path_join(self.base_url, "lab")
