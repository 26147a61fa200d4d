"""llm-inference: settings -> provider -> line and breaker -> use case -> servers."""

import time

from contracts.llm.v1 import llm_pb2_grpc
from kit import http, process
from kit.grpc_server import GrpcServer
from kit.log import get_logger
from llm_inference.app.generate import Generate
from llm_inference.domain.breaker import Breaker
from llm_inference.domain.errors import BackendUnavailableError
from llm_inference.domain.limits import Limits
from llm_inference.domain.line import Line
from llm_inference.entrypoints.grpc import LlmInferenceServicer
from llm_inference.providers.registry import PROVIDERS
from llm_inference.settings import LlmInferenceSettings

log = get_logger("llm_inference")


async def build(settings: LlmInferenceSettings, life: process.Life) -> None:
    """Put the service together and start it."""
    provider = PROVIDERS[settings.llm_provider](settings)
    generate = Generate(
        provider,
        Line(workers=settings.max_workers * provider.per_worker, most_waiting=settings.llm_queue_size),
        Breaker(),
        Limits(context_tokens=settings.llm_context_tokens),
        now=time.monotonic,
    )
    # While a large model loads, the process already says that it lives.
    life.readiness.add("model", _loading)
    await http.HttpServer(http.ops_app(life), settings.bind_host, settings.http_port, life).start()
    try:
        await provider.start()
    except BackendUnavailableError as error:
        raise process.StartError(str(error)) from None
    life.on_close(provider.close)

    server = GrpcServer(settings.bind_host, settings.grpc_port, life, settings.grpc_max_connection_age_seconds)
    servicer = LlmInferenceServicer(generate)
    server.add(llm_pb2_grpc.add_LlmInferenceServicer_to_server, servicer)
    life.on_drain(servicer.stop)  # ahead of the server's own, which waits for the streams
    await server.start()
    life.readiness.add("model", generate.check)
    log.info("model_served", provider=provider.name, workers=settings.max_workers, grpc_port=server.port)


async def _loading() -> None:
    raise BackendUnavailableError("the model is being loaded")


def main() -> None:
    """Run the service."""
    process.run("llm-inference", LlmInferenceSettings, build)


if __name__ == "__main__":
    main()
