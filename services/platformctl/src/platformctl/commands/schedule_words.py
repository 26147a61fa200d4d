"""Plans, nudges and decisions as `platformctl` prints them."""

from contracts.coaching.v1 import coaching_pb2 as pb
from platformctl.commands.reasons import meaning
from platformctl.commands.tables import local, local_text, maybe_local, rule_words, table

PREVIEW_HEAD = ("DUE", "TRIGGER", "VERDICT", "WHY")
NUDGES_HEAD = ("ID", "DUE", "TRIGGER", "STATE", "WHY", "DELIVERY")


def preview_words(answer: pb.PreviewScheduleResponse, days: int) -> str:
    """A table of what is planned, earliest first."""
    if not answer.planned:
        return (
            f"Nothing is due in the next {days} days. "
            "Check-ins that are there: `platformctl check-in list`; add one: `platformctl check-in add`."
        )
    lines = [f"Times of {answer.time_zone}." if answer.time_zone else "Times of each check-in's own zone.", ""]
    lines.append(table(PREVIEW_HEAD, [_planned(item, answer.time_zone) for item in answer.planned]))
    if answer.has_more:
        lines.append("There is more: look at fewer days.")
    return "\n".join(lines)


def _planned(item: pb.PlannedNudge, time_zone: str) -> tuple[str, ...]:
    why = item.reason
    if item.HasField("until"):
        why = f"{why} until {local(item.until, time_zone)}"
    if item.nudge_id:
        why = f"{why} (nudge {item.nudge_id})"
    return local_text(item.local_due), item.trigger, item.verdict, why


def nudges_words(answer: pb.ListNudgesResponse) -> str:
    """A table of nudges, newest first."""
    if not answer.nudges:
        return "Nothing has been due yet. See what will be: `platformctl schedule preview`."
    return table(NUDGES_HEAD, [_nudge(nudge) for nudge in answer.nudges])


def _nudge(nudge: pb.Nudge) -> tuple[str, ...]:
    delivery = f"{nudge.delivery_state} ({nudge.channel})" if nudge.delivery_id else "-"
    due = local(nudge.due_at, _zone(nudge))
    return nudge.nudge_id, due, nudge.trigger, nudge.state, nudge.reason or "-", delivery


def explained_words(answer: pb.ExplainNudgeResponse) -> str:
    """A nudge, each decision about it with its facts, and where its delivery stands."""
    nudge, zone = answer.nudge, _zone(answer.nudge)
    why = nudge.why
    lines = [
        f"Nudge {nudge.nudge_id} of person {nudge.person_id}",
        f"  {nudge.trigger}, check-in {nudge.check_in_id}: {rule_words(why.get('rule', ''))} at "
        f"{why.get('local_time', '?')} {why.get('time_zone', '?')}, catch-up {why.get('catch_up', '?')}",
        f"  due {local(nudge.due_at, zone)}, now {nudge.state}{_reason(nudge.reason)}",
    ]
    if nudge.merged_into:
        lines.append(f"  said together with nudge {nudge.merged_into}")
    lines.append(_delivery(nudge))
    lines.append("Decisions, oldest first:" if answer.decisions else "No decision was made about it yet.")
    for decision in answer.decisions:
        lines += _decision(decision, zone)
    return "\n".join(lines)


def _zone(nudge: pb.Nudge) -> str:
    return nudge.why.get("time_zone", "")


def _reason(word: str) -> str:
    return f" ({word}: {meaning(word)})" if word else ""


def _delivery(nudge: pb.Nudge) -> str:
    if not nudge.delivery_id:
        return "  no delivery was made"
    source = f", words by {nudge.source}" if nudge.source else ""
    return f"  delivery {nudge.delivery_id} on {nudge.channel}: {nudge.delivery_state}{source}"


def _decision(decision: pb.NudgeDecision, zone: str) -> list[str]:
    until = f" until {maybe_local(decision, 'until', zone)}" if decision.HasField("until") else ""
    facts = ", ".join(f"{name} {decision.facts[name]}" for name in sorted(decision.facts))
    lines = [f"  {local(decision.at, zone)}  {decision.asked_by}: {decision.verdict}{until}{_reason(decision.reason)}"]
    return [*lines, f"      {facts}"] if facts else lines
