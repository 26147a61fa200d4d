"""Every metric that more than one service has, declared once; a service declares its own with the same helpers."""

from collections.abc import Sequence
from functools import cache
from typing import TypeVar

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

M = TypeVar("M", Counter, Gauge, Histogram)
CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)


def _kept(metric: M) -> M:
    """Keep what labels() finds: looking for it costs more than counting, and it is the same for ever."""
    metric.labels = cache(metric.labels)  # type: ignore[method-assign]  # of this one metric; its class serves others
    return metric


def counter(name: str, text: str, labels: Sequence[str] = ()) -> Counter:
    """Declare a counter; label values come from closed sets, never from what people send."""
    return _kept(Counter(name, text, labels))


def gauge(name: str, text: str, labels: Sequence[str] = ()) -> Gauge:
    """Declare a gauge."""
    return _kept(Gauge(name, text, labels))


def histogram(name: str, text: str, labels: Sequence[str] = (), buckets: Sequence[float] = SECONDS) -> Histogram:
    """Declare a histogram; buckets in the unit that the name ends with."""
    return _kept(Histogram(name, text, labels, buckets=buckets))


HTTP_REQUESTS = counter("http_requests_total", "HTTP requests by route template.", ("method", "endpoint", "status"))
HTTP_SECONDS = histogram("http_request_duration_seconds", "Seconds of an HTTP request.", ("method", "endpoint"))
DB_CONNECTIONS = gauge("active_database_connections", "Connections to PostgreSQL that are in use.")
AI_SECONDS = histogram("ai_response_duration_seconds", "Seconds from asking a model to its last token.", ("provider",))
GRPC_SECONDS = histogram("grpc_request_duration_seconds", "Seconds of a gRPC call, served.", ("method", "code"))
NATS_PUBLISHED = counter("nats_messages_published_total", "Messages stored by JetStream.", ("stream",))
NATS_CONSUMED = counter("nats_messages_consumed_total", "Messages fetched from JetStream.", ("consumer",))
PROCESS_TASK_FAILURES = counter("background_task_failures_total", "Background tasks that ended by an error.", ("task",))


def render() -> bytes:
    """Return all metrics of this process in the text format of Prometheus."""
    return generate_latest()
