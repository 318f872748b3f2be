"""The page behind a link for one use: a new account, or a new password. Looking at it does not use the link up."""

from __future__ import annotations

from pydantic import ValidationError

from dapp_ext.errors import DappError, Denied, Invalid, NotSignedIn, PasswordWeak
from dapp_ext.handlers.wire import status_of
from dapp_ext.schema.signins import LinkAccept, LinkOffer
from dapp_panel.routes.signin import EntryHandler

LONGEST_LINK = 512


class AcceptHandler(EntryHandler):
    """Shows what a link offers, and takes the name and password that its person chooses."""

    async def get(self) -> None:
        token = self.get_query_argument("token", "")[:LONGEST_LINK]
        await self._show(token)

    async def post(self) -> None:
        token = self.get_body_argument("token", "")[:LONGEST_LINK]
        name = self.get_body_argument("name", "")[:120]
        try:
            self.check_same_origin()
            password = self.get_body_argument("password", "", strip=False)
            if password != self.get_body_argument("again", "", strip=False):
                raise PasswordWeak("The two passwords differ. Type the same one twice.")
            cookie, device = await self.dashboard.crew.run(self._accept, LinkAccept(token=token, password=password, name=name))
        except ValidationError:
            await self._show(token, Invalid("Choose a name and a password."), name=name)
        except DappError as error:
            await self._show(token, error, name=name)
        else:
            await self.let_in(cookie, device)

    def _accept(self, request: LinkAccept) -> tuple[str, str]:
        from dapp_ext.services.known_tokens import Entry  # loaded by now; importing it takes seconds

        accounts = self.dashboard.services.accounts
        actor = self.dashboard.services.invitations.accept(request, Entry("dashboard", self.request.remote_ip or "", self.request_id))
        return accounts.open_browser_session(actor, door="dashboard", address=self.request.remote_ip), accounts.device_mark(actor)

    async def _show(self, token: str, error: DappError | None = None, *, name: str = "") -> None:
        offer: LinkOffer | None = None
        try:
            offer = await self.dashboard.crew.run(self.dashboard.services.invitations.offer, token)
        except NotSignedIn as spent:
            if error is None or isinstance(error, NotSignedIn):
                error = spent
        if error is not None:
            self.set_status(status_of(error))
        self.render(
            "accept.html",
            assets=self.dashboard.assets,
            offer=offer,
            token=token,
            name=name or (offer.name if offer else ""),
            sentence=error.message if error else "",
            warning=isinstance(error, (NotSignedIn, Denied, Invalid)),
            theme=self.theme(),
        )
