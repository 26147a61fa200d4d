"""Verdicts: one bad event spoils no other, a database that is away loses none."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from coaching.app.ports import StoreRefusedError, StoreUnavailableError
from coaching.app.take_in import TakeIn, Verdict
from coaching.domain.deliveries import State
from coaching.domain.ids import OrganizationId
from coaching.domain.inbound import InboundEvent, InboundOptOut, InboundReceipt, InboundText, Place
from kit.clock import FixedClock

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE, TWO = OrganizationId("one"), OrganizationId("two")
DONE, LATER, POISON = Verdict.DONE, Verdict.LATER, Verdict.POISON


@dataclass
class Shelf:
    """An inbox that refuses texts that say "bad", knows the provider ids in `known`, and may be away."""

    known: set[str] = field(default_factory=set)
    away: set[str] = field(default_factory=set)
    stored: list[str] = field(default_factory=list)
    calls: int = 0

    async def take_texts(self, organization_id: OrganizationId, texts: Sequence[InboundText]) -> list[Place]:
        self.calls += 1
        if organization_id in self.away:
            raise StoreUnavailableError("08006")
        if any(text.text == "bad" for text in texts):
            raise StoreRefusedError("22000")
        self.stored += [text.event_id for text in texts]
        return [Place(text.channel, text.account, text.address) for text in texts]

    async def take_receipts(self, organization_id: OrganizationId, receipts: Sequence[InboundReceipt]) -> set[str]:
        return self.known

    async def take_opt_outs(self, organization_id: OrganizationId, opt_outs: Sequence[InboundOptOut]) -> None:
        self.stored += [opt_out.sender_id for opt_out in opt_outs]


@dataclass
class Bell:
    """Hears who is woken and who is told to wait."""

    woken: list[float] = field(default_factory=list)
    told: list[tuple[str, int]] = field(default_factory=list)

    def wake(self, after_seconds: float = 0.0) -> None:
        self.woken.append(after_seconds)

    async def queued(self, place: Place, turn_id: str, ahead: int) -> None:
        self.told.append((place.address, ahead))

    async def thinking(self, place: Place, turn_id: str) -> None: ...

    async def delta(self, place: Place, turn_id: str, text: str, index: int) -> None: ...


def text(event_id: str, says: str = "good", organization: OrganizationId = ONE) -> InboundText:
    return InboundText(organization, "web", "default", event_id, event_id, event_id, 1, says, "en", NOW)


def receipt(provider_id: str, age_seconds: float) -> InboundReceipt:
    at = NOW - timedelta(seconds=age_seconds)
    return InboundReceipt(ONE, "web", "default", provider_id, State.READ, "", at)


def taking(shelf: Shelf, bell: Bell, ahead: int = 0) -> TakeIn:
    return TakeIn(shelf, bell, FixedClock(NOW), bell, lambda: ahead, 1.2)


async def test_a_batch_is_one_call_and_wakes_the_worker_once_it_has_settled() -> None:
    shelf, bell = Shelf(), Bell()
    assert await taking(shelf, bell)([text("a"), text("b")]) == [DONE, DONE]
    assert (shelf.calls, bell.woken, bell.told) == (1, [1.2], [])


async def test_who_waits_behind_others_is_told() -> None:
    bell = Bell()
    await taking(Shelf(), bell, ahead=64)([text("a")])
    assert bell.told == [("a", 64)]


async def test_a_refused_event_is_poison_and_the_others_are_stored() -> None:
    shelf = Shelf()
    verdicts = await taking(shelf, Bell())([text("a"), text("b", "bad"), text("c")])
    assert verdicts == [DONE, POISON, DONE]
    assert shelf.stored == ["a", "c"]


async def test_when_the_database_is_away_for_one_organisation_its_events_come_again() -> None:
    shelf = Shelf(away={TWO})
    events = [text("a"), text("b", organization=TWO), text("c")]
    assert await taking(shelf, Bell())(events) == [DONE, LATER, DONE]


async def test_a_receipt_of_nothing_known_comes_again_until_it_is_too_old() -> None:
    events: list[InboundEvent] = [
        receipt("p1", 600),
        receipt("p2", 5),
        receipt("p3", 61),
        InboundOptOut(ONE, "web", "default", "x", NOW),
    ]
    shelf = Shelf(known={"p1"})
    assert await taking(shelf, Bell())(events) == [DONE, LATER, DONE, DONE]
    assert shelf.stored == ["x"]


async def test_no_events_need_no_call() -> None:
    shelf = Shelf()
    assert await taking(shelf, Bell())([]) == []
    assert shelf.calls == 0
