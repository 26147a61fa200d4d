"""A receiver of OpenTelemetry traces (OTLP over gRPC) that keeps every span as it came over the wire."""

from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


class SpanCollector(trace_service_pb2_grpc.TraceServiceServicer):
    """Use as a context manager; `url` is what OTEL_EXPORTER_OTLP_ENDPOINT takes."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.names: list[str] = []
        self.traces: dict[bytes, set[str]] = {}
        self._server: grpc.Server | None = None
        self.url = ""

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802  # the protocol's name
        self.raw.append(request.SerializeToString())
        for resource in request.resource_spans:
            service = next(
                (item.value.string_value for item in resource.resource.attributes if item.key == "service.name"), ""
            )
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.names.append(span.name)
                    self.traces.setdefault(span.trace_id, set()).add(service)
        return trace_service_pb2.ExportTraceServiceResponse()

    def __enter__(self) -> Self:
        self._server = grpc.server(ThreadPoolExecutor(max_workers=2))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]  # generated without types
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        self.url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.stop(1).wait(5)
