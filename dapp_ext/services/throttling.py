"""Slowing down whoever guesses passwords, without giving strangers a way to lock anybody out.

Failures are counted by account and network together, and by network alone, so that a stranger elsewhere slows only
itself down. A browser that has signed in before carries a mark: its attempts are counted apart, so that strangers behind
the same proxy do not hinder it either. Only after a hundred failures in a row from anywhere (NIST SP 800-63B, 3.2.2) an
account takes passwords from networks and browsers that it knows, and from nobody else. Accounts that do not exist are
counted alike, so that nothing can be learned. The counts are kept in the database: a restart forgets nothing. An attempt
counts as a failure from its beginning on, until it has succeeded, so that many at the same moment gain nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from dataclasses import dataclass
from datetime import timedelta

from dapp_ext.errors import Throttled
from dapp_ext.schema.base import now
from dapp_ext.services.context import Context
from dapp_ext.store import accounts as store
from dapp_ext.store.database import Session
from dapp_ext.store.tables import LoginFailure

FREE_FAILURES = 5
CLIENT_FAILURES = 30
CLIENT_FAILURES_LONG = 300
CLIENT_PAUSE = timedelta(seconds=12)
EVERYWHERE_FAILURES = 100
FAILURES_FORGOTTEN = timedelta(hours=1)
EVERYWHERE_FORGOTTEN = timedelta(days=1)
CLIENT_WINDOW = timedelta(minutes=1)
KNOWN_FOR = timedelta(days=30)
LONGEST_DELAY = 300
# Clocks of several machines differ by less; a failure further in the future was before the clock was put back.
CLOCKS_APART = timedelta(seconds=60)
_MARK = "dapp_dm_"


@dataclass(frozen=True)
class Attempt:
    """One attempt to sign in: what its failure counts for. ``client`` and ``client_long`` are empty for a browser that is known."""

    mine: str
    client: str
    client_long: str
    everywhere: str

    @property
    def of_client(self) -> tuple[str, ...]:
        """What counts for its network, whichever account it is for."""
        return (self.client, self.client_long) if self.client else ()


class Throttle:
    """Lets attempts through, or says when to come back."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._key = context.secret("device")

    def device_mark(self, email: str) -> str:
        """What a browser keeps after a sign-in, so that it is known the next time. It opens nothing by itself."""
        chance = secrets.token_urlsafe(16)
        return f"{_MARK}{chance}.{self._seal(email, chance)}"

    def attempt(self, email: str, address: str, device: str = "") -> Attempt:
        """Begin an attempt. From now on it counts as a failure, until :meth:`succeeded` takes that back.

        Parameters
        ----------
        email : str
            As it is stored: trimmed, in small letters.
        address : str
            Where it comes from.
        device : str
            The mark that the browser carries, if it has one.

        Raises
        ------
        Throttled
            With the seconds to wait, also when the password would be right.
        """
        attempt = self._attempt(email, address, device)
        with self._context.database.write() as session:
            self._refuse_early(session, attempt, email, address)
            self._count(session, attempt)
        return attempt

    def look(self, email: str, address: str, device: str = "") -> None:
        """Raise what :meth:`attempt` would raise now; nothing is counted."""
        with self._context.database.read() as session:
            self._refuse_early(session, self._attempt(email, address, device), email, address)

    def _attempt(self, email: str, address: str, device: str) -> Attempt:
        who, place = hashlib.sha256(email.encode()).hexdigest()[:32], network(address)
        if self._is_mark_of(email, device):
            return Attempt(f"device:{hashlib.sha256(device.encode()).hexdigest()[:32]}", "", "", f"everywhere:{who}")
        return Attempt(f"account:{who}|{place}", f"client:{place}", f"client-long:{place}", f"everywhere:{who}")

    def succeeded(self, attempt: Attempt) -> None:
        """Forget the failures before a success."""
        with self._context.database.write() as session:
            store.clear_failures(session, attempt.mine)
            store.clear_failures(session, attempt.everywhere)
            for key in attempt.of_client:
                store.take_back_failure(session, key)

    def _refuse_early(self, session: Session, attempt: Attempt, email: str, address: str) -> None:
        wait = _delay(store.failures(session, attempt.mine))
        if attempt.client:
            wait = max(wait, _client_delay(store.failures(session, attempt.client)), _long_delay(store.failures(session, attempt.client_long)))
            everywhere, place = store.failures(session, attempt.everywhere), network(address)
            if _is_besieged(everywhere) and not any(network(each) == place for each in store.known_addresses(session, email, now() - KNOWN_FOR)):
                wait = max(wait, float(LONGEST_DELAY))
        if wait > 0:
            seconds = int(wait) + 1
            raise Throttled(f"Too many failed sign-ins. Try again in {'a second' if seconds == 1 else f'{seconds} seconds'}.", retry_after=seconds)

    def _count(self, session: Session, attempt: Attempt) -> None:
        moment = now()
        store.count_failure(session, attempt.mine, forget_before=moment - FAILURES_FORGOTTEN)
        if attempt.client:
            store.count_failure(session, attempt.client, forget_before=moment - CLIENT_WINDOW)
            store.count_failure(session, attempt.client_long, forget_before=moment - FAILURES_FORGOTTEN)
        store.count_failure(session, attempt.everywhere, forget_before=moment - EVERYWHERE_FORGOTTEN)

    def _seal(self, email: str, chance: str) -> str:
        return hmac.new(self._key, f"{email}|{chance}".encode(), hashlib.sha256).hexdigest()

    def _is_mark_of(self, email: str, device: str) -> bool:
        chance, dot, seal = device.removeprefix(_MARK).partition(".")
        return device.startswith(_MARK) and bool(dot) and len(device) < 200 and hmac.compare_digest(seal.encode(), self._seal(email, chance).encode())


def network(address: str) -> str:
    """What counts as one place: an IPv4 address, or the 64-bit network of an IPv6 one, of which a client has many."""
    try:
        given = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(given, ipaddress.IPv6Address):
        return str(given.ipv4_mapped or ipaddress.ip_network((int(given) >> 64 << 64, 64)))
    return str(given)


def _delay(row: LoginFailure | None) -> float:
    if row is None or row.count < FREE_FAILURES:
        return 0.0
    return _left(row, timedelta(seconds=min(LONGEST_DELAY, 2 ** min(row.count - FREE_FAILURES, 20))))


def _client_delay(row: LoginFailure | None) -> float:
    return 0.0 if row is None or row.count < CLIENT_FAILURES else _left(row, CLIENT_WINDOW)


def _long_delay(row: LoginFailure | None) -> float:
    """After hundreds of failures one in twelve seconds, 300 in an hour, until there was none for an hour."""
    return 0.0 if row is None or row.count < CLIENT_FAILURES_LONG else _left(row, CLIENT_PAUSE)


def _left(row: LoginFailure, delay: timedelta) -> float:
    """Seconds until the delay after the last failure is over; none where the clock was put back meanwhile."""
    left = row.last_at + delay - now()
    return 0.0 if left > delay + CLOCKS_APART else left.total_seconds()


def _is_besieged(row: LoginFailure | None) -> bool:
    return row is not None and row.count >= EVERYWHERE_FAILURES and row.last_at > now() - EVERYWHERE_FORGOTTEN
