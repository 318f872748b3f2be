"""What all routes and pages of one dashboard process share."""

from __future__ import annotations

import asyncio
import logging
import secrets
import weakref
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from dapp_ext.errors import DappError, NotSignedIn
from dapp_ext.logs import outline
from dapp_ext.settings import Settings
from dapp_panel.assets import Assets
from dapp_panel.auth import Cookie, Doorkeeper, Origins
from dapp_panel.calls import Desk
from dapp_panel.conversation import Conversation
from dapp_panel.crew import Crew

if TYPE_CHECKING:
    from dapp_ext.services import Services

log = logging.getLogger(__name__)

SECONDS_BETWEEN_CHECKS = 3.0


class Dashboard:
    """Services, threads, doorkeeper, built files and the open pages of this process."""

    def __init__(self, services: Services, settings: Settings, port: int) -> None:
        self.services = services
        self.settings = settings
        self.crew = Crew("dashboard")
        self.transfers = Crew("transfer", hands=6, waiting=64)
        # Sealing keeps Python's lock busy, so pieces of files are sealed one at a time and the event loop gets its turns.
        self.sealing = asyncio.Semaphore(1)
        self.assets = Assets.load()
        self.origins = Origins.of(settings, port)
        self.doorkeeper = Doorkeeper(services, self.crew, Cookie.of(settings))
        self.desk = Desk(services, self.doorkeeper)
        # Making a session keeps the event loop busy, so they are made one at a time, with room for others between.
        self.opening = asyncio.Semaphore(1)
        self.session_secret = secrets.token_urlsafe(32)
        self._open: weakref.WeakSet[Conversation] = weakref.WeakSet()

    def opened(self, conversation: Conversation) -> None:
        """A page has come."""
        self._open.add(conversation)

    @property
    def conversations(self) -> list[Conversation]:
        """The pages that are open."""
        return [each for each in self._open if not each.closed]

    async def watch_sessions(self) -> None:
        """End pages whose sign-in has ended elsewhere, within seconds, also when nobody touches them."""
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_CHECKS)
            try:
                await self._check_all()
            except Exception as error:  # noqa: BLE001
                # Whatever it was: were this to end, no sign-in would be checked any more.
                log.error("sign-ins could not be checked:\n%s", outline(error))

    async def _check_all(self) -> None:
        # Apart from the loop above, so that no name there keeps pages alive while it sleeps.
        by_cookie: defaultdict[str, list[Conversation]] = defaultdict(list)
        for each in self.conversations:
            if each.state.signed_in:
                by_cookie[each.visitor.cookie].append(each)
        for cookie, pages in by_cookie.items():
            await self._check(cookie, pages)

    async def _check(self, cookie: str, pages: Iterable[Conversation]) -> None:
        try:
            await self.crew.run(self.doorkeeper.look_up, cookie, "")
        except NotSignedIn:
            for page in pages:
                page.end()
        except DappError as error:
            log.warning("sign-ins could not be checked: %s", error.code)

    def close(self) -> None:
        """Let go of pages and threads."""
        for each in self.conversations:
            each.close()
        self.crew.close()
        self.transfers.close()
