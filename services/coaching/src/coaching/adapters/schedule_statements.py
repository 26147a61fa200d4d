"""The SQL of speaking first: who is due, what is known of them, and what a dispatch writes."""

from sqlalchemy import text

ORGANIZATIONS_DUE = text("""
    SELECT clock_timestamp() AS database_now, ARRAY(SELECT CAST(id AS text) FROM coaching.organizations_due(
        least(CAST(:at AS timestamptz), clock_timestamp() + make_interval(secs => :world))) AS id) AS ids
""")
# Persons for whom something is due, locked so that nobody else decides about them; those that somebody else has are
# left to them. Due is what is due by the database's clock too.
LOCK = text("""
    WITH moment AS MATERIALIZED (
        SELECT least(CAST(:at AS timestamptz), clock_timestamp() + make_interval(secs => :world)) AS at
    ), starting AS (
        SELECT p.id FROM coaching.check_ins c
        JOIN coaching.people p ON p.organization_id = c.organization_id AND p.id = c.person_id
        WHERE c.organization_id = CAST(:organization_id AS uuid) AND c.next_due_at <= (SELECT at FROM moment)
        ORDER BY c.next_due_at LIMIT :most FOR NO KEY UPDATE OF p SKIP LOCKED
    ), waiting AS (
        SELECT p.id FROM coaching.nudges n
        JOIN coaching.people p ON p.organization_id = n.organization_id AND p.id = n.person_id
        WHERE n.organization_id = CAST(:organization_id AS uuid) AND n.state = 'held'
            AND n.look_at <= (SELECT at FROM moment)
        ORDER BY n.look_at LIMIT :most FOR NO KEY UPDATE OF p SKIP LOCKED
    )
    SELECT CAST(id AS text) AS id, bool_or(held) AS held, (SELECT at FROM moment) AS at
    FROM (SELECT id, false AS held FROM starting UNION ALL SELECT id, true FROM waiting) AS found GROUP BY id
""")
# In the same transaction, so that what the last holder of the lock has written is seen. `planned`: a message that is
# on its way counts as sent. The time of a message is that at which it was last said that it may leave.
PERSONS = text("""
    SELECT CAST(p.id AS text) AS id, p.locale, p.time_zone, p.quiet_start, p.quiet_end, p.snoozed_until,
        p.last_message_at, p.notice_given_at IS NOT NULL AS told, p.proactive_stopped_at IS NOT NULL AS stopped,
        p.crisis_hold_at IS NOT NULL AS crisis_hold,
        CAST(place.id AS text) AS conversation_id, place.channel, place.account, place.address, sent.ids, sent.times,
        coalesce(place.turn_open, false) AS turn_open,
        (SELECT m.position FROM coaching.messages m WHERE m.organization_id = p.organization_id
            AND m.person_id = p.id AND m.role = 'person' ORDER BY m.position DESC LIMIT 1) AS newest,
        clock_timestamp() AS database_now
    FROM coaching.people p
    LEFT JOIN LATERAL (
        SELECT c.id, c.channel, c.account, c.address, bool_or(c.pending_since IS NOT NULL) OVER () AS turn_open
        FROM coaching.conversations c
        WHERE c.organization_id = p.organization_id AND c.person_id = p.id AND NOT EXISTS (
            SELECT FROM coaching.identities i WHERE i.organization_id = c.organization_id AND i.person_id = c.person_id
                AND i.channel = c.channel AND i.account = c.account AND i.gone_at IS NOT NULL)
        ORDER BY c.last_inbound_at DESC NULLS LAST, c.id DESC LIMIT 1
    ) AS place ON true
    LEFT JOIN LATERAL (
        SELECT array_agg(CAST(d.id AS text)) AS ids, array_agg(coalesce((
            SELECT max(k.at) FROM coaching.decisions k WHERE k.organization_id = d.organization_id
                AND k.nudge_id = d.nudge_id AND k.verdict = 'send'), d.created_at)) AS times
        FROM coaching.deliveries d
        WHERE d.organization_id = p.organization_id AND d.person_id = p.id AND d.kind = 'proactive'
            AND d.created_at > CAST(:since AS timestamptz) AND d.state NOT IN ('failed', 'dropped')
            AND (:planned OR d.state <> 'planned')
    ) AS sent ON true
    WHERE p.organization_id = CAST(:organization_id AS uuid) AND p.id = ANY (CAST(:ids AS uuid[]))
""")
DUE = text("""
    SELECT CAST(c.id AS text) AS id, CAST(c.person_id AS text) AS person_id, c.trigger, c.rule, c.local_time,
        c.time_zone, c.starts_on, c.catch_up, c.after_days,
        c.next_due_at, c.created_at, c.prepared_for, c.prepared_at, c.prepared_position, c.prepared_source,
        c.prepared_text, (SELECT n.due_at FROM coaching.nudges n WHERE n.organization_id = c.organization_id
            AND n.check_in_id = c.id AND n.state IN ('dispatched', 'merged') ORDER BY n.due_at DESC LIMIT 1) AS nudged
    FROM coaching.check_ins c
    WHERE c.organization_id = CAST(:organization_id AS uuid) AND c.person_id = ANY (CAST(:ids AS uuid[]))
        AND c.next_due_at <= CAST(:at AS timestamptz) AND c.paused_at IS NULL
""")
HELD = text("""
    SELECT CAST(n.id AS text) AS id, CAST(n.person_id AS text) AS person_id, n.trigger, n.catch_up, n.due_at,
        CAST(n.check_in_id AS text) AS check_in_id, n.reason, n.look_at,
        c.id IS NULL AS removed, c.paused_at IS NOT NULL AS paused, c.prepared_for, c.prepared_at,
        c.prepared_position, c.prepared_source, c.prepared_text, c.rule, c.local_time, c.time_zone, c.starts_on,
        c.after_days, c.next_due_at, c.created_at, (SELECT max(l.due_at) FROM coaching.nudges l
            WHERE l.organization_id = n.organization_id AND l.check_in_id = n.check_in_id
                AND l.state IN ('dispatched', 'merged')) AS nudged
    FROM coaching.nudges n
    LEFT JOIN coaching.check_ins c ON c.organization_id = n.organization_id AND c.id = n.check_in_id
    WHERE n.organization_id = CAST(:organization_id AS uuid) AND n.person_id = ANY (CAST(:ids AS uuid[]))
        AND n.state = 'held' AND n.look_at <= CAST(:at AS timestamptz)
""")
PUT_OFF = text("""
    WITH nudges AS (
        UPDATE coaching.nudges SET look_at = CAST(:until AS timestamptz)
        WHERE organization_id = CAST(:organization_id AS uuid) AND person_id = ANY (CAST(:ids AS uuid[]))
            AND state = 'held' AND look_at <= CAST(:at AS timestamptz)
    )
    UPDATE coaching.check_ins SET next_due_at = CAST(:until AS timestamptz)
    WHERE organization_id = CAST(:organization_id AS uuid) AND person_id = ANY (CAST(:ids AS uuid[]))
        AND next_due_at <= CAST(:at AS timestamptz)
""")
# What a template may come back to, and what it should not say again.
SAID = text("""
    SELECT CAST(p.id AS text) AS id, 'person' AS role, said.text, said.created_at
    FROM unnest(CAST(:ids AS uuid[])) AS p (id) CROSS JOIN LATERAL (
        SELECT m.text, m.created_at FROM coaching.messages m
        JOIN coaching.turns t ON t.organization_id = m.organization_id AND t.id = m.turn_id AND t.source = 'model'
        WHERE m.organization_id = CAST(:organization_id AS uuid) AND m.person_id = p.id AND m.role = 'person'
        ORDER BY m.position DESC LIMIT 10) AS said
    UNION ALL
    SELECT CAST(p.id AS text), 'coach', spoken.text, spoken.created_at
    FROM unnest(CAST(:ids AS uuid[])) AS p (id) CROSS JOIN LATERAL (
        SELECT m.text, m.created_at FROM coaching.messages m
        WHERE m.organization_id = CAST(:organization_id AS uuid) AND m.person_id = p.id AND m.role = 'coach'
        ORDER BY m.position DESC LIMIT 3) AS spoken
""")
# All that a dispatch writes, in one statement. A nudge whose occasion has had one (clocks, or a check-in that was set
# back) is not made again, and nothing of it is written. prepare_token: whoever words the passed time is too late.
WRITE = text("""
    WITH given AS MATERIALIZED (
        SELECT * FROM unnest(
            CAST(:ids AS uuid[]), CAST(:person_ids AS uuid[]), CAST(:check_in_ids AS uuid[]), CAST(:triggers AS text[]),
            CAST(:catch_ups AS text[]), CAST(:due_ats AS timestamptz[]), CAST(:news AS boolean[]),
            CAST(:states AS text[]), CAST(:reasons AS text[]), CAST(:look_ats AS timestamptz[]),
            CAST(:merged_intos AS uuid[]), CAST(:whys AS text[]), CAST(:tolds AS boolean[]), CAST(:verdicts AS text[]),
            CAST(:facts AS text[]), CAST(:message_ids AS uuid[]), CAST(:delivery_ids AS uuid[]),
            CAST(:conversation_ids AS uuid[]), CAST(:channels AS text[]), CAST(:accounts AS text[]),
            CAST(:addresses AS text[]), CAST(:texts AS text[]), CAST(:sources AS text[]), CAST(:payloads AS bytea[])
        ) AS given (id, person_id, check_in_id, trigger, catch_up, due_at, new, state, reason, look_at, merged_into,
            why, told, verdict, facts, message_id, delivery_id, conversation_id, channel, account, address, text,
            source, payload)
    ), moved AS (
        UPDATE coaching.check_ins c SET next_due_at = next.at, prepare_token = c.prepare_token + 1,
            prepare_at = next.at - make_interval(secs => :ahead)
        FROM unnest(CAST(:moved_ids AS uuid[]), CAST(:moved_from AS timestamptz[]), CAST(:moved_to AS timestamptz[]))
            AS next (id, was, at)
        WHERE c.organization_id = CAST(:organization_id AS uuid) AND c.id = next.id AND c.next_due_at = next.was
    ), made AS (
        INSERT INTO coaching.nudges (organization_id, id, person_id, check_in_id, trigger, catch_up, due_at, state,
            reason, look_at, merged_into, why, created_at, changed_at)
        SELECT CAST(:organization_id AS uuid), id, person_id, check_in_id, trigger, catch_up, due_at, state, reason,
            look_at, merged_into, CAST(why AS jsonb), CAST(:now AS timestamptz), CAST(:now AS timestamptz)
        FROM given WHERE new
        ON CONFLICT (organization_id, check_in_id, due_at) DO NOTHING RETURNING id
    ), changed AS (
        UPDATE coaching.nudges n SET state = given.state, reason = given.reason, look_at = given.look_at,
            merged_into = given.merged_into, changed_at = CAST(:now AS timestamptz)
        FROM given WHERE NOT given.new AND n.organization_id = CAST(:organization_id AS uuid) AND n.id = given.id
            AND n.state = 'held' RETURNING n.id
    ), written AS (
        SELECT * FROM given WHERE id IN (SELECT id FROM made) OR id IN (SELECT id FROM changed)
    ), decided AS (
        INSERT INTO coaching.decisions (organization_id, nudge_id, at, asked_by, verdict, reason, until, facts)
        SELECT CAST(:organization_id AS uuid), id, CAST(:now AS timestamptz), 'schedule', verdict, reason, look_at,
            CAST(facts AS jsonb)
        FROM written WHERE told
    ), said AS (
        INSERT INTO coaching.messages (organization_id, id, conversation_id, person_id, role, text, prompt_text,
            source, created_at)
        SELECT CAST(:organization_id AS uuid), message_id, conversation_id, person_id, 'coach', text, text, source,
            CAST(:now AS timestamptz)
        FROM written WHERE delivery_id IS NOT NULL
    ), planned AS (
        INSERT INTO coaching.deliveries (organization_id, id, kind, message_id, conversation_id, person_id, channel,
            account, address, nudge_id, not_after, created_at, sweep_at)
        SELECT CAST(:organization_id AS uuid), delivery_id, 'proactive', message_id, conversation_id, person_id,
            channel, account, address, id, CAST(:not_after AS timestamptz), CAST(:now AS timestamptz),
            now() + make_interval(secs => :patience)
        FROM written WHERE delivery_id IS NOT NULL
    ), outgoing AS (
        INSERT INTO coaching.outbox (organization_id, id, subject, payload, trace)
        SELECT CAST(:organization_id AS uuid), delivery_id, 'outbound.proactive.' || channel, payload, ''
        FROM written WHERE delivery_id IS NOT NULL
    )
    SELECT CAST(id AS text) AS id FROM written
""")
