"""A few honest numbers about this server, in Prometheus's text format."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from dapp_ext.schema.system import NumbersRead

_VERBS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS")
# The addresses at which a model answers at once.
PREDICTIONS = ("/models/{ref}/predict",)


class Metrics:
    """Counts for one server; a registry of its own, so that Jupyter's ``/metrics`` stays as it is."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter("dapp_requests", "Requests answered.", ["method", "status"], registry=self._registry)
        self._seconds = Histogram("dapp_request_seconds", "Time to answer, in seconds.", registry=self._registry)
        self._waiting = Gauge("dapp_calls_in_hand", "Calls of services that run or wait for a thread.", registry=self._registry)
        self._sockets = Gauge("dapp_feed_connections", "Browsers and scripts that follow the feed.", registry=self._registry)
        self._told = Counter("dapp_feed_frames", "Events handed to those who follow the feed here.", registry=self._registry)
        self._answers = Histogram("dapp_prediction_seconds", "Time to answer a prediction, in seconds.", registry=self._registry)
        self._jobs = Gauge("dapp_jobs", "Jobs by status, in the whole workspace.", ["status"], registry=self._registry)
        self._workers = Gauge("dapp_workers", "Workers that reported lately.", registry=self._registry)
        self._oldest = Gauge("dapp_queue_age_seconds", "How long the job waits that has waited longest.", registry=self._registry)
        self._events = Gauge("dapp_events", "The number of the newest event, in the whole workspace.", registry=self._registry)
        self._objects = Gauge("dapp_objects", "Sealed files, in the whole workspace.", registry=self._registry)
        self._stored = Gauge("dapp_stored_bytes", "Their bytes.", registry=self._registry)
        self._cached = Gauge("dapp_cached_bytes", "Decrypted columns that this process keeps.", registry=self._registry)
        self._shared = Gauge("dapp_redis_answers", "Whether Redis answers: 1 or 0; 0 too where there is none.", registry=self._registry)

    def answered(self, method: str, status: int, seconds: float, route: str = "") -> None:
        """Count an answer; ``route`` is the address in the route table."""
        # A verb is the caller's word: one that nobody knows must not make a line of its own.
        self._requests.labels(method if method in _VERBS else "other", str(status)).inc()
        self._seconds.observe(seconds)
        if route in PREDICTIONS:
            self._answers.observe(seconds)

    def told(self) -> None:
        """Count a frame of the feed."""
        self._told.inc()

    def waiting(self, count: int) -> None:
        self._waiting.set(count)

    def connected(self, count: int) -> None:
        self._sockets.set(count)

    def text(self, numbers: NumbersRead) -> bytes:
        """Everything, with the workspace's state as it is now."""
        self._jobs.labels("queued").set(numbers.queued)
        self._jobs.labels("running").set(numbers.running)
        self._workers.set(numbers.workers)
        self._oldest.set(numbers.oldest_queued_seconds)
        self._events.set(numbers.events)
        self._objects.set(numbers.objects)
        self._stored.set(numbers.stored_bytes)
        self._cached.set(numbers.cached_bytes)
        self._shared.set(float(bool(numbers.shared_cache)))
        return generate_latest(self._registry)
