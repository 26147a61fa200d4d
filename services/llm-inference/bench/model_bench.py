"""The real model through llm-inference, beside the engine called directly, interleaved in one run.

    PYTHONPATH=tests .venv/bin/python services/llm-inference/bench/model_bench.py [--model small] [--rounds 5]

Prompts are of a real size: some 200 tokens of instructions and 800 of history. "Cold": nothing of the prompt is known.
"New person": the instructions are. "Returning": the person's history is, although others used every slot in between.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from contracts.llm.v1 import llm_pb2, llm_pb2_grpc
from kit import grpc_client
from llm_inference.providers.embedded.engine import Engine, cores_for
from support.models import default_model, small_model
from support.services import running_service

WORKERS = 4
CONTEXT_TOKENS = 4096
SECONDS = 600.0
TURNS = 14
WORDS_A_MESSAGE = 25
ANSWER_TOKENS = 24
GENERATED_TOKENS = 64
RETURNING_FLOOR = 20.0
ENGINE_FLOOR = 0.9
# A round in which others compute measures them too: it is repeated, at most this many times over.
MOST_FOREIGN_SHARE = 0.05
MOST_TRIES = 3
INSTRUCTIONS = (
    "You are a warm and brief coach. You answer in at most three sentences. You reflect what the person said, "
    "then ask one open question or propose one tiny step. You never diagnose and never promise. "
) * 5
WORDS = (
    "walk morning evening sleep phone work goal plan tired happy tea run book week friend talk habit small step water "
    "stairs music garden child letter train rain window kitchen promise doctor meeting holiday budget"
).split()

Message = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Timed:
    """What a caller saw: seconds to the first text, and tokens a second from there to the last."""

    first_seconds: float
    tokens_per_second: float
    text: str


def prompt(seed: int, *, instructions: str = INSTRUCTIONS, turns: int = TURNS) -> list[Message]:
    """Return a person's conversation, different for each seed."""
    words = random.Random(seed)
    said: list[Message] = [("system", instructions)]
    for _ in range(turns):
        said += [(who, " ".join(words.choices(WORDS, k=WORDS_A_MESSAGE))) for who in ("user", "assistant")]
    return [*said, ("user", f"I wanted to {words.choice(WORDS)} today but could not. What now?")]


def returning(first: Sequence[Message], answer: str) -> list[Message]:
    """Return the same conversation one turn later."""
    return [*first, ("assistant", answer), ("user", "Music helped me, and my friend too.")]


@asynccontextmanager
async def service(model: Path, folder: Path) -> AsyncIterator[Any]:
    """A gRPC stub of llm-inference, as a process of its own."""
    env = {
        "LLM_MODEL_PATH": str(model), "LLM_SLOTS_DIR": str(folder / "slots"), "MAX_WORKERS": str(WORKERS),
        "LLM_CONTEXT_TOKENS": str(CONTEXT_TOKENS), "LOG_LEVEL": "INFO",
    }  # fmt: skip
    async with running_service("llm-inference", env, folder) as running:
        channel = grpc_client.channel(running.address)
        yield llm_pb2_grpc.LlmInferenceStub(channel)
        await channel.close(None)


async def through_service(stub: Any, said: Sequence[Message], key: str, tokens: int = 1) -> Timed:
    """Generate through llm-inference."""
    speakers = {"system": llm_pb2.SPEAKER_SYSTEM, "user": llm_pb2.SPEAKER_USER, "assistant": llm_pb2.SPEAKER_ASSISTANT}
    messages = [llm_pb2.PromptMessage(speaker=speakers[who], text=text) for who, text in said]
    request = llm_pb2.GenerateRequest(
        messages=messages, max_tokens=tokens, cache_key=key, priority=llm_pb2.PRIORITY_INTERACTIVE, seed=1
    )
    clock = Stopwatch()
    async for response in stub.Generate(request, timeout=SECONDS):
        if response.delta.text:
            clock.tick(response.delta.text)
        elif response.WhichOneof("event") == "finish":
            return clock.timed(response.finish.generated_tokens)
    raise RuntimeError("the stream ended without a finish")


async def directly(engine: Engine, said: Sequence[Message], tokens: int) -> Timed:
    """Generate by the engine's own HTTP interface."""
    body = {
        "messages": [{"role": who, "content": text} for who, text in said], "max_tokens": tokens, "temperature": 0.0,
        "seed": 1, "stream": True, "cache_prompt": True, "id_slot": 0, "stream_options": {"include_usage": True},
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {engine.key}"}
    clock, generated = Stopwatch(), 0
    async with (
        httpx.AsyncClient(base_url=engine.url, headers=headers, timeout=SECONDS, trust_env=False) as http,
        http.stream("POST", "/v1/chat/completions", json=body) as response,
    ):
        async for line in response.aiter_lines():
            if line.startswith("data: {"):
                chunk = json.loads(line[6:])
                for text in filter(None, (choice["delta"].get("content") for choice in chunk["choices"])):
                    clock.tick(text)
                generated = (chunk.get("usage") or {}).get("completion_tokens", generated)
    return clock.timed(generated)


class Stopwatch:
    """Times from its making to the first tick, and from there to the last."""

    def __init__(self) -> None:
        self._begun = time.perf_counter()
        self._ticks: list[float] = []
        self._text = ""

    def tick(self, text: str) -> None:
        self._ticks.append(time.perf_counter())
        self._text += text

    def timed(self, tokens: int) -> Timed:
        between = self._ticks[-1] - self._ticks[0]
        return Timed(self._ticks[0] - self._begun, (tokens - 1) / between if between else 0.0, self._text)


async def first_tokens(stub: Any, rounds: int) -> dict[str, list[float]]:
    """Time first tokens: each round a cold prompt, a new person, strangers in all slots, and both persons' return."""
    found: dict[str, list[float]] = {"cold": [], "new person": [], "returning": []}
    for number in range(rounds):
        unknown = prompt(number, instructions=f"Round {number}. {INSTRUCTIONS}")
        known = prompt(1000 + number)
        if number == 0:
            await through_service(stub, prompt(999, turns=0), "warm")
        cold = await through_service(stub, unknown, f"cold-{number}", ANSWER_TOKENS)
        found["cold"].append(cold.first_seconds)
        found["new person"].append((await through_service(stub, known, f"new-{number}")).first_seconds)
        for other in range(WORKERS):
            await through_service(stub, prompt(other, turns=0), f"other-{number}-{other}")
        back = await through_service(stub, returning(unknown, cold.text), f"cold-{number}")
        found["returning"].append(back.first_seconds)
        say(f"round {number}: " + ", ".join(f"{name} {values[-1]:.2f} s" for name, values in found.items()))
    return found


async def speeds(stub: Any, engine: Engine, rounds: int) -> tuple[list[float], list[float]]:
    """Return tokens a second through the service and directly, measured in turns after a round to warm up."""
    said = [("system", INSTRUCTIONS), ("user", "Tell me a long story about a person who learns to walk every morning.")]
    quiet: list[tuple[float, float]] = []
    noisy: list[tuple[float, float]] = []
    for number in range(rounds * MOST_TRIES + 1):
        others = Others()
        through = await through_service(stub, said, "speed", GENERATED_TOKENS)
        direct = await directly(engine, said, GENERATED_TOKENS)
        share = others.share()
        if number:
            (quiet if share < MOST_FOREIGN_SHARE else noisy).append(
                (through.tokens_per_second, direct.tokens_per_second)
            )
            say(
                f"round {number}: {through.tokens_per_second:.1f} tokens/s through the service, "
                f"{direct.tokens_per_second:.1f} directly (others used {share:.0%} of the machine)"
            )
        if len(quiet) >= rounds:
            break
    if len(quiet) < rounds:
        say("the machine was busy: rounds are counted in which others computed too")
        quiet += noisy
    ours, floor = zip(*quiet, strict=True)
    return list(ours), list(floor)


class Others:
    """How much of the machine is used by processes that are not this bench or its service."""

    def __init__(self) -> None:
        self._begun = time.perf_counter()
        self._all, self._own = _all_seconds(), _own_seconds()

    def share(self) -> float:
        """Return the others' share of all cores since this was made."""
        foreign = (_all_seconds() - self._all) - (_own_seconds() - self._own)
        return max(0.0, foreign / ((time.perf_counter() - self._begun) * (os.cpu_count() or 1)))


def _all_seconds() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _own_seconds() -> float:
    me = psutil.Process()
    return float(sum(process.cpu_times().user + process.cpu_times().system for process in (me, *me.children(True))))


def say(text: str) -> None:
    sys.stderr.write(f"  {text}\n")


async def measure(name: str, model: Path, rounds: int) -> list[dict[str, Any]]:
    """Run both measurements and return the figures."""
    say(f"{model.name}, {cores_for(0)} of {os.cpu_count()} cores, load before: {os.getloadavg()[0]:.2f}")
    with tempfile.TemporaryDirectory(prefix="model-bench-") as scratch:
        folder = Path(scratch)
        async with service(model, folder) as stub:
            first = await first_tokens(stub, rounds)
            states = folder / "direct"
            states.mkdir()
            engine = await asyncio.to_thread(Engine, model, WORKERS, CONTEXT_TOKENS, 0, states)
            ours, floor = await speeds(stub, engine, rounds + 2)
            engine.close()
    middle: Callable[[list[float]], float] = statistics.median
    cold, back = middle(first["cold"]), middle(first["returning"])
    ratio = middle([through / direct for through, direct in zip(ours, floor, strict=True)])
    return [
        figure(f"{name}: first token, cold", cold, "s"),
        figure(f"{name}: first token, new person", middle(first["new person"]), "s"),
        figure(f"{name}: first token, returning", back, "s", RETURNING_FLOOR, cold / back),
        figure(f"{name}: engine alone", middle(floor), "tokens/s"),
        figure(f"{name}: through llm-inference", middle(ours), "tokens/s", ENGINE_FLOOR, ratio),
    ]


def figure(
    name: str, value: float, unit: str, floor: float | None = None, ratio: float | None = None
) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "floor": floor, "ratio": ratio}


def main() -> None:
    """Measure, and print the figures as the last line."""
    parser = argparse.ArgumentParser(description="The real model through llm-inference, beside its engine.")
    parser.add_argument("--model", choices=("default", "small"), default="default")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    model = default_model() if chosen.model == "default" else small_model()
    print(json.dumps(asyncio.run(measure(f"{chosen.model} model", model, chosen.rounds))))


if __name__ == "__main__":
    main()
