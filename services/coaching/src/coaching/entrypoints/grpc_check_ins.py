"""The part of the gRPC service that is about speaking first."""

from dataclasses import dataclass

from coaching.app.check_ins.add import AddCheckIn
from coaching.app.check_ins.explain import ExplainNudge, ListNudges
from coaching.app.check_ins.listing import ListCheckIns
from coaching.app.check_ins.pause import PauseCheckIn, RemoveCheckIn
from coaching.app.check_ins.planning import Planned
from coaching.app.check_ins.preview import PreviewSchedule
from coaching.app.check_ins.quiet_hours import SetQuietHours
from coaching.domain.check_ins import CatchUp, CheckIn
from coaching.domain.explaining import ToldDecision, ToldNudge
from coaching.domain.quiet_hours import QuietHours
from coaching.entrypoints.check_in_requests import an_id, asked_check_in, asked_days, asked_times, person_ref
from coaching.entrypoints.grpc_edge import Context, maybe_stamp, stamp, stored
from contracts.coaching.v1 import coaching_pb2 as pb
from contracts.coaching.v1 import coaching_pb2_grpc

_CATCH_UPS = {
    CatchUp.SKIP: pb.CATCH_UP_SKIP,
    CatchUp.ONCE: pb.CATCH_UP_ONCE,
    CatchUp.NEXT_WINDOW: pb.CATCH_UP_NEXT_WINDOW,
}
_ADVICE = "list the check-ins to see their ids"


@dataclass(frozen=True, slots=True)
class CheckInCalls:
    """The use cases behind these calls."""

    add: AddCheckIn
    listing: ListCheckIns
    pause: PauseCheckIn
    remove: RemoveCheckIn
    quiet_hours: SetQuietHours
    preview: PreviewSchedule
    explain: ExplainNudge
    nudges: ListNudges


class SpeakingFirst(coaching_pb2_grpc.CoachingServicer):
    """Check-ins, what is planned, and why something came or did not."""

    def __init__(self, calls: CheckInCalls) -> None:
        self._calls = calls

    async def AddCheckIn(self, request: pb.AddCheckInRequest, context: Context) -> pb.AddCheckInResponse:
        """Add a check-in, once for each request_id."""

        async def work() -> pb.AddCheckInResponse:
            added = await self._calls.add(asked_check_in(request))
            return pb.AddCheckInResponse(check_in=_check_in(added.check_in), moved_check_ins=added.moved)

        return await stored(context, work())

    async def ListCheckIns(self, request: pb.ListCheckInsRequest, context: Context) -> pb.ListCheckInsResponse:
        """Return a person's check-ins, oldest first."""

        async def work() -> pb.ListCheckInsResponse:
            listed = await self._calls.listing(person_ref(request.person))
            return pb.ListCheckInsResponse(
                check_ins=map(_check_in, listed.check_ins),
                time_zone=listed.times.time_zone or "",
                quiet_hours=_quiet(listed.times.quiet),
                proactive_stopped=listed.times.proactive_stopped,
            )

        return await stored(context, work())

    async def PauseCheckIn(self, request: pb.PauseCheckInRequest, context: Context) -> pb.PauseCheckInResponse:
        """Pause or resume a check-in."""

        async def work() -> pb.PauseCheckInResponse:
            check_in_id = an_id(request.check_in_id, "check_in_id", _ADVICE)
            changed = await self._calls.pause(person_ref(request.person), check_in_id, paused=request.paused)
            return pb.PauseCheckInResponse(check_in=_check_in(changed))

        return await stored(context, work())

    async def RemoveCheckIn(self, request: pb.RemoveCheckInRequest, context: Context) -> pb.RemoveCheckInResponse:
        """Remove a check-in."""

        async def work() -> pb.RemoveCheckInResponse:
            await self._calls.remove(person_ref(request.person), an_id(request.check_in_id, "check_in_id", _ADVICE))
            return pb.RemoveCheckInResponse()

        return await stored(context, work())

    async def SetQuietHours(self, request: pb.SetQuietHoursRequest, context: Context) -> pb.SetQuietHoursResponse:
        """Set a person's quiet hours and time zone."""

        async def work() -> pb.SetQuietHoursResponse:
            times, moved = await self._calls.quiet_hours(*asked_times(request))
            return pb.SetQuietHoursResponse(
                time_zone=times.time_zone or "", quiet_hours=_quiet(times.quiet), moved_check_ins=moved
            )

        return await stored(context, work())

    async def PreviewSchedule(self, request: pb.PreviewScheduleRequest, context: Context) -> pb.PreviewScheduleResponse:
        """Say what would be due, and what would be decided about it."""

        async def work() -> pb.PreviewScheduleResponse:
            preview = await self._calls.preview(person_ref(request.person), asked_days(request.days))
            return pb.PreviewScheduleResponse(
                planned=map(_planned, preview.planned),
                time_zone=preview.time_zone or "",
                has_more=preview.has_more,
            )

        return await stored(context, work())

    async def ExplainNudge(self, request: pb.ExplainNudgeRequest, context: Context) -> pb.ExplainNudgeResponse:
        """Return every decision about one nudge, oldest first."""

        async def work() -> pb.ExplainNudgeResponse:
            organization_id = an_id(request.organization_id, "organization_id", "it names the nudge's organisation")
            nudge_id = an_id(request.nudge_id, "nudge_id", "list the person's nudges to see their ids")
            nudge, decisions = await self._calls.explain(organization_id, nudge_id)
            return pb.ExplainNudgeResponse(nudge=_nudge(nudge), decisions=map(_decision, decisions))

        return await stored(context, work())

    async def ListNudges(self, request: pb.ListNudgesRequest, context: Context) -> pb.ListNudgesResponse:
        """Return a person's nudges, newest first."""

        async def work() -> pb.ListNudgesResponse:
            nudges = await self._calls.nudges(person_ref(request.person), request.limit)
            return pb.ListNudgesResponse(nudges=map(_nudge, nudges))

        return await stored(context, work())


def _check_in(item: CheckIn) -> pb.CheckIn:
    return pb.CheckIn(
        check_in_id=item.check_in_id, person_id=item.person_id, trigger=item.trigger, rule=item.rule,
        local_time=f"{item.local_time:%H:%M}", time_zone=item.time_zone, catch_up=_CATCH_UPS[item.catch_up],
        after_days=item.after_days, paused=item.paused, next_due_at=maybe_stamp(item.next_due_at),
        created_at=maybe_stamp(item.created_at),
    )  # fmt: skip


def _quiet(hours: QuietHours | None) -> pb.QuietHours | None:
    return None if hours is None else pb.QuietHours(start=f"{hours.start:%H:%M}", end=f"{hours.end:%H:%M}")


def _planned(item: Planned) -> pb.PlannedNudge:
    return pb.PlannedNudge(
        due_at=stamp(item.due_at), local_due=item.local_due, trigger=item.trigger, check_in_id=item.check_in_id,
        verdict=item.verdict, reason=item.reason, until=maybe_stamp(item.until), nudge_id=item.nudge_id,
    )  # fmt: skip


def _nudge(item: ToldNudge) -> pb.Nudge:
    nudge = item.nudge
    return pb.Nudge(
        nudge_id=nudge.nudge_id, person_id=nudge.person_id, check_in_id=nudge.check_in_id, trigger=nudge.trigger,
        due_at=stamp(nudge.due_at), state=item.state.value, reason=item.reason, merged_into=item.merged_into,
        delivery_id=item.delivery_id, delivery_state=item.delivery_state, channel=item.channel, source=item.source,
        why=item.why,
    )  # fmt: skip


def _decision(item: ToldDecision) -> pb.NudgeDecision:
    return pb.NudgeDecision(
        at=stamp(item.at), asked_by=item.asked_by, verdict=item.verdict, reason=item.reason,
        until=maybe_stamp(item.until), facts=item.facts,
    )  # fmt: skip
