"""generate: sentences leave one at a time, each checked before anybody reads it."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from coaching.app.ports import Finished, Live, Model, ModelCard, ModelError, ModelEvent, Waiting, Words
from coaching.app.steps.plan import Composition, Plan, Prepared, Prose
from coaching.domain.curated import compose
from coaching.domain.inbound import Place
from coaching.domain.prompt import SYSTEM
from coaching.domain.reply_checks import ReplyChecks, Verdict
from coaching.domain.sentences import Sentence, SentenceSplitter
from coaching.domain.turn import Failure, ModelUse

MAX_SENTENCES = 6
STILL_WRITING_SECONDS = 1.0  # the channel adapter knows how long its channel shows it, and leaves out what is too much
PROSE_CHECKS = ReplyChecks.against(SYSTEM)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was released of a reply; `failure` says why it is not all of what was planned."""

    opening: tuple[Sentence, ...]  # the notice, where there is one: part of the message, not of the model's words
    sentences: tuple[Sentence, ...]
    use: ModelUse | None = None
    failure: Failure | None = None


@dataclass(slots=True)
class Release:
    """Sentences on their way to the person: checked, shown where words show before the message comes, kept."""

    live: Live
    place: Place
    turn_id: str
    opening: list[Sentence] = field(default_factory=list)
    sentences: list[Sentence] = field(default_factory=list)
    told_at: float = field(default_factory=time.monotonic)

    async def open_with(self, notice: str) -> None:
        """Release the notice; it was written by people and needs no check."""
        await self._publish(Sentence(notice))
        self.opening.append(Sentence(notice))

    async def offer(self, sentence: Sentence) -> bool:
        """Release a sentence if it passes; return whether more may come."""
        verdict = PROSE_CHECKS.verdict(sentence.text, [earlier.text for earlier in self.sentences])
        if verdict is Verdict.STOP:
            return False
        if verdict is Verdict.KEEP:
            if not self.sentences:
                sentence = replace(sentence, lead="\n\n" if self.opening else "")
            await self._publish(sentence)
            self.sentences.append(sentence)
        return len(self.sentences) < MAX_SENTENCES

    async def _publish(self, sentence: Sentence) -> None:
        if self.place.shows_words:
            index = len(self.opening) + len(self.sentences)
            await self.live.delta(self.place, self.turn_id, sentence.lead + sentence.text, index)
        elif (now := time.monotonic()) - self.told_at >= STILL_WRITING_SECONDS:
            self.told_at = now
            await self.live.thinking(self.place, self.turn_id)


async def generate(model: Model, release: Release, plan: Plan, notice: str | None, seconds: float) -> Spoken:
    """Release the notice, then the reply; what has been released stays, whatever fails after it."""
    if notice is not None:
        await release.open_with(notice)
    use: ModelUse | None = None
    failure: Failure | None = None
    match plan.way:
        case Prepared(failure=failure):
            pass
        case Prose() | Composition():
            use, failure = await _speak(model, release, plan.way, seconds)
    return Spoken(tuple(release.opening), tuple(release.sentences), use, failure)


async def _speak(
    model: Model, release: Release, way: Prose | Composition, seconds: float
) -> tuple[ModelUse | None, Failure | None]:
    """Release the reply; a model that went away before anything was released is asked once more.

    With several replicas another one answers, and nobody notices.
    """
    now = asyncio.get_running_loop().time
    until = now() + seconds
    use, failure = await _once(model, release, way, seconds)
    if failure is Failure.MODEL_UNAVAILABLE and now() < until:
        return await _once(model, release, way, until - now())
    return use, failure


async def _once(
    model: Model, release: Release, way: Prose | Composition, seconds: float
) -> tuple[ModelUse, Failure | None]:
    if isinstance(way, Prose):
        return await _stream(model, release, way, seconds)
    return await _compose(model, release, way, seconds)


async def _stream(model: Model, release: Release, way: Prose, seconds: float) -> tuple[ModelUse, Failure | None]:
    splitter = SentenceSplitter()
    heard = _Heard(way.card)
    more = True
    try:
        async with aclosing(_announced(model.generate(way.request, seconds), release)) as events:
            async for event in events:
                for sentence in splitter.feed(heard.take(event)):
                    more = more and await release.offer(sentence)
                if not more:
                    break
    except ModelError as error:
        return heard.use, _interrupted(error.failure, release)
    except TimeoutError:
        return heard.use, _interrupted(Failure.MODEL_TIMEOUT, release)
    # A text that was cut off by its limit ends with half a sentence: it is left out where there is a whole one.
    if more and (heard.complete or not release.sentences):
        for sentence in splitter.rest():
            _ = await release.offer(sentence)
    return heard.use, None


async def _compose(model: Model, release: Release, way: Composition, seconds: float) -> tuple[ModelUse, Failure | None]:
    heard = _Heard(way.card)
    text = ""
    try:
        async with aclosing(_announced(model.generate(way.request, seconds), release)) as events:
            async for event in events:
                text += heard.take(event)
    except ModelError as error:
        return heard.use, error.failure
    except TimeoutError:
        return heard.use, Failure.MODEL_TIMEOUT
    choice = compose.parsed(text, way.menu)
    if choice is None:
        return heard.use, Failure.NOTHING_USABLE
    for words in compose.composed(choice, way.menu, way.remembered, way.spoken):
        _ = await release.offer(Sentence(words, " "))
        await asyncio.sleep(0)
    return heard.use, None


def _interrupted(failure: Failure, release: Release) -> Failure:
    return Failure.MODEL_INTERRUPTED if release.sentences else failure


async def _announced(events: AsyncGenerator[ModelEvent, None], release: Release) -> AsyncGenerator[ModelEvent, None]:
    """Tell whoever waits in the model's queue how many are ahead, and pass everything else on."""
    waiting = False
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Waiting):
                waiting = event.ahead > 0
                if waiting:
                    await release.live.queued(release.place, release.turn_id, event.ahead)
                continue
            if waiting:
                waiting = False
                await release.live.thinking(release.place, release.turn_id)
            yield event


@dataclass(slots=True)
class _Heard:
    """What a stream has told so far; a stream that is cut off early tells no usage, so pieces count as tokens."""

    card: ModelCard
    pieces: int = 0
    finished: Finished | None = None

    def take(self, event: ModelEvent) -> str:
        match event:
            case Words(text):
                self.pieces += 1
                return text
            case Finished():
                self.finished = event
        return ""

    @property
    def complete(self) -> bool:
        return self.finished is not None and self.finished.complete

    @property
    def use(self) -> ModelUse:
        if self.finished is not None:
            return self.finished.use
        return ModelUse(self.card.name, self.card.sha256, self.card.provider, generated_tokens=self.pieces)
