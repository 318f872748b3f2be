"""A few honest numbers about this server, in Prometheus's text format."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from dapp_ext.schema.system import StatusRead

_VERBS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS")


class Metrics:
    """Counts for one server; a registry of its own, so that Jupyter's ``/metrics`` stays as it is."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter("dapp_requests", "Requests answered.", ["method", "status"], registry=self._registry)
        self._seconds = Histogram("dapp_request_seconds", "Time to answer, in seconds.", registry=self._registry)
        self._waiting = Gauge("dapp_calls_in_hand", "Calls of services that run or wait for a thread.", registry=self._registry)
        self._sockets = Gauge("dapp_feed_connections", "Browsers and scripts that follow the feed.", registry=self._registry)
        self._jobs = Gauge("dapp_jobs", "Jobs by status, in the whole workspace.", ["status"], registry=self._registry)
        self._workers = Gauge("dapp_workers", "Workers that reported lately.", registry=self._registry)

    def answered(self, method: str, status: int, seconds: float) -> None:
        # A verb is the caller's word: one that nobody knows must not make a line of its own.
        self._requests.labels(method if method in _VERBS else "other", str(status)).inc()
        self._seconds.observe(seconds)

    def waiting(self, count: int) -> None:
        self._waiting.set(count)

    def connected(self, count: int) -> None:
        self._sockets.set(count)

    def text(self, status: StatusRead) -> bytes:
        """Everything, with the workspace's state as it is now."""
        self._jobs.labels("queued").set(status.queued)
        self._jobs.labels("running").set(status.running)
        self._workers.set(len(status.workers))
        return generate_latest(self._registry)
