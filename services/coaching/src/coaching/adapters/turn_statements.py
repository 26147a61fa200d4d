"""The SQL of turns: what one begins with, and what its record writes."""

from sqlalchemy import text

OPEN = text("""
    SELECT c.id, c.person_id, c.channel, c.account, c.address, c.attempts, c.history_from, c.lease_token,
        p.locale, p.notice_given_at, p.crisis_hold_at
    FROM coaching.conversations c
    JOIN jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, token bigint)
        ON c.id = given.id AND c.lease_token = given.token
    JOIN coaching.people p ON p.organization_id = c.organization_id AND p.id = c.person_id
    WHERE c.organization_id = CAST(:organization_id AS uuid)
""")
# What waits: messages of the person that no turn has answered, in the provider's order.
WAITING = text("""
    SELECT m.id, m.conversation_id, m.text, m.trace,
        (SELECT count(*) FROM coaching.files f
            WHERE f.organization_id = m.organization_id AND f.message_id = m.id) AS files
    FROM coaching.messages m
    WHERE m.organization_id = CAST(:organization_id AS uuid) AND m.conversation_id = ANY (CAST(:ids AS uuid[]))
        AND m.turn_id IS NULL AND m.role = 'person'
    ORDER BY m.conversation_id, m.event_order, m.position
""")
# Claimed although nothing waits (its message was erased): let go; what has come meanwhile goes on waiting. Run after
# FENCE in the same transaction: only a statement that begins with the lock sees what was taken in before it.
NOTHING_WAITS = text("""
    UPDATE coaching.conversations c SET lease_owner = NULL, lease_until = NULL, attempts = 0,
        pending_since = CASE WHEN EXISTS (
            SELECT FROM coaching.messages m WHERE m.organization_id = c.organization_id AND m.conversation_id = c.id
                AND m.turn_id IS NULL AND m.role = 'person') THEN c.pending_since END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, token bigint)
    WHERE c.organization_id = CAST(:organization_id AS uuid) AND c.id = given.id AND c.lease_token = given.token
""")
# A turn's messages stand where it began, one that the coach wrote first where it was written: ids sort by time. One
# that has not left is not there: it may be taken back.
HISTORY = text("""
    SELECT given.number, m.id, m.position, m.role, m.prompt_text
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (number integer, conversation_id uuid, history_from bigint)
    CROSS JOIN LATERAL (
        SELECT id, position, role, prompt_text, turn_id FROM coaching.messages h
        WHERE organization_id = CAST(:organization_id AS uuid) AND conversation_id = given.conversation_id
            AND position >= given.history_from AND prompt_text IS NOT NULL
            AND (turn_id IS NOT NULL OR NOT EXISTS (SELECT FROM coaching.deliveries d
                WHERE d.organization_id = CAST(:organization_id AS uuid) AND d.message_id = h.id
                    AND d.state IN ('planned', 'claimed', 'failed', 'dropped')))
        ORDER BY position DESC LIMIT 400
    ) m
    ORDER BY given.number, coalesce(m.turn_id, m.id), m.position
""")
STANDING = text("""
    SELECT given.number,
        (SELECT count(*) FROM coaching.turns t WHERE t.organization_id = CAST(:organization_id AS uuid)
            AND t.person_id = given.person_id AND t.ended_at > now() - interval '1 minute') AS recent_turns,
        EXISTS (SELECT FROM coaching.messages m WHERE m.organization_id = CAST(:organization_id AS uuid)
            AND m.person_id = given.person_id AND m.memory_state <> 'none') AS has_memory
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (number integer, person_id uuid)
""")

# The record. First the fence: rows of conversations that are still ours, locked in the order of taking in, so that a
# message that arrives in this moment is either answered here or seen to wait. A record that was committed has ended the
# claim: tried again because its answer was lost on the way, it finds no owner and writes nothing.
FENCE = text("""
    SELECT c.id FROM coaching.conversations c
    JOIN jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, token bigint)
        ON c.id = given.id AND c.lease_token = given.token
    WHERE c.organization_id = CAST(:organization_id AS uuid) AND c.lease_owner IS NOT NULL
    ORDER BY c.channel, c.account, c.address FOR NO KEY UPDATE OF c
""")
TURNS = text("""
    INSERT INTO coaching.turns
        (organization_id, id, conversation_id, person_id, source, failure_reason, model_name, model_sha256,
         model_provider, prompt_tokens, cached_tokens, generated_tokens, steps, attempts, lease_token, started_at,
         message_count)
    SELECT CAST(:organization_id AS uuid), id, conversation_id, person_id, source, failure_reason, model_name,
        model_sha256, model_provider, prompt_tokens, cached_tokens, generated_tokens, steps, attempts, lease_token,
        started_at, message_count
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given
        (id uuid, conversation_id uuid, person_id uuid, source text, failure_reason text, model_name text,
         model_sha256 text, model_provider text, prompt_tokens integer, cached_tokens integer, generated_tokens integer,
         steps jsonb, attempts integer, lease_token bigint, started_at timestamptz, message_count integer)
""")
# The ids are there twice: of JSON the planner expects so many rows that it reads a small table from end to end.
ANSWERED = text("""
    UPDATE coaching.messages m SET turn_id = given.turn_id, prompt_text = given.prompt_text,
        memory_state = CASE WHEN given.remember THEN 'pending' ELSE 'none' END,
        memory_due_at = CASE WHEN given.remember THEN now() END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, turn_id uuid, prompt_text text, remember boolean)
    WHERE m.organization_id = CAST(:organization_id AS uuid) AND m.id = ANY (CAST(:ids AS uuid[])) AND m.id = given.id
""")
REPLIES = text("""
    INSERT INTO coaching.messages
        (organization_id, id, conversation_id, person_id, role, turn_id, text, prompt_text, source, created_at,
         memory_state, memory_due_at)
    SELECT CAST(:organization_id AS uuid), id, conversation_id, person_id, 'coach', turn_id, text, prompt_text, source,
        created_at, CASE WHEN remember THEN 'pending' ELSE 'none' END, CASE WHEN remember THEN now() END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given
        (id uuid, conversation_id uuid, person_id uuid, turn_id uuid, text text, prompt_text text, source text,
         created_at timestamptz, remember boolean)
""")
DELIVERIES = text("""
    INSERT INTO coaching.deliveries
        (organization_id, id, kind, message_id, turn_id, conversation_id, person_id, channel, account, address,
         created_at, sweep_at)
    SELECT CAST(:organization_id AS uuid), id, 'reply', message_id, turn_id, conversation_id, person_id, channel,
        account, address, created_at, now() + make_interval(secs => :sweep)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given
        (id uuid, message_id uuid, turn_id uuid, conversation_id uuid, person_id uuid, channel text, account text,
         address text, created_at timestamptz)
""")
OUTBOX = text("""
    INSERT INTO coaching.outbox (organization_id, id, subject, payload, trace)
    SELECT CAST(:organization_id AS uuid), id, subject, decode(payload, 'base64'), trace
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, subject text, payload text, trace text)
""")
PEOPLE = text("""
    UPDATE coaching.people p SET
        notice_given_at = CASE WHEN given.notice THEN coalesce(p.notice_given_at, given.at) ELSE p.notice_given_at END,
        crisis_hold_at = CASE given.hold
            WHEN true THEN coalesce(p.crisis_hold_at, given.at) WHEN false THEN NULL ELSE p.crisis_hold_at END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given
        (id uuid, at timestamptz, notice boolean, hold boolean)
    WHERE p.organization_id = CAST(:organization_id AS uuid) AND p.id = given.id
""")
# What came while the turn was walked waits from now on; taking it in has set when it has settled.
CONVERSATIONS = text("""
    UPDATE coaching.conversations c SET
        lease_owner = NULL, lease_until = NULL, attempts = 0, history_from = given.history_from,
        pending_since = CASE WHEN EXISTS (
            SELECT FROM coaching.messages m WHERE m.organization_id = c.organization_id AND m.conversation_id = c.id
                AND m.turn_id IS NULL AND m.role = 'person') THEN now() END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, history_from bigint)
    WHERE c.organization_id = CAST(:organization_id AS uuid) AND c.id = given.id
""")
