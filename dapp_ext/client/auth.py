"""Keeping and renewing the tokens of one sign-in.

There are three ways in: Jupyter's own token, exchanged at ``/auth/jupyter``; email and password, given to ``login``; and a
personal access token, given or from ``DAPP_TOKEN``. Access tokens are short: they are renewed shortly before they end and once when the
server refuses one. The password is never kept. Everything here may be used from several threads at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from dapp_ext.client.discovery import Server
from dapp_ext.errors import DappError, Denied, LoginRefused, NotSignedIn
from dapp_ext.schema.accounts import AccountRead, TokenPair

# Renewed this long before the end, so that a request under way does not run out.
_MARGIN_SECONDS = 20.0

Post = Callable[[str, dict[str, Any], dict[str, str]], Any]


class SignIn:
    """The credentials of one client.

    Parameters
    ----------
    server : Server
        Where to sign in, with the credentials that were found there.
    post : callable
        ``post(path, body, headers)`` sends one request without credentials of its own and gives the parsed answer.
    """

    def __init__(self, server: Server, post: Post) -> None:
        self._server = server
        self._post = post
        self._lock = threading.RLock()
        self._tokens: TokenPair | None = None
        self._ends_at = 0.0
        # After login with a password the DAPP credential alone counts, so that no two identities meet in one request.
        self._through_jupyter = bool(server.jupyter_token)
        self._fixed = server.dapp_token

    @property
    def possible(self) -> bool:
        """Whether there is a credential, or a way to get one without asking anybody."""
        return bool(self._tokens or self._fixed or self._through_jupyter)

    @property
    def account(self) -> AccountRead | None:
        """Who signed in, as known from the last exchange of tokens."""
        return self._tokens.account if self._tokens else None

    def login(self, email: str, password: str) -> None:
        """Sign in with email and password; from then on only DAPP's own token is sent."""
        pair = self._exchange("auth/login", {"email": email, "password": password}, {})
        with self._lock:
            self._through_jupyter = False
            self._fixed = ""
            self._keep(pair)

    def headers(self) -> dict[str, str]:
        """The headers that sign a request; gets or renews the token where that is needed.

        Raises
        ------
        NotSignedIn
            If there is no way to sign in without a password.
        """
        with self._lock:
            token = self._access_token()
        if self._through_jupyter:
            return {"Authorization": f"token {self._server.jupyter_token}", "X-DAPP-Authorization": f"Bearer {token}"}
        return {"Authorization": f"Bearer {token}"}

    def renew(self, refused: dict[str, str]) -> None:
        """Get a new token after the server refused these headers; nothing to do when another thread was quicker.

        Raises
        ------
        NotSignedIn
            If the sign-in has ended for good.
        """
        with self._lock:
            if self._tokens is None or self._tokens.access_token not in " ".join(refused.values()):
                if self._tokens is None:
                    raise self._ended()
                return
            self._refresh()

    def forget(self) -> bool:
        """Drop the tokens; true when a session stood behind them."""
        with self._lock:
            had, self._tokens = self._tokens is not None, None
            self._through_jupyter, self._fixed = False, ""
            return had

    def _access_token(self) -> str:
        if self._fixed:
            return self._fixed
        if self._tokens is None:
            if not self._through_jupyter:
                raise NotSignedIn("You are not signed in. Sign in with: client.login(email, password)")
            self._through()
        elif time.monotonic() > self._ends_at - _MARGIN_SECONDS:
            self._refresh()
        assert self._tokens is not None
        return self._tokens.access_token

    def _refresh(self) -> None:
        assert self._tokens is not None
        try:
            self._keep(self._exchange("auth/refresh", {"refresh_token": self._tokens.refresh_token}, {}))
        except NotSignedIn:
            if not self._through_jupyter:
                raise self._ended() from None
            self._through()

    def _through(self) -> None:
        try:
            self._keep(self._exchange("auth/jupyter", {}, {"Authorization": f"token {self._server.jupyter_token}"}))
        except (NotSignedIn, Denied) as error:
            if isinstance(error, LoginRefused):
                raise
            raise NotSignedIn(
                f"Jupyter's identity does not sign in to DAPP at {self._server.url}: {error.message} Or sign in with: client.login(email, password)"
            ) from error

    def _exchange(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> TokenPair:
        return TokenPair.model_validate(self._post(path, body, headers))

    def _keep(self, pair: TokenPair) -> None:
        self._tokens = pair
        # A lifetime shorter than the margin must not renew at every call.
        self._ends_at = time.monotonic() + max(pair.expires_in, _MARGIN_SECONDS + pair.expires_in / 2)

    def _ended(self) -> DappError:
        if self._fixed:
            return NotSignedIn(
                "The personal access token (as given, or in DAPP_TOKEN) is not valid, or not valid any more. Make a new one on the Account page, or with: jupyter dapp tokens create"
            )
        return NotSignedIn("Your sign-in has ended. Sign in again with: client.login(email, password)")
