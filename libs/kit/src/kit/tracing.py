"""OpenTelemetry traces that cross gRPC and NATS; attributes come from closed sets and opaque ids only."""

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.context import attach, detach
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from kit.log import error_name

_tracers: list[trace.Tracer] = []  # the one, once `configure` has said where its spans go


def configure(service: str, endpoint: str | None) -> TracerProvider | None:
    """Send spans to `endpoint` (OTLP over gRPC); without one nothing is recorded, and context still travels."""
    if not endpoint:
        return None
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    exporter = OTLPSpanExporter(endpoint=endpoint, insecure=not endpoint.startswith("https"))
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
    trace.set_tracer_provider(provider)
    _tracers.append(trace.get_tracer("coaching-platform"))
    return provider


@contextmanager
def span(name: str, kind: SpanKind = SpanKind.INTERNAL, **attributes: str | int | float | bool) -> Iterator[Span]:
    """Record a step. An error is recorded by its name alone: its text may quote what a person wrote."""
    if not _tracers:
        yield trace.INVALID_SPAN  # nothing is recorded; the context stays as it is
        return
    with _tracers[-1].start_as_current_span(
        name, kind=kind, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except BaseException as error:
            current.set_status(Status(StatusCode.ERROR, error_name(error)))
            raise


def inject(headers: MutableMapping[str, str]) -> MutableMapping[str, str]:
    """Add the current trace context (W3C traceparent) to headers or metadata, and return them."""
    propagate.inject(headers)
    return headers


def current() -> str:
    """Return the current context as a traceparent, to be kept beside what goes on later; empty where there is none."""
    return inject({}).get("traceparent", "")


@contextmanager
def continued(headers: Mapping[str, str] | None) -> Iterator[None]:
    """Make the trace current that came with headers or metadata."""
    token = attach(propagate.extract(dict(headers or {})))
    try:
        yield
    finally:
        detach(token)
