"""Redis, where it is set: nudges between machines, answers that another process has worked out, counts of requests.

It never holds the only copy of anything. Whatever fails here is told once in the log and then answered as "not known",
and for a moment nobody asks again, so that a lost Redis costs a slower second and not a wait at every question.
Answers lie there sealed under the data key of what they are about, and go away by themselves.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from dapp_ext.errors import SettingInvalid
from dapp_ext.store.database import Session
from dapp_ext.store.wires import Heard

log = logging.getLogger(__name__)
T = TypeVar("T")
ANSWER_SECONDS = 3600
COUNT_SECONDS = 60
LARGEST_ANSWER = 4 * 2**20
WAIT_SECONDS = 0.5
AGAIN_SECONDS = 1.0


class Redis:
    """One Redis of a workspace.

    Parameters
    ----------
    url : str
        Such as ``redis://host:6379/0`` or ``rediss://…``.
    workspace : str
        In front of every name, so that several workspaces can share one server.
    """

    def __init__(self, url: str, workspace: str) -> None:
        self._name = f"dapp:{workspace}"
        self._client = _client(url)
        self._silent_until = 0.0
        self._told: dict[str, int] = {}
        self._lock = threading.Lock()

    @property
    def answers(self) -> bool:
        """Whether it answers at this moment."""
        return self._ask(lambda: bool(self._client.ping()), False)

    def get(self, name: str) -> bytes | None:
        """What was kept under a name; ``None`` when it is not known."""
        found: bytes | None = self._ask(lambda: self._client.get(f"{self._name}:answer:{name}"), None)
        return found

    def put(self, name: str, sealed: bytes) -> None:
        """Keep some sealed bytes for a while; too many are not kept."""
        if len(sealed) <= LARGEST_ANSWER:
            self._ask(lambda: self._client.set(f"{self._name}:answer:{name}", sealed, ex=ANSWER_SECONDS), None)

    def exchange(self, kind: str, counted: Mapping[str, int]) -> dict[str, int]:
        """Tell what was counted here since the last time, and learn what others have counted.

        Parameters
        ----------
        kind : str
            What is counted.
        counted : mapping
            How often, by caller.

        Returns
        -------
        dict
            How often other processes have counted each of these callers since the last time; nothing while Redis is away.
        """
        names = {caller: f"{self._name}:{kind}:{hashlib.sha256(caller.encode()).hexdigest()[:32]}" for caller in counted}

        def add() -> list[int]:
            pipe = self._client.pipeline(transaction=False)
            for caller, name in names.items():
                pipe.incrby(name, counted[caller])
                pipe.expire(name, COUNT_SECONDS)
            totals: list[int] = pipe.execute()[::2]
            return totals

        others: dict[str, int] = {}
        nothing: list[int] = []
        totals = self._ask(add, nothing) if names else nothing
        with self._lock:
            for (caller, name), total in zip(names.items(), totals, strict=False):
                # What was there before we first looked is not held against anybody.
                others[caller] = max(0, total - self._told.get(name, total - counted[caller]) - counted[caller])
                self._told[name] = total
            while len(self._told) > 10_000:
                self._told.pop(next(iter(self._told)))
        return others

    def publish(self, token: str) -> None:
        """Nudge everybody who follows."""
        self._ask(lambda: self._client.publish(f"{self._name}:bell", token), None)

    def follow(self) -> Iterator[str | None]:
        """Nudges as they come, beginning with an empty one; ``None`` whenever none came for a while."""
        with self._client.pubsub(ignore_subscribe_messages=True) as line:
            line.subscribe(f"{self._name}:bell")
            yield ""
            while True:
                message: Any = line.get_message(timeout=WAIT_SECONDS)
                yield None if message is None else bytes(message["data"]).decode()

    def close(self) -> None:
        self._client.close()

    def _ask(self, question: Callable[[], T], otherwise: T) -> T:
        from redis.exceptions import RedisError

        if time.monotonic() < self._silent_until:
            return otherwise
        try:
            found = question()
        except (RedisError, OSError) as error:
            self._silent_until = time.monotonic() + AGAIN_SECONDS
            log.warning("Redis does not answer, so everything goes on without it: %s", type(error).__name__)
            return otherwise
        return found


class RedisWire:
    """Nudges by publish and subscribe."""

    def __init__(self, url: str, workspace: str) -> None:
        self._redis = Redis(url, workspace)
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def open(self, heard: Heard) -> None:
        self._thread = threading.Thread(target=self._run, args=(heard,), name="dapp-wire", daemon=True)
        self._thread.start()

    def announce(self, session: Session, token: str) -> None:
        """Redis knows nothing of transactions; :meth:`send` follows the commit."""

    def send(self, token: str) -> None:
        self._redis.publish(token)

    def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            # Wakes the thread by the way that it listens on.
            self.send("")
            self._thread.join(WAIT_SECONDS * 3)
        self._redis.close()

    def _run(self, heard: Heard) -> None:
        from redis.exceptions import RedisError

        told = False
        while not self._closing.is_set():
            try:
                for token in self._redis.follow():
                    told = False
                    if self._closing.is_set():
                        return
                    if token is not None:
                        heard(token)
            except (RedisError, OSError) as error:
                if not told:
                    log.warning("Redis is lost, and looked for every second; until then news takes a second: %s", type(error).__name__)
                told = True
                self._closing.wait(AGAIN_SECONDS)


def _client(url: str) -> Any:
    try:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ModuleNotFoundError as error:
        raise SettingInvalid(f"REDIS_URL needs {error.name}. Run: pip install 'jupyter-dapp[redis]'") from error
    try:
        return redis.Redis.from_url(url, socket_timeout=WAIT_SECONDS * 2, socket_connect_timeout=WAIT_SECONDS, retry=Retry(NoBackoff(), 0))
    except ValueError as error:
        raise SettingInvalid("REDIS_URL is not an address of a Redis server. It looks like redis://host:6379/0.") from error
