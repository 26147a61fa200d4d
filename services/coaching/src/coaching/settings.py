"""Every knob of coaching."""

from pydantic import Field, field_validator

from coaching.domain.quiet_hours import QuietHours
from kit.settings import DatabaseSettings, NatsSettings


class Settings(DatabaseSettings, NatsSettings):
    """Settings of coaching. MAX_WORKERS bounds the turns that one process walks at once: 16 for each worker."""

    llm_inference_address: str = Field("127.0.0.1:50053", description="host:port of llm-inference.")
    vector_search_address: str = Field("127.0.0.1:50054", description="host:port of vector-search.")
    turn_timeout_seconds: float = Field(
        120.0, ge=1, le=3600, description="Longest time from a turn's start to its reply."
    )
    turn_settle_seconds: float = Field(
        1.2, ge=0, le=60, description="A turn begins when nothing more has come for this long."
    )
    turn_settle_max_seconds: float = Field(
        5.0, ge=0, le=600, description="A turn begins at the latest this long after its first message."
    )
    turn_lease_seconds: int = Field(
        15, ge=2, le=600, description="A killed process's turns are taken up by another after this."
    )
    turns_per_minute: int = Field(12, ge=1, description="Turns of one person a minute that the model answers.")
    history_characters: int = Field(
        3000, ge=200, le=200_000, description="Longest history in a prompt; a longer one loses its older half at once."
    )
    reply_max_tokens: int = Field(160, ge=16, le=4096, description="Longest reply of the model, in tokens.")
    recall_texts: int = Field(3, ge=0, le=20, description="Earlier texts that a prompt is given at most.")
    recall_minimum_score: float = Field(0.35, ge=-1, le=1, description="How alike a recalled text must be (cosine).")
    recall_timeout_seconds: float = Field(1.5, gt=0, le=30, description="A turn waits this long for vector-search.")
    delivery_lease_seconds: float = Field(
        60.0, gt=0, le=3600, description="A delivery in flight without a report for this long becomes unknown."
    )
    delivery_patience_seconds: float = Field(
        600.0, gt=0, description="A delivery that nobody has claimed for this long is published again."
    )
    quiet_hours: str = Field(
        "21:00-08:00", description="When nobody is written to first, on the person's clock, unless they say otherwise."
    )
    proactive_per_day: int = Field(3, ge=0, description="Messages a day that the coach begins, for one person.")
    proactive_per_week: int = Field(15, ge=0, description="The same for seven days.")
    live_conversation_seconds: float = Field(
        600.0, ge=0, le=86_400, description="For so long after a person's message the coach does not write first."
    )
    dispatch_seconds: float = Field(1.0, gt=0, le=60, description="Pause between two looks for what is due.")
    prepare_ahead_seconds: float = Field(
        300.0, ge=0, le=3600, description="A check-in's words are prepared so long before it is due."
    )
    check_ins_per_person: int = Field(20, ge=1, le=1000, description="Check-ins that one person may have.")

    @field_validator("quiet_hours")
    @classmethod
    def check_quiet_hours(cls, value: str) -> str:
        """Refuse what is no pair of times."""
        QuietHours.parse(value)
        return value
