"""A sign-in with a password that outlives a reload of the page: its refresh token stays in a cookie of the browser.

No script of the page can read that cookie, and the browser sends it to one address only. Whoever posts there has to be a
page of this server, which shows it by Jupyter's own XSRF token and by the origin that the browser names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from jupyter_server.base.handlers import JupyterHandler

from dapp_ext.errors import Denied, NotSignedIn
from dapp_ext.handlers.base import ApiHandler, DappHandler
from dapp_ext.handlers.operation import JSON, Call, Content, Nothing, Raw, perform
from dapp_ext.handlers.wire import encode, read_body
from dapp_ext.schema.accounts import ResumeRequest, TokenPair

if TYPE_CHECKING:
    from dapp_ext.services.files import Download

KEPT_SECONDS = 24 * 3600
"""As long as a refresh token is good that nobody uses."""


def resume(call: Call[Nothing, ResumeRequest]) -> TokenPair:
    token = call.body.refresh_token or call.kept
    if not token:
        raise NotSignedIn
    return call.services.accounts.refresh(token, address=call.address)


def end(call: Call[Nothing, Nothing]) -> None:
    """A token that was used up before ends its session all the same: the renewal takes it for stolen."""
    accounts = call.services.accounts
    if call.kept:
        pair = accounts.refresh(call.kept, address=call.address)
        accounts.logout(accounts.authenticate(pair.access_token, address=call.address, request_id=call.request_id))


class Keeping(DappHandler):
    """The cookie, and who may use it."""

    @property
    def instance(self) -> str:
        """What this server's sign-ins belong to; cookies are not separated by port."""
        return str(self.backend.settings().home)

    def refuse_foreign_page(self) -> None:
        """Stop whoever is not a page of this server: the browser adds the cookie by itself."""
        self.refuse_foreign_host()
        if not self.origin_is_ours():
            raise Denied("Only a page of this server keeps a sign-in. Sign in with POST /auth/login instead.")
        JupyterHandler.check_xsrf_cookie(self)

    @property
    def kept(self) -> str:
        """The refresh token that came in the cookie; empty without one."""
        morsel = self.request.cookies.get(self._cookie)
        return morsel.value if morsel is not None else ""

    def keep(self, pair: TokenPair) -> bytes:
        """Lay the refresh token in the cookie; the answer for the page, which does without it."""
        self.set_cookie(self._cookie, pair.refresh_token, max_age=KEPT_SECONDS, **self._attributes)
        return encode(pair.model_copy(update={"refresh_token": ""}))

    def stop_keeping(self) -> None:
        """Take the cookie away."""
        if self.kept:
            self.set_cookie(self._cookie, "", max_age=0, **self._attributes)

    @property
    def _cookie(self) -> str:
        instance = hashlib.sha256(self.instance.encode()).hexdigest()[:8]
        return f"{'__Secure-' if self._is_secure else ''}dapp_kept_{instance}"

    @property
    def _is_secure(self) -> bool:
        """Also where a proxy in front ends the encryption; the origin was checked."""
        return self.request.protocol == "https" or (self.get_origin() or "").lower().startswith("https://")

    @property
    def _attributes(self) -> dict[str, str | bool]:
        # The address as the browser wrote it, whatever the base URL is: browsers compare the letters.
        return {"path": self.request.path, "httponly": True, "samesite": "Strict", "secure": self._is_secure}


class ResumeHandler(Keeping, ApiHandler):
    """Where a page asks for the tokens of the sign-in that its browser keeps."""

    def set_cors_headers(self) -> None:
        """For no page of another origin, not even one that may read everything else."""

    async def answer(self, path: Mapping[str, str]) -> None:
        raw = self._as_it_came(path)
        given = read_body(ResumeRequest, raw.body, raw.content_type).refresh_token if self.request.method == "POST" else None
        self.refuse_foreign_page()
        if not given and not raw.kept:
            self._nothing()
            return
        try:
            answer: Content | Download | None = await self.backend.call(perform, self.operation, raw)
        except NotSignedIn:
            self.stop_keeping()
            if self.request.method == "DELETE":  # it had ended before, which is what was asked for
                self._nothing()
                return
            raise
        if isinstance(answer, Content):
            self.set_header("Content-Type", JSON)
            self.finish(self.keep(TokenPair.model_validate_json(answer.content)))
        else:
            self.stop_keeping()
            self._nothing()

    def _as_it_came(self, path: Mapping[str, str]) -> Raw:
        return replace(super()._as_it_came(path), kept=self.kept)

    def _nothing(self) -> None:
        self.set_status(204)
        self.finish()
