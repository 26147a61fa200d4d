"""The words with which coaching holds or drops a nudge; docs/runbooks/a-check-in-did-not-arrive.md says more."""

REASONS = {
    # about the person
    "stopped": "the person wrote STOP, and has not written START since",
    "no_consent": "the person has not been told yet that they write with a machine, and how to stop it",
    "recipient_gone": "the person has left the channel, or blocked the coach there",
    "crisis_hold": "the person spoke of danger; coaching rests until they write START",
    "handed_over": "a human coach has taken over",
    "zone_unknown": "the person's time zone is not known, so nobody knows whether it is night there",
    "snoozed": "the person asked for rest until then",
    "quiet_hours": "the person's quiet hours",
    "live_conversation": "the person and the coach are talking at the moment",
    "window_closed": "the channel takes no first message at this time",
    # about time
    "not_yet": "its time has not come",
    "clocks_disagree": "this machine's clock and the database's do not say the same time",
    "clock_went_back": "a machine's clock had been ahead; it waits until that time has really come",
    "missed": "it could not leave at its time, and its catch-up is skip",
    "stale": "it is too late for it",
    "next_window": "it was late, and its catch-up waits for the next end of quiet hours",
    "no_longer_due": "what it waited to say is true no longer: the person has written, or was asked later",
    # about how much
    "day_cap": "as much as may be written first in a day has been",
    "week_cap": "as much as may be written first in a week has been",
    "merged": "said together with another one that was due then",
    # about the check-in and its delivery
    "check_in_paused": "the check-in was paused",
    "check_in_removed": "the check-in was removed",
    "trigger_unknown": "this release has no trigger of that name",
}


def meaning(word: str) -> str:
    """What a reason means, in a sentence without its end."""
    return REASONS.get(word, "see the runbook")
