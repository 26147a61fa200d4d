"""The SQL of the dispatch bench: its people, and the floor's statements."""

SET_ORGANIZATION = "SELECT set_config('app.organization_id', $1, true)"
_ORG = "'00000000-0000-7000-8000-000000000001'::uuid"
_ID = "md5('{kind}' || n)::uuid"


def _id(kind: str) -> str:
    return _ID.replace("{kind}", kind)


_EACH = "FROM generate_series(1, {persons}) AS n"
FILL = (
    f"""INSERT INTO coaching.people (organization_id, id, locale, time_zone, last_message_at, notice_given_at)
        SELECT {_ORG}, {_id("person")}, 'de', 'Europe/Berlin', now() - interval '1 day', now() {_EACH}""",
    f"""INSERT INTO coaching.identities (organization_id, channel, account, sender_id, person_id, last_inbound_at)
        SELECT {_ORG}, 'telegram', '1000', n::text, {_id("person")}, now() - interval '1 day' {_EACH}""",
    f"""INSERT INTO coaching.conversations (organization_id, id, person_id, channel, account, address, last_inbound_at)
        SELECT {_ORG}, {_id("conversation")}, {_id("person")}, 'telegram', '1000', n::text, now() - interval '1 day'
        {_EACH}""",
    f"""INSERT INTO coaching.turns (organization_id, id, conversation_id, person_id, source, attempts, lease_token,
            started_at)
        SELECT {_ORG}, {_id("turn")}, {_id("conversation")}, {_id("person")}, 'model', 1, 1, now() {_EACH}""",
    f"""INSERT INTO coaching.messages (organization_id, id, conversation_id, person_id, role, turn_id, text,
            prompt_text)
        SELECT {_ORG}, {_id("message")}, {_id("conversation")}, {_id("person")}, 'person', {_id("turn")},
            'I went for a long walk in the rain and it felt good', 'I went for a long walk' {_EACH}""",
    f"""INSERT INTO coaching.check_ins (organization_id, id, person_id, trigger, rule, local_time, time_zone, starts_on,
            catch_up)
        SELECT {_ORG}, {_id("check-in")}, {_id("person")}, 'scheduled_check_in', 'FREQ=DAILY', '00:00',
            'Europe/Berlin', current_date - 30 - n % 300, 'once' {_EACH}""",
)
# What a round wrote goes; what is due lies a few seconds back, at wall-clock times that the rules give.
RESET = (
    "TRUNCATE coaching.outbox, coaching.decisions, coaching.nudges, coaching.deliveries CASCADE",
    "DELETE FROM coaching.messages WHERE role = 'coach'",
    """UPDATE coaching.check_ins c SET next_due_at = due.at, local_time = (due.at AT TIME ZONE c.time_zone)::time,
            prepared_for = due.at, prepared_at = now(), prepared_source = 'model', prepared_position = m.position,
            prepared_text = CASE WHEN m.position % 20 = 0 THEN ''
                ELSE 'Yesterday you told me about your walk in the rain. What would be one small step for today?' END
        FROM (SELECT date_trunc('second', now()) - interval '5 seconds' AS at) AS due, coaching.messages m
        WHERE m.person_id = c.person_id AND m.role = 'person'""",
    "VACUUM ANALYZE coaching.check_ins, coaching.messages, coaching.people, coaching.nudges, coaching.deliveries",
    "CHECKPOINT",
)
COUNT = "SELECT count(*) FROM coaching.{table} WHERE to_jsonb({table}) ->> 'role' IS DISTINCT FROM 'person'"

_DUE = """
    WITH due AS MATERIALIZED (
        SELECT id, person_id, next_due_at FROM coaching.check_ins WHERE organization_id = $1 AND next_due_at <= now()
        ORDER BY next_due_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
    ), given AS MATERIALIZED (
        SELECT due.*, uuidv7() AS nudge, uuidv7() AS message, uuidv7() AS delivery, c.id AS conversation, c.address
        FROM due JOIN coaching.conversations c ON c.organization_id = $1 AND c.person_id = due.person_id
    ), moved AS (
        UPDATE coaching.check_ins c SET next_due_at = c.next_due_at + interval '1 day',
            prepare_token = c.prepare_token + 1, prepare_at = c.next_due_at + interval '1 day' - interval '5 minutes'
        FROM given WHERE c.organization_id = $1 AND c.id = given.id
    )
"""
_TEXT = "'Yesterday you told me about your walk in the rain. What would be one small step for today?'"
_OUTBOX = """
        INSERT INTO coaching.outbox (organization_id, id, subject, payload, trace)
        SELECT $1, delivery, 'outbound.proactive.telegram', convert_to(repeat('x', 320), 'UTF8'), '' FROM given
"""
FLOOR = f"""{_DUE}, nudged AS (
        INSERT INTO coaching.nudges (organization_id, id, person_id, check_in_id, trigger, catch_up, due_at, state, why)
        SELECT $1, nudge, person_id, id, 'scheduled_check_in', 'once', next_due_at, 'dispatched',
            '{{"rule": "FREQ=DAILY", "local_time": "08:30", "time_zone": "Europe/Berlin", "catch_up": "once"}}'
        FROM given
    ), decided AS (
        INSERT INTO coaching.decisions (organization_id, nudge_id, at, asked_by, verdict, facts)
        SELECT $1, nudge, now(), 'schedule', 'send',
            '{{"zone": "Europe/Berlin", "quiet": "21:00-08:00", "local_time": "2026-11-24T08:30+01:00",
               "sent_today": "0", "late_seconds": "5", "last_message": "2026-11-23T08:30+01:00"}}'
        FROM given
    ), said AS (
        INSERT INTO coaching.messages (organization_id, id, conversation_id, person_id, role, text, prompt_text, source)
        SELECT $1, message, conversation, person_id, 'coach', {_TEXT}, {_TEXT}, 'model' FROM given
    ), planned AS (
        INSERT INTO coaching.deliveries (organization_id, id, kind, message_id, conversation_id, person_id, channel,
            account, address, nudge_id, not_after, sweep_at)
        SELECT $1, delivery, 'proactive', message, conversation, person_id, 'telegram', '1000', address, nudge,
            now() + interval '2 days', now() + interval '10 minutes'
        FROM given
    ), outgoing AS ({_OUTBOX})
    SELECT count(*) FROM given
"""
LEAN = f"{_DUE}, outgoing AS ({_OUTBOX}) SELECT count(*) FROM given"
