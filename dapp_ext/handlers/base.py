"""The only bridge between HTTP and the services: credentials, headers, strict JSON, threads, errors and their status."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jupyter_server._tz import utcnow
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.prometheus.log_functions import prometheus_log_method
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, stream_request_body

from dapp_ext.errors import DappError, Denied, Malformed, MethodNotAllowed, NotSignedIn, Throttled, TooLarge, Unavailable
from dapp_ext.handlers.backend import SETTING, Backend
from dapp_ext.handlers.kept import Question
from dapp_ext.handlers.operation import JSON, Content, Operation, Raw, perform, perform_soon
from dapp_ext.handlers.parting import BODY_SECONDS, DRAIN_LIMIT, PartingHandler
from dapp_ext.handlers.sending import send_file
from dapp_ext.handlers.wire import BODY_LIMIT, as_dapp_error, envelope, status_of
from dapp_ext.logs import REQUEST_ID, outline
from dapp_ext.schema.accounts import Actor
from dapp_ext.schema.base import new_id

if TYPE_CHECKING:
    from dapp_ext.services.files import Download

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class DappHandler(JupyterHandler):
    """What all handlers of DAPP share. Jupyter's own login is not looked at unless a route asks for it."""

    current_user: Any
    _request_id = ""
    _is_admitted = False  # to a handler of ours
    # The state of the database before anything was asked of it for this request; see ``Database.stamp``.
    _stamp: int | None = None

    @property
    def backend(self) -> Backend:
        backend: Backend = self.settings[SETTING]
        return backend

    @property
    def request_id(self) -> str:
        """The caller's own id where it gave a reasonable one."""
        if not self._request_id:
            given = self.request.headers.get("X-Request-Id", "")
            self._request_id = given if _REQUEST_ID.fullmatch(given) else new_id()
            REQUEST_ID.set(self._request_id)  # for the log lines of whatever is done for it
        return self._request_id

    @property
    def address(self) -> str:
        return str(self.request.remote_ip or "")

    @property
    def route(self) -> str:
        """The address as the route table has it; empty for one that is not in it."""
        return ""

    # -- headers ------------------------------------------------------------------------------------------------

    @property
    def content_security_policy(self) -> str:
        return "default-src 'none'; frame-ancestors 'none'"

    def set_default_headers(self) -> None:
        # What Jupyter sets as well, without its checks of each value: this is done for every answer.
        for name, value in self.settings.get("headers", {}).items():
            self.set_header(name, value)
        for name, value in _HEADERS.items():
            self._headers[name] = value
        self._headers["Content-Security-Policy"] = self.content_security_policy
        self._headers["X-Request-Id"] = self.request_id
        self.clear_header("Server")

    def set_cors_headers(self) -> None:
        """Let pages of the origins in ``allow_origin`` read the answer; never any origin that happens to ask."""
        if self.allow_origin or self.allow_origin_pat:
            super().set_cors_headers()
        origin = self.get_origin()
        if origin is not None and origin.lower() in self.backend.allowed_origins():
            self.set_header("Access-Control-Allow-Origin", origin)
            self.add_header("Vary", "Origin")

    def compute_etag(self) -> None:
        """No tags: answers are never cached, and a tag would cost a hash of each on the loop."""

    def origin_is_ours(self) -> bool:
        """Whether the page that asks was served by this server, or from an allowed origin.

        A page over https counts as ours where a proxy in front ends the encryption; one over http does not when we
        are asked over https.
        """
        origin = (self.get_origin() or "").lower()
        if not _is_address(origin):
            return False
        parts = urlsplit(origin)
        same_host = parts.netloc == self.request.host.lower() and parts.scheme in {self.request.protocol, "https"}
        return bool(parts.netloc) and (same_host or origin in self.backend.allowed_origins())

    # -- who asks -----------------------------------------------------------------------------------------------

    def forget_jupyter(self) -> None:
        """Stand without Jupyter's login: neither its cookie nor its token means anything to this request."""
        self._is_admitted = True
        self.current_user = self._jupyter_current_user = None

    def refuse_foreign_host(self) -> None:
        """Stop a page of another site that has pointed its own host name at this server (DNS rebinding)."""
        if not self.backend.is_known_host(self.request.host, self.check_host):
            raise Denied("This server does not answer to that host name. Open it by its own address.")

    def credential(self) -> str | None:
        """The DAPP access token; Jupyter's own ``token …`` in ``Authorization`` is left to Jupyter."""
        given = [*self.request.headers.get_list("Authorization"), *self.request.headers.get_list("X-DAPP-Authorization")]
        tokens = {token.strip() for scheme, _, token in (each.strip().partition(" ") for each in given) if scheme.lower() == "bearer"}
        if len(tokens) > 1:
            raise Malformed("Authorization and X-DAPP-Authorization carry different tokens. Send one of them.")
        return tokens.pop() if tokens else None

    async def authenticate(self) -> Actor:
        """The account behind the DAPP credential, as the database knows it now."""
        token = self.credential()
        if token is None:
            raise NotSignedIn
        services = await self.backend.services()
        accounts, asked = services.accounts, {"address": self.address, "request_id": self.request_id}
        self._stamp = services.context.database.stamp()
        actor: Actor | None = accounts.recall(token, self._stamp, door="api", **asked)
        if actor is None and await self.backend.joined(("authenticate", token)):
            self._stamp = services.context.database.stamp()
            actor = accounts.recall(token, self._stamp, door="api", **asked)  # somebody else has just asked; it counts only if nothing has changed since
        if actor is None:
            actor = await self.backend.lead(("authenticate", token), accounts.authenticate, token, door="api", **asked)
        self.settings["api_last_activity"] = utcnow()  # keeps a server alive that is culled when idle
        return actor

    # -- failures and the log -----------------------------------------------------------------------------------

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = as_dapp_error(kwargs.get("exc_info", (None, None))[1])
        self.set_status(status_of(error))
        if not self._is_admitted:
            # Tornado has refused it by itself, and closes the line over a body that it has not looked for.
            self.set_header("Connection", "close")
        self.set_cors_headers()
        if isinstance(error, Throttled):
            self.set_header("Retry-After", str(error.details.get("retry_after", 1)))
        elif isinstance(error, Unavailable):
            self.set_header("Retry-After", str(error.details.get("retry_after", 2)))
        elif isinstance(error, NotSignedIn):
            self.set_header("WWW-Authenticate", 'Bearer realm="DAPP"')
        elif isinstance(error, MethodNotAllowed):
            self.set_header("Allow", ", ".join(self.allowed_methods()))
        self.write_failure(error)

    def write_failure(self, error: DappError) -> None:
        """The body of a failure; pages for people override it."""
        self.set_header("Content-Type", JSON)
        self.finish(envelope(error, self.request_id))

    def allowed_methods(self) -> list[str]:
        return ["GET", "OPTIONS"]

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        if value is not None and not isinstance(value, StreamClosedError) and status_of(as_dapp_error(value)) == 500:
            self.log.error("Request %s failed:\n%s", self.request_id, outline(value))

    def _log(self) -> None:
        # A query may carry values from somebody's data, or a ticket; Jupyter's log gets the path alone.
        self.request.uri = self.request.path
        if self.backend.logs_json:
            seconds = round(self.request.request_time(), 4)
            facts = {"method": self.request.method, "path": self.request.path, "status": self.get_status(), "seconds": seconds, "address": self.address}
            who = getattr(self, "account", None)
            if who is not None:
                facts["account_id"] = who.account_id
            self.log.info("request", extra={"facts": facts | {"request_id": self.request_id}})
            return
        server = self.serverapp
        if server is None or self.get_status() >= 300 or server.log_level <= logging.DEBUG or server.logging_config:
            super()._log()
        elif server.record_http_request_metrics:
            prometheus_log_method(self)  # all that comes of Jupyter's own line for a success, which goes to nobody

    def on_finish(self) -> None:
        self.backend.metrics.answered(str(self.request.method), self.get_status(), self.request.request_time(), self.route)


def _is_address(origin: str) -> bool:
    """Whether this can be taken apart at all; what has an unclosed bracket cannot, and Jupyter's own check would break on it."""
    try:
        urlsplit(origin)
    except ValueError:
        return False
    return True


@stream_request_body
class ApiHandler(PartingHandler, DappHandler):
    """One address of the API: its operations by verb, each run on a thread.

    The body is taken in by pieces, so that a caller is known before any of it is kept, and it is bounded in size and time.
    """

    operations: Mapping[str, Operation]
    account: Actor | None = None
    _refusal: Exception | None = None
    # Seconds without a piece after which the sender of a long body is given up; the whole of a short one has to be here by then.
    patience = BODY_SECONDS

    def initialize(self, operations: Mapping[str, Operation]) -> None:
        self.operations = operations
        self._body = bytearray()

    @property
    def operation(self) -> Operation:
        found = self.operations.get(self._verb)
        if found is None:
            raise MethodNotAllowed
        return found

    @property
    def route(self) -> str:
        return next((each.path for each in self.operations.values()), "")

    @property
    def _verb(self) -> str:
        """HEAD asks for what GET would answer, without its body."""
        return "GET" if self.request.method == "HEAD" else str(self.request.method)

    def allowed_methods(self) -> list[str]:
        return [*self.operations, *(["HEAD"] if "GET" in self.operations else []), "OPTIONS"]

    def body_limit(self) -> int:
        """The most bytes that this request may carry."""
        operation = self.operations.get(self._verb)
        return BODY_LIMIT if operation is None else operation.limit

    # -- before the body ----------------------------------------------------------------------------------------

    async def prepare(self) -> None:
        self.forget_jupyter()
        try:
            await self.admit()
        except (DappError, HTTPError) as error:
            self._refusal = error
            if self.has_body and not self._worth_draining():
                await self.part(as_dapp_error(error))
                return
        if self.has_body:
            self.set_body_watch(self.patience)

    async def admit(self) -> None:
        """Pass whoever may call this operation, or raise."""
        self.refuse_foreign_host()
        if self.request.method == "OPTIONS":
            return
        operation = self.operation
        self.request.connection.set_max_body_size(self.body_limit() + DRAIN_LIMIT)
        if operation.access == "jupyter":
            await self._ask_jupyter()
        elif operation.access == "account":
            self.account = await self.authenticate()
            self.backend.rate.take(self.account.session_id or self.account.account_id)
        elif operation.method == "POST":
            self.backend.public_rate.take(self.address)
        if not operation.alone:
            await self.backend.services()
        if (self.announced_size() or 0) > self.body_limit():
            raise TooLarge(f"A request of this kind may carry {self.body_limit():,} bytes at the most.")
        self.set_cors_headers()

    async def _ask_jupyter(self) -> None:
        """Let Jupyter say who this is, by token, cookie and XSRF token, with its checks of the origin."""
        if not _is_address(self.get_origin() or ""):
            raise Denied("The request comes from another site.")
        del self._jupyter_current_user  # makes Jupyter look
        await super().prepare()
        if not self.check_origin():
            raise Denied("The request comes from another site.")
        if self.current_user is None:
            raise NotSignedIn("Sign in to JupyterLab first, or sign in to DAPP with your email and password.")

    def check_xsrf_cookie(self) -> None:
        """Jupyter's check where Jupyter's login counts.

        Everywhere else a request stands on a DAPP token in a header, or on nothing; no cookie adds to its power, so
        another site's page cannot borrow any.
        """
        operation = self.operations.get(self._verb)
        if operation is not None and operation.access == "jupyter":
            super().check_xsrf_cookie()

    def announced_size(self) -> int | None:
        """Bytes of the body, where the client says it."""
        text = self.request.headers.get("Content-Length", "")
        return int(text) if text.isascii() and text.isdigit() else None

    def _worth_draining(self) -> bool:
        """Whether the answer can wait for the end of the body, which keeps the connection; no body ends at once."""
        headers = self.request.headers
        return "Expect" not in headers and "Transfer-Encoding" not in headers and (self.announced_size() or 0) <= DRAIN_LIMIT

    # -- the body -----------------------------------------------------------------------------------------------

    async def data_received(self, chunk: bytes) -> None:
        if self._refusal is not None:
            self.drop(chunk)
            return
        await self.take(chunk)
        if self._refusal is not None and not self.parted:
            await self.part(as_dapp_error(self._refusal))

    async def give_up(self, error: DappError) -> None:
        self._refusal = error
        self._body.clear()
        await super().give_up(error)

    async def take(self, chunk: bytes) -> None:
        """Keep a piece of the body."""
        self._body += chunk
        if len(self._body) > self.body_limit():
            self._body.clear()
            self._refusal = TooLarge(f"A request of this kind may carry {self.body_limit():,} bytes at the most.")

    # -- the answer ---------------------------------------------------------------------------------------------

    @allow_unauthenticated
    async def get(self, **path: str) -> None:
        await self._serve(path)

    @allow_unauthenticated
    async def head(self, **path: str) -> None:
        await self._serve(path)

    @allow_unauthenticated
    async def post(self, **path: str) -> None:
        await self._serve(path)

    @allow_unauthenticated
    async def put(self, **path: str) -> None:
        await self._serve(path)

    @allow_unauthenticated
    async def patch(self, **path: str) -> None:
        await self._serve(path)

    @allow_unauthenticated
    async def delete(self, **path: str) -> None:
        await self._serve(path)

    @allow_unauthenticated
    def options(self, **path: str) -> None:
        if self.parted:
            self.take_leave()
            return
        if self._refusal is not None:
            raise self._refusal
        self.set_cors_headers()
        self.set_header("Allow", ", ".join(self.allowed_methods()))
        if "Access-Control-Allow-Origin" in self._headers:
            self.set_header("Access-Control-Allow-Methods", ", ".join(self.allowed_methods()))
            self.set_header("Access-Control-Allow-Headers", "authorization, content-type, x-dapp-authorization, x-request-id")
            self.set_header("Access-Control-Max-Age", "600")
        self.set_status(204)

    async def _serve(self, path: Mapping[str, str]) -> None:
        self.stop_watch()
        if self.parted:
            self.take_leave()
            return
        if self._refusal is not None:
            raise self._refusal
        await self.answer(path)

    async def answer(self, path: Mapping[str, str]) -> None:
        """Run the operation and send what it gives."""
        question = self._question()
        answer: Content | Download | None = None if question is None else self.backend.kept.find(question)
        if answer is None:
            given = self._as_it_came(path)
            answer = await perform_soon(self.operation, given) or await self._ask(given, question)
        if self.backend.is_open and self.operation.takes == "application/json" and (answer is None or isinstance(answer, Content)):
            self.backend.opened.system.pace.note("api", self.request.request_time())
        self.set_status(self.operation.status if answer is not None else 204)
        if answer is None:
            self.finish()
        elif isinstance(answer, Content):
            self.set_header("Content-Type", answer.media_type)
            self.finish(answer.content)
        else:
            await send_file(self, self.backend, answer)

    def _as_it_came(self, path: Mapping[str, str]) -> Raw:
        body, self._body = bytes(self._body), bytearray()
        return Raw(
            backend=self.backend,
            query=self._query(),
            path=path,
            address=self.address,
            request_id=self.request_id,
            account=self.account,
            body=body,
            content_type=self.request.headers.get("Content-Type", ""),
        )

    def _question(self) -> Question | None:
        """What this request asks, where its answer may be given again."""
        if not self.operation.settled or self.account is None or self._body:
            return None
        return None if self._stamp is None else Question(self.account.session_id or self.account.account_id, str(self.request.uri), self._stamp)

    async def _ask(self, given: Raw, question: Question | None) -> Content | Download | None:
        """Let the services answer, on a thread."""
        asked_at = time.monotonic()
        answer: Content | Download | None = await self.backend.call(perform, self.operation, given)
        if question is not None and isinstance(answer, Content):
            self.backend.kept.keep(question, asked_at, answer)
        return answer

    def _query(self) -> dict[str, list[bytes]]:
        query: dict[str, list[bytes]] = dict(self.request.query_arguments)
        if self.operation.access == "jupyter":
            query.pop("token", None)
            query.pop("_xsrf", None)
        return query


class NothingHere(DappHandler):
    """Any other address below ours."""

    async def prepare(self) -> None:
        self.forget_jupyter()
        raise HTTPError(404)

    @allow_unauthenticated
    def get(self) -> None:
        """Never reached; says that nobody has to be signed in to be told that nothing is here."""
