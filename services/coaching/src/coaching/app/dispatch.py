"""Speaking first: what is due is decided about, and what may leave is written for the relay in the same transaction.

Every replica does this; nobody leads. The person is the unit of work: whoever holds their lock decides about everything
that is due for them, so that caps hold and several nudges become one message.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from coaching.app.ports import DuePersons, Schedule, Spoken, StoreRefusedError, Talked
from coaching.app.trigger import Triggers
from coaching.app.trusted_time import TrustedTime
from coaching.domain.curated.menu import language_of_text
from coaching.domain.dispatching import Case, Judged, Plan, Rules, plan
from coaching.domain.last_said import last_said, reference
from coaching.domain.people import language_of
from coaching.domain.preparing import GOOD_FOR
from coaching.domain.proactive import Limits
from coaching.domain.quiet_hours import zone_of
from coaching.metrics import DISPATCH_LATENESS, NUDGES
from kit import log
from kit.ids import new_id

AT_ONCE = 500  # persons in one transaction
LANES = 2  # transactions of one organisation at once, where many are due
BATCHES = 20  # of a lane, before the loop looks whether to stop
PUT_OFF = timedelta(hours=1)  # of somebody whose rows the database refuses
# A message that has not left by then is not worth sending; what its check-in's policy says comes sooner.
STALE_AFTER = timedelta(hours=48)
_log = log.get_logger("coaching.dispatch")


@dataclass(frozen=True, slots=True)
class Speech:
    """What a nudge says, and who worded it."""

    text: str
    source: str


class Dispatch:
    """Takes up what is due, batch by batch; `relay` is told that there is something to publish."""

    def __init__(
        self, schedule: Schedule, triggers: Triggers, limits: Limits, time: TrustedTime, relay: Callable[[], None]
    ) -> None:
        self._schedule = schedule
        self._triggers = triggers
        self._rules = Rules(triggers, limits, new_id)
        self._time = time
        self._wake_relay = relay

    async def __call__(self) -> int:
        """Take up one batch of each organisation; return for how many persons something was due."""
        at, world = self._time.earliest(), self._time.world_offset().total_seconds()
        database_now, due = await self._schedule.organizations_due(at, world)
        self._time.moments(database_now)  # reckoned with from the start, not only from when something is due
        taken = 0
        for organization_id in due:
            taken += await self._organization(organization_id, at, world)
        return taken

    async def _organization(self, organization_id: str, at: datetime, world: float) -> int:
        try:
            return await self._batches(organization_id, at, world)
        except StoreRefusedError as error:
            # One person's rows are not as they should be: each alone, so that they hold up nobody else.
            _log.error("dispatch_refused", exc_info=error)
            return await self._in_turns(AT_ONCE, lambda: self._batch(organization_id, at, world, most=1))

    async def _batches(self, organization_id: str, at: datetime, world: float) -> int:
        """Take up batches of one organisation: while the database writes one, the next one is decided about."""
        first = await self._batch(organization_id, at, world, AT_ONCE)
        if first < AT_ONCE:
            return first
        lanes = [
            self._in_turns(BATCHES, lambda: self._batch(organization_id, at, world, AT_ONCE)) for _ in range(LANES)
        ]
        results = await asyncio.gather(*lanes, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return first + sum(result for result in results if isinstance(result, int))

    @staticmethod
    async def _in_turns(most: int, batch: Callable[[], Awaitable[int]]) -> int:
        taken = 0
        for _ in range(most):
            found = await batch()
            taken += found
            if not found:
                break
        return taken

    async def _batch(self, organization_id: str, at: datetime, world: float, most: int) -> int:
        cases: Sequence[Case] = ()
        try:
            async with self._schedule.due(organization_id, at, world, most) as persons:
                if persons is None:
                    return 0
                cases = persons.cases
                moments = self._time.moments(persons.database_now)
                plans = [plan(case, moments, self._rules) for case in cases]
                now = moments[0]
                written = await persons.write(plans, await self._words(persons, plans, now), now, now + STALE_AFTER)
        except StoreRefusedError as error:
            if most > 1 or not cases:
                raise
            _log.error("person_put_off", people=len(cases), exc_info=error)
            await self._schedule.put_off(organization_id, [case.person_id for case in cases], at, at + PUT_OFF)
            return len(cases)
        _count(plans, written)
        if any(item.speaking for item in plans):
            self._wake_relay()
        return len(cases)

    async def _words(self, persons: DuePersons, plans: Sequence[Plan], now: datetime) -> list[Spoken]:
        speaking = [(item.case, nudge) for item in plans if (nudge := item.speaking) is not None]
        ahead = {nudge.nudge.nudge_id: _prepared(case, nudge, now) for case, nudge in speaking}
        bare = [case.person_id for case, nudge in speaking if ahead[nudge.nudge.nudge_id] is None]
        talked = await persons.talked(bare) if bare else {}
        words: list[Spoken] = []
        for case, nudge in speaking:
            speech = ahead[nudge.nudge.nudge_id] or self._template(case, nudge, talked, now)
            words.append(Spoken(nudge.nudge.nudge_id, new_id(), new_id(), speech.text, speech.source))
        return words

    def _template(self, case: Case, nudge: Judged, talked: Mapping[str, Talked], now: datetime) -> Speech:
        lately = talked.get(case.person_id, Talked())
        language = language_of_text(lately.said[0].text if lately.said else "", language_of(case.locale))
        said = last_said(lately.said, language)
        sentence = reference(said, now, zone_of(case.person.time_zone) or UTC, language) if said else None
        trigger = self._triggers[nudge.nudge.trigger]
        return Speech(trigger.template(language, sentence, lately.spoken), "template")


def _prepared(case: Case, nudge: Judged, now: datetime) -> Speech | None:
    """Return the words that were made ahead, unless they are of another time, old, or behind what was said since."""
    words = nudge.prepared
    fresh = (
        words.text
        and words.due_at == nudge.nudge.due_at
        and words.at is not None
        and now - max(words.at, nudge.nudge.due_at) <= GOOD_FOR
        and case.newest == words.position
    )
    return Speech(words.text, words.source or "model") if fresh else None


def _count(plans: Sequence[Plan], written: set[str]) -> None:
    outcomes: Counter[tuple[str, str]] = Counter()
    for item in plans:
        for move in item.moves:
            if move.broken:
                _log.error("rule_cannot_be_followed", check_in_id=move.check_in_id)
        for judged in item.judged:
            if judged.nudge.nudge_id in written:
                outcomes[judged.nudge.trigger, judged.state.value] += 1
        if item.speaking is not None:
            DISPATCH_LATENESS.observe(float(item.speaking.facts.get("late_seconds", 0)))
    for (trigger, outcome), number in outcomes.items():
        NUDGES.labels(trigger, outcome).inc(number)
