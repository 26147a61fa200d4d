"""Check-ins that are due: once each, by whichever replica, merged, held, and never where they may not leave."""

from datetime import UTC, datetime, timedelta

from support.coaching import Stage
from support.speaking import Person, add_check_in, nudges, proactive


async def test_a_due_check_in_is_dispatched_once(around: Stage) -> None:
    async with around.coaching(dispatch_seconds=0.1):
        anna = await Person.known(around, "anna")
        await add_check_in(around, anna)
        [message] = await proactive(around, 1)
        assert await proactive(around, 1, seconds=1) == []
    assert (message.address, message.turn_id, message.source) == ("anna", "", "template")
    [nudge] = await nudges(around)
    assert (nudge["state"], nudge["trigger"]) == ("dispatched", "scheduled_check_in")
    [check_in] = await around.rows("SELECT next_due_at FROM coaching.check_ins")
    assert timedelta(hours=22) < check_in["next_due_at"] - datetime.now(UTC) < timedelta(hours=26)
