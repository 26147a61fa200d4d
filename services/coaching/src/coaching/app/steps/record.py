"""record: reply, state and outbox row in one transaction, under the claim's fencing token."""

import asyncio

from coaching.app.ports import StoreUnavailableError, Turns
from coaching.domain.turn import TurnRecord
from kit import faultpoints, log
from kit.backoff import Backoff

TRIES = 8  # over some ten seconds: a database that restarts is back by then, and nothing has to be thought twice
_log = log.get_logger("coaching.record")


async def record(turns: Turns, done: TurnRecord) -> bool:
    """Write the turn; False where somebody else has taken the conversation over, and nothing was written."""
    faultpoints.reached("before_record")
    for _, delay in zip(range(TRIES - 1), Backoff(first=0.1, most=3).delays(), strict=False):
        try:
            written = await turns.record(done)
        except StoreUnavailableError as error:
            _log.warning("record_postponed", exc_info=error)
            await asyncio.sleep(delay)
        else:
            break
    else:
        written = await turns.record(done)
    faultpoints.reached("after_record")
    return written
