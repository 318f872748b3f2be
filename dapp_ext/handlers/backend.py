"""What the handlers of one server share: the services, opened in the background, and the threads that call them."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Coroutine, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

from dapp_ext.errors import Busy, DappError, Unavailable
from dapp_ext.handlers.frames import Crowd
from dapp_ext.handlers.kept import KeptAnswers
from dapp_ext.handlers.metrics import Metrics
from dapp_ext.handlers.processes import ChildProcess
from dapp_ext.handlers.rates import Rate
from dapp_ext.logs import outline
from dapp_ext.settings import Settings, hide_secrets, read_settings

if TYPE_CHECKING:
    from dapp_ext.handlers.events import FeedSocket
    from dapp_ext.services import Services

P = ParamSpec("P")
R = TypeVar("R")

SETTING = "dapp_backend"
THREADS = 16
MOST_WAITING = 512
OPENING_FILES = 2
SWITCH_SECONDS = 0.001
OPEN_AGAIN_SECONDS = 5.0
END_SECONDS = 5.0
SHARE_SECONDS = 0.5
HOSTS_KEPT = 100


class Backend:
    """The services of one server, never touched on its event loop.

    Parameters
    ----------
    given : mapping
        Settings that win over everything else, by name; see :func:`dapp_ext.settings.read_settings`.
    log : logging.Logger
        Where a home folder that cannot be opened is told of.
    on_open : callable
        What to do with the services once they are open; called on a thread.
    """

    def __init__(self, given: Mapping[str, Any], log: logging.Logger, on_open: Callable[[Services], None]) -> None:
        self.log = log
        self.metrics = Metrics()
        self.dashboard = ChildProcess()
        self.kept = KeptAnswers()
        self.crowd = Crowd()
        self._hosts: set[str] = set()
        self.sockets: set[FeedSocket] = set()
        self.sessions_watched = False
        # Far above what one server can answer to a program that waits for its answers; a runaway loop meets it.
        self.rate = Rate(burst=20_000, per_second=2_000)
        self.public_rate = Rate(burst=200, per_second=20)
        self.base_url = "/"
        self.personal = True
        self._given = given
        self._on_open = on_open
        self._settings: Settings | None = None
        self._services: Services | None = None
        self._opening: asyncio.Task[None] | None = None
        self._refusal = Unavailable("DAPP is still starting. Try again in a moment.")
        self._refused_at = 0.0
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="dapp-call")
        # Sealing keeps Python's lock busy: with many threads at it the event loop waits for the lock at every step, and nothing
        # is gained. So one piece is sealed at a time, and few files are begun or brought to the disk at once.
        self.writing = asyncio.Semaphore(1)
        self.opening_files = asyncio.Semaphore(OPENING_FILES)
        self._waiting = 0
        self._closed = self._ended = False
        self._sharing: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._leading: dict[Hashable, asyncio.Future[Any]] = {}

    # -- opening and closing ------------------------------------------------------------------------------------

    @property
    def opened(self) -> Services:
        """The services.

        Raises
        ------
        Unavailable
            While they are not open.
        """
        if self._services is None:
            raise Unavailable(self._refusal.message)
        return self._services

    @property
    def is_open(self) -> bool:
        return self._services is not None

    def start(self) -> None:
        """Begin to open the services beside whatever else goes on."""
        if self._opening is None and not self._closed:
            # A thread that computes keeps the lock so long before the event loop gets its turn; Python's own 5 ms add up.
            sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_SECONDS))
            self._opening = self.spawn(self._open())

    async def services(self) -> Services:
        """The services, once they are open; a failed opening is tried again after a few seconds."""
        if self._services is None and not self._closed:
            if self._opening is not None and self._opening.done() and time.monotonic() - self._refused_at > OPEN_AGAIN_SECONDS:
                self._opening = None
            self.start()
            assert self._opening is not None
            await asyncio.shield(self._opening)
        return self.opened

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            self._services = await loop.run_in_executor(self._pool, self._open_here)
            if self._services.context.redis is not None:
                self._sharing = loop.create_task(self._share_counts(self._services))
        except DappError as error:
            self._refuse(error.message, error)
        except OSError as error:
            self._refuse("DAPP cannot use its home folder. The reason is in the server's log.", error)
        except Exception as error:  # noqa: BLE001  JupyterLab goes on without us, and says why
            self._refuse("DAPP could not be started. The reason is in the server's log.", error)

    async def _share_counts(self, services: Services) -> None:
        """Tell the other servers what was counted here, and hear what they counted."""
        redis = services.context.redis
        assert redis is not None
        while not self._closed:
            for kind, rate in (("rate", self.rate), ("public-rate", self.public_rate)):
                counted = rate.counted()
                if counted:
                    with suppress(Unavailable):  # too much to do at this moment: these are not told
                        rate.heard(await self.call(redis.exchange, kind, counted))
            await asyncio.sleep(SHARE_SECONDS)

    def _open_here(self) -> Services:
        settings = self.settings()
        from dapp_ext.services import open_services  # takes seconds to import, so never on the loop
        from dapp_ext.services.allocation import keep_settled

        services = open_services(settings)
        try:
            self._on_open(services)
            keep_settled()
        except BaseException:
            services.close()
            raise
        return services

    def _refuse(self, message: str, error: Exception) -> None:
        self._refusal = Unavailable(message)
        self._refused_at = time.monotonic()
        reason = f"{error.strerror}: {error.filename}" if isinstance(error, OSError) else message
        self.log.error("DAPP is not available: %s", reason)
        self.log.debug("%s", outline(error))

    def settings(self) -> Settings:
        """The settings, read once.

        Raises
        ------
        SettingInvalid
        """
        if self._settings is None:
            self._settings = read_settings(self._given)
            hide_secrets()  # kernels inherit this process's environment
        return self._settings

    def is_known_host(self, host: str, check: Callable[[], bool]) -> bool:
        """Whether requests may name this host; what Jupyter has allowed is not worked out again for every request."""
        if host in self._hosts:
            return True
        allowed = check()
        if allowed and len(self._hosts) < HOSTS_KEPT:
            self._hosts.add(host)
        return allowed

    @property
    def logs_json(self) -> bool:
        """Whether the log is for programs."""
        return self._settings is not None and self._settings.log_format == "json"

    def allowed_origins(self) -> frozenset[str]:
        """Origins besides the own one that browsers may call from."""
        try:
            settings = self.settings()
        except DappError:  # told when the services are opened
            return frozenset()
        named = {each.strip().rstrip("/").lower() for each in settings.allow_origin.split(",") if each.strip()}
        public = urlsplit(settings.public_url)
        if public.scheme and public.netloc:
            named.add(f"{public.scheme}://{public.netloc}".lower())
        return frozenset(named)

    async def close(self, *before: Callable[[], None] | None) -> None:
        """End the followers' lines, the processes that this server started, then the services.

        Parameters
        ----------
        *before : callable
            What else has to end while the services are still open; called on a thread.
        """
        loop = asyncio.get_running_loop()
        self._closed = True
        if self._sharing is not None:
            self._sharing.cancel()
        self._refusal = Unavailable("DAPP is shutting down.")
        for socket in list(self.sockets):
            socket.leave(1012, "The server is restarting.")
        ends = loop.time() + END_SECONDS
        while self._tasks and loop.time() < ends:
            await asyncio.wait(self._tasks, timeout=0.1)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*(loop.run_in_executor(None, end) for end in (self.dashboard.stop, *before) if end is not None))
        services, self._services = self._services, None
        if services is not None:
            await loop.run_in_executor(None, services.close)
        self._ended = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Let something run beside the requests; :meth:`close` waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # -- calling ------------------------------------------------------------------------------------------------

    async def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a function on one of the threads.

        Raises
        ------
        Busy
            When too many calls wait already.
        Unavailable
            When this server has ended.
        """
        if self._ended:
            raise Unavailable(self._refusal.message)
        if self._waiting >= MOST_WAITING:
            raise Busy
        self._waiting += 1
        self.metrics.waiting(self._waiting)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, copy_context().run, partial(function, *args, **kwargs))
        finally:
            self._waiting -= 1
            self.metrics.waiting(self._waiting)

    async def joined(self, key: Hashable) -> bool:
        """Wait for a call that is under way under this key; whether there was one, however it ended."""
        running = self._leading.get(key)
        if running is None:
            return False
        await asyncio.wait([running])
        return True

    async def lead(self, key: Hashable, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The same as :meth:`call`; others with the same question may wait for it by :meth:`joined`."""
        running = asyncio.ensure_future(self.call(function, *args, **kwargs))
        self._leading[key] = running
        try:
            return await asyncio.shield(running)
        finally:
            if self._leading.get(key) is running:
                del self._leading[key]

    async def give_back(self, function: Callable[[], None]) -> None:
        """Clean up on a thread besides the bounded ones: it must happen also when those are busy, or gone."""
        await asyncio.to_thread(function)
