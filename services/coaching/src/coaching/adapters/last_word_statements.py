"""The SQL of the last word on proactive messages: what is known of them, and what is taken back."""

from sqlalchemy import text

# Whoever decides about a person holds their lock, so that two messages do not both count as the last that is allowed.
LOCK_PERSONS = text("""
    SELECT p.id FROM coaching.people p
    WHERE p.organization_id = CAST(:organization_id AS uuid) AND p.id IN (
        SELECT d.person_id FROM coaching.deliveries d
        WHERE d.organization_id = CAST(:organization_id AS uuid) AND d.id = ANY (CAST(:ids AS uuid[])))
    ORDER BY p.id FOR NO KEY UPDATE
""")
OUTGOING = text("""
    SELECT d.id, d.person_id, d.created_at, n.id AS nudge_id, n.catch_up, n.due_at,
        n.id IS NOT NULL AND c.id IS NULL AS removed, c.paused_at IS NOT NULL AS paused,
        EXISTS (SELECT FROM coaching.identities i WHERE i.organization_id = d.organization_id
            AND i.person_id = d.person_id AND i.channel = d.channel AND i.account = d.account
            AND i.gone_at IS NOT NULL) AS gone
    FROM coaching.deliveries d
    LEFT JOIN coaching.nudges n ON n.organization_id = d.organization_id AND n.id = d.nudge_id
    LEFT JOIN coaching.check_ins c ON c.organization_id = d.organization_id AND c.id = n.check_in_id
    WHERE d.organization_id = CAST(:organization_id AS uuid) AND d.id = ANY (CAST(:ids AS uuid[]))
""")
# What was not sent is taken back whole: a conversation shows what was said, not what was planned. Those that were
# merged into it speak for themselves again: their check-ins may allow what its own does not.
TELL = text("""
    WITH given AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given
            (delivery_id uuid, nudge_id uuid, person_id uuid, verdict text, reason text, until timestamptz,
             withdrawn boolean, look_at timestamptz, facts jsonb)
    ), decided AS (
        INSERT INTO coaching.decisions (organization_id, nudge_id, at, asked_by, verdict, reason, until, facts)
        SELECT CAST(:organization_id AS uuid), nudge_id, CAST(:now AS timestamptz), 'claim', verdict, reason, until,
            facts
        FROM given
    ), back AS (
        UPDATE coaching.nudges n SET state = CASE WHEN given.look_at IS NULL THEN 'dropped' ELSE 'held' END,
            reason = given.reason, look_at = given.look_at, changed_at = CAST(:now AS timestamptz)
        FROM given WHERE given.withdrawn AND n.organization_id = CAST(:organization_id AS uuid)
            AND n.id = given.nudge_id
    ), freed AS (
        UPDATE coaching.nudges n SET state = 'held', merged_into = NULL, changed_at = CAST(:now AS timestamptz),
            reason = CASE WHEN given.look_at IS NULL THEN 'spoken_for_no_more' ELSE given.reason END,
            look_at = coalesce(given.look_at, CAST(:now AS timestamptz))
        FROM given WHERE given.withdrawn AND n.organization_id = CAST(:organization_id AS uuid)
            AND n.person_id = given.person_id AND n.merged_into = given.nudge_id AND n.state = 'merged'
    ), unsent AS (
        DELETE FROM coaching.outbox o USING given
        WHERE given.withdrawn AND o.organization_id = CAST(:organization_id AS uuid) AND o.id = given.delivery_id
    ), gone AS (
        DELETE FROM coaching.deliveries d USING given
        WHERE given.withdrawn AND d.organization_id = CAST(:organization_id AS uuid) AND d.id = given.delivery_id
        RETURNING d.message_id
    )
    DELETE FROM coaching.messages m USING gone
    WHERE m.organization_id = CAST(:organization_id AS uuid) AND m.id = gone.message_id
""")
