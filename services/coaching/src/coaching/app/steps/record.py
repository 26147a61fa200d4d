"""record: reply, state and outbox row in one transaction, under the claim's fencing token."""

from coaching.app.ports import Turns
from coaching.domain.turn import TurnRecord
from kit import faultpoints


async def record(turns: Turns, done: TurnRecord) -> bool:
    """Write the turn; False where somebody else has taken the conversation over, and nothing was written."""
    faultpoints.reached("before_record")
    written = await turns.record(done)
    faultpoints.reached("after_record")
    return written
