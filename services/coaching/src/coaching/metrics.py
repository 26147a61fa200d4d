"""Metrics of this service, each declared once; labels come from closed sets."""

from kit.metrics import counter, gauge, histogram

TURNS = counter("coaching_turns_total", "Turns by who worded the answer and how they ended.", ("source", "outcome"))
TURN_SECONDS = histogram("coaching_turn_duration_seconds", "Seconds from taking a turn up to its record.", ("source",))
STEP_SECONDS = histogram("coaching_step_duration_seconds", "Seconds of one step of a turn.", ("step",))
TURNS_OPEN = gauge("coaching_turns_open", "Turns that this process is walking now.")
TAKEN_IN = counter("coaching_inbound_events_total", "Inbound events by what became of them.", ("kind", "outcome"))
DELIVERY_DECISIONS = counter("coaching_delivery_decisions_total", "Answers to claims.", ("decision", "reason"))
DELIVERY_REPORTS = counter("coaching_delivery_reports_total", "Reports of senders.", ("state", "applied"))
SWEPT = counter("coaching_deliveries_swept_total", "Deliveries looked after by the sweep.", ("outcome",))
REMEMBERED = counter("coaching_texts_remembered_total", "Texts given to the memory index.", ("outcome",))
NUDGES = counter("coaching_nudges_total", "Nudges by what was decided when they fell due.", ("trigger", "outcome"))
DISPATCH_LATENESS = histogram(
    "coaching_dispatch_lateness_seconds", "Seconds from when a nudge might leave until it was dispatched."
)
CLOCK_DISAGREEMENT = gauge(
    "coaching_clock_disagreement_seconds", "How far the clocks are apart that say whether a nudge may leave."
)
BACKLOG_ROWS = gauge(
    "coaching_backlog_rows", "Rows of work that wait: conversation, outbox, memory, check_in, nudge.", ("kind",)
)
BACKLOG_SECONDS = gauge("coaching_backlog_oldest_seconds", "Age of the oldest row of work that waits.", ("kind",))
PREPARED = counter("coaching_prepared_total", "Check-ins looked after ahead of their time, by outcome.", ("outcome",))
