"""Every trigger: one file and one line here."""

from coaching.app.trigger import Trigger, Triggers
from coaching.triggers.inactivity import Inactivity
from coaching.triggers.scheduled_check_in import ScheduledCheckIn

_ALL: tuple[Trigger, ...] = (
    ScheduledCheckIn(),
    Inactivity(),
)
TRIGGERS: Triggers = {trigger.name: trigger for trigger in _ALL}
