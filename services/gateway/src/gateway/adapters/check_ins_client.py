"""Coaching over gRPC: when it writes first to a guest."""

import re
from collections.abc import Awaitable
from datetime import UTC
from typing import TypeVar

import grpc

from contracts.coaching.v1 import coaching_pb2 as pb
from contracts.coaching.v1.coaching_pb2_grpc import CoachingStub
from gateway.adapters.grpc_errors import refused_by
from gateway.domain.check_ins import Added, CheckIn, NewCheckIn, QuietHours, QuietHoursSet, Schedule
from gateway.domain.conversation import WEB_ACCOUNT, WEB_CHANNEL
from gateway.domain.refusals import Reason, Refused
from gateway.domain.sessions import GuestId

Answer = TypeVar("Answer")
# Coaching's sentence begins with the field of its request that it is about: "time_zone: there is no such zone."
FIELD = re.compile(r"(?:quiet_hours\.)?(local_time|time_zone|rule|quiet_hours|start|end)\b(?:: )?")


class CheckInsClient:
    """Implements CheckIns for the guests of one organisation."""

    def __init__(self, channel: grpc.aio.Channel, organization_id: str) -> None:
        self._stub = CoachingStub(channel)
        self._organization_id = organization_id

    async def schedule(self, guest_id: GuestId, timeout_seconds: float) -> Schedule:
        """Return the guest's check-ins."""
        request = pb.ListCheckInsRequest(person=self._person(guest_id))
        try:
            found = await asked(self._stub.ListCheckIns(request, timeout=timeout_seconds), Reason.NOT_KNOWN_YET)
        except Refused as refused:
            if refused.reason is not Reason.NOT_KNOWN_YET:
                raise
            return Schedule(known=False)
        return Schedule(
            known=True,
            check_ins=tuple(_check_in(check_in) for check_in in found.check_ins),
            time_zone=found.time_zone,
            quiet_hours=_quiet_hours(found.quiet_hours),
            stopped=found.proactive_stopped,
        )

    async def add(self, guest_id: GuestId, new: NewCheckIn, timeout_seconds: float) -> Added:
        """Add a check-in."""
        request = pb.AddCheckInRequest(
            person=self._person(guest_id), rule=new.rule, local_time=new.local_time, time_zone=new.time_zone,
            request_id=new.request_id,
        )  # fmt: skip
        answer = await asked(self._stub.AddCheckIn(request, timeout=timeout_seconds), Reason.NOT_KNOWN_YET)
        return Added(_check_in(answer.check_in), answer.moved_check_ins)

    async def pause(self, guest_id: GuestId, check_in_id: str, paused: bool, timeout_seconds: float) -> CheckIn:
        """Pause a check-in, or let it go on."""
        request = pb.PauseCheckInRequest(person=self._person(guest_id), check_in_id=check_in_id, paused=paused)
        answer = await asked(self._stub.PauseCheckIn(request, timeout=timeout_seconds), Reason.NOT_FOUND)
        return _check_in(answer.check_in)

    async def remove(self, guest_id: GuestId, check_in_id: str, timeout_seconds: float) -> None:
        """Remove a check-in."""
        request = pb.RemoveCheckInRequest(person=self._person(guest_id), check_in_id=check_in_id)
        await asked(self._stub.RemoveCheckIn(request, timeout=timeout_seconds), Reason.NOT_FOUND)

    async def set_quiet_hours(
        self, guest_id: GuestId, quiet_hours: QuietHours, time_zone: str, timeout_seconds: float
    ) -> QuietHoursSet:
        """Set the hours in which nothing is written first."""
        request = pb.SetQuietHoursRequest(
            person=self._person(guest_id), time_zone=time_zone,
            quiet_hours=pb.QuietHours(start=quiet_hours.start, end=quiet_hours.end),
        )  # fmt: skip
        answer = await asked(self._stub.SetQuietHours(request, timeout=timeout_seconds), Reason.NOT_KNOWN_YET)
        return QuietHoursSet(_quiet_hours(answer.quiet_hours), answer.time_zone, answer.moved_check_ins)

    def _person(self, guest_id: GuestId) -> pb.PersonRef:
        return pb.PersonRef(
            organization_id=self._organization_id, channel=WEB_CHANNEL, account=WEB_ACCOUNT, sender_id=guest_id
        )


async def asked(call: Awaitable[Answer], missing: Reason) -> Answer:
    """Return coaching's answer; raises Refused, with its sentence where that says what to correct."""
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        code, advice = error.code(), error.details() or ""
        if code is grpc.StatusCode.NOT_FOUND:
            raise Refused(missing) from None
        if code is grpc.StatusCode.INVALID_ARGUMENT:
            raise _not_possible(advice) from None
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            raise Refused(Reason.TOO_MANY, advice=advice) from None
        raise refused_by("coaching", error) from None


def _not_possible(sentence: str) -> Refused:
    about = FIELD.match(sentence)
    if about is None:
        return Refused(Reason.NOT_POSSIBLE, advice=sentence)
    rest = sentence[about.end() :]
    advice = rest[:1].upper() + rest[1:] if about[0].endswith(": ") else sentence
    return Refused(Reason.NOT_POSSIBLE, advice=advice, field=about[1])


def _check_in(check_in: pb.CheckIn) -> CheckIn:
    has_next = check_in.HasField("next_due_at")
    return CheckIn(
        check_in_id=check_in.check_in_id, trigger=check_in.trigger, rule=check_in.rule, local_time=check_in.local_time,
        time_zone=check_in.time_zone, after_days=check_in.after_days, paused=check_in.paused,
        next_due_at=check_in.next_due_at.ToDatetime(UTC) if has_next else None,
        created_at=check_in.created_at.ToDatetime(UTC),
    )  # fmt: skip


def _quiet_hours(quiet_hours: pb.QuietHours) -> QuietHours:
    return QuietHours(quiet_hours.start, quiet_hours.end)
