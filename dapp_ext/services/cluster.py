"""A Dask cluster as the machines beyond this one (``DAPP_DASK_ADDRESS``).

What goes there is a function of ours and the prepared rows that it needs, over TLS; neither a key nor the database does.
A worker that is lost costs what it was doing: Dask gives that to another one, and what no machine brings back is done
here. Results come back as the objects that they are, so a cluster must be as trusted as this process is.
"""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from dapp_ext.domain.machines import Lost
from dapp_ext.errors import SettingInvalid
from dapp_ext.settings import Settings

log = logging.getLogger(__name__)
CONNECT_SECONDS = 10.0
# So many candidates are on their way for each thread of the cluster, that none waits for the next.
AHEAD = 2


@dataclass(frozen=True)
class Cluster:
    """Where a cluster is, and the folder with the certificates that it is spoken to with."""

    address: str
    certificates: str = ""


def cluster_of(settings: Settings) -> Cluster | None:
    """The cluster of the settings, if there is one.

    Raises
    ------
    SettingInvalid
        If data would travel in clear to other machines.
    """
    if not settings.dask_address:
        return None
    parts = urlsplit(settings.dask_address)
    if parts.scheme not in ("tls", "tcp") or not parts.hostname:
        raise SettingInvalid("DAPP_DASK_ADDRESS is not the address of a scheduler. It looks like tls://host:8786.")
    if parts.scheme == "tcp" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise SettingInvalid("DAPP_DASK_ADDRESS must begin with tls:// for another machine, since data goes there. Give DAPP_DASK_CERTIFICATES too.")
    return Cluster(settings.dask_address, settings.dask_certificates)


@contextmanager
def engine_of(cluster: Cluster | None) -> Iterator[DaskEngine | None]:
    """The machines of a cluster; ``None`` where there is none, or none that answers."""
    if cluster is None:
        yield None
        return
    with DaskEngine(cluster) as engine:
        yield engine if engine.width > 0 else None


class DaskEngine:
    """The machines of a cluster, as a search and a scoring see them. A context manager."""

    way = 0.5

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._client: Any = None
        self.width = 1

    def __enter__(self) -> Self:
        try:
            from distributed import Client, Security
        except ModuleNotFoundError as error:
            raise SettingInvalid(f"DAPP_DASK_ADDRESS needs {error.name}. Run: pip install 'jupyter-dapp[dask]'") from error
        security = None
        if self._cluster.certificates:
            folder = Path(self._cluster.certificates)
            security = Security(
                tls_ca_file=str(folder / "ca.pem"),
                tls_client_cert=str(folder / "cert.pem"),
                tls_client_key=str(folder / "key.pem"),
                require_encryption=True,
            )
        try:
            self._client = Client(self._cluster.address, security=security, timeout=CONNECT_SECONDS, set_as_default=False)
            threads = sum(each["nthreads"] for each in self._client.scheduler_info(n_workers=-1)["workers"].values())
        except (OSError, TimeoutError) as error:
            log.warning("The Dask cluster does not answer, so the work is done here: %s", type(error).__name__)
            self._give_up()
            threads = 0
        self.width = AHEAD * threads
        return self

    def __exit__(self, *_: object) -> None:
        if self._client is not None:
            self._client.close(timeout=2)

    def keep(self, value: Any) -> Any:
        """Bring a value to all machines; each that is lost has taken only its own copy with it."""
        try:
            return _Kept(value, self._client.scatter(value, broadcast=True, hash=False))
        except (Exception, CancelledError) as error:  # noqa: BLE001  the cluster is gone: each of its layers says so in its own way
            log.warning("The Dask cluster is gone, so the work is done here: %s", type(error).__name__)
            return _Kept(value, None)

    def submit(self, function: Callable[..., Any], *given: Any) -> Future[Any]:
        """Run a function on one of the machines."""
        outcome: Future[Any] = Future()
        sent = [each.future if isinstance(each, _Kept) else each for each in given]
        if any(isinstance(each, _Kept) and each.future is None for each in given):
            outcome.set_exception(Lost("the cluster"))
            return outcome
        try:
            running = self._client.submit(function, *sent, pure=False, retries=2)
        except (Exception, CancelledError) as error:  # noqa: BLE001  the same
            outcome.set_exception(Lost(type(error).__name__))
            return outcome
        running.add_done_callback(lambda done: _settle(done, outcome))
        return outcome

    def _give_up(self) -> None:
        if self._client is not None:
            self._client.close(timeout=1)
            self._client = None


@dataclass(frozen=True)
class _Kept:
    """A value, and what stands for it on the machines."""

    value: Any
    future: Any


def _settle(done: Any, outcome: Future[Any]) -> None:
    """Hand over what came back; called on a thread of the client."""
    if outcome.cancelled():
        return
    try:
        outcome.set_result(done.result(timeout=CONNECT_SECONDS))
    except BaseException as error:  # noqa: BLE001  whatever was raised over there ends this one piece of work only
        from distributed import KilledWorker

        log.warning(
            "The cluster did not bring a result back, so it is made here: %s", "a worker was lost" if isinstance(error, KilledWorker) else type(error).__name__
        )
        outcome.set_exception(Lost(type(error).__name__))
