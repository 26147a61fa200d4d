"""The floor's statements: the rows that the product reads and writes, in its own tables, without any decision.

In each transaction as many statements as the product sends; where it asks, this asks, and takes whatever comes.
"""

ORGANIZATION = "00000000-0000-7000-8000-000000000001"
SET_ORGANIZATION = "SELECT set_config('app.organization_id', $1, true)"

INBOX = """
    INSERT INTO coaching.inbox (organization_id, channel, account, event_id)
    SELECT $1, 'telegram', account, event_id FROM unnest($2::text[], $3::text[]) AS given (account, event_id)
    ON CONFLICT DO NOTHING RETURNING event_id
"""
IDENTITIES = """
    INSERT INTO coaching.identities (organization_id, channel, account, sender_id, person_id, last_inbound_at)
    SELECT $1, 'telegram', account, sender, person, now()
    FROM unnest($2::text[], $3::text[], $4::uuid[]) AS given (account, sender, person)
    ON CONFLICT (organization_id, channel, account, sender_id) DO UPDATE
        SET last_inbound_at = excluded.last_inbound_at RETURNING sender_id, person_id
"""
PEOPLE = """
    INSERT INTO coaching.people (organization_id, id, created_at) SELECT $1, id, now() FROM unnest($2::uuid[]) AS g (id)
    ON CONFLICT DO NOTHING
"""
CONVERSATIONS = """
    INSERT INTO coaching.conversations AS c (organization_id, id, person_id, channel, account, address, created_at,
        last_inbound_at, pending_since, next_attempt_at)
    SELECT $1, id, person, 'telegram', account, address, now(), now(), now(), now()
    FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[]) AS given (id, person, account, address)
    ON CONFLICT (organization_id, channel, account, address) DO UPDATE
        SET last_inbound_at = now(), pending_since = now(), next_attempt_at = now() RETURNING id, address
"""
MESSAGES = """
    INSERT INTO coaching.messages (organization_id, id, conversation_id, person_id, role, event_id, event_order, text,
        sent_at, trace, created_at)
    SELECT $1, id, conversation, person, 'person', event_id, event_id::bigint, text, now(), '', now()
    FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[])
        AS given (id, conversation, person, event_id, text)
"""
SEEN = "UPDATE coaching.people SET last_message_at = now() WHERE organization_id = $1 AND id = ANY ($2::uuid[])"

CLAIM = """
    WITH due AS MATERIALIZED (
        SELECT organization_id, id FROM coaching.conversations
        WHERE pending_since IS NOT NULL AND next_attempt_at <= now() AND (lease_until IS NULL OR lease_until <= now())
        ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED
    )
    UPDATE coaching.conversations c SET lease_owner = 'floor', lease_until = now() + interval '15 seconds',
        lease_token = lease_token + 1, attempts = attempts + 1
    FROM due WHERE c.organization_id = due.organization_id AND c.id = due.id RETURNING c.id
"""
OPEN = """
    SELECT c.id, c.person_id, c.account, c.address, p.locale FROM coaching.conversations c
    JOIN coaching.people p ON p.organization_id = c.organization_id AND p.id = c.person_id
    WHERE c.organization_id = $1 AND c.id = ANY ($2::uuid[])
"""
WAITING = """
    SELECT id, conversation_id, text FROM coaching.messages
    WHERE organization_id = $1 AND conversation_id = ANY ($2::uuid[]) AND turn_id IS NULL AND role = 'person'
"""
HISTORY = """
    SELECT given.id AS conversation_id, m.text FROM unnest($2::uuid[]) AS given (id) CROSS JOIN LATERAL (
        SELECT text FROM coaching.messages WHERE organization_id = $1 AND conversation_id = given.id
            AND prompt_text IS NOT NULL ORDER BY position DESC LIMIT 20) m
"""
STANDING = """
    SELECT given.id, (SELECT count(*) FROM coaching.turns t WHERE t.organization_id = $1 AND t.person_id = given.id
        AND t.ended_at > now() - interval '1 minute') AS turns FROM unnest($2::uuid[]) AS given (id)
"""

FENCE = """
    SELECT id FROM coaching.conversations WHERE organization_id = $1 AND id = ANY ($2::uuid[])
    ORDER BY channel, account, address FOR UPDATE
"""
TURNS = """
    INSERT INTO coaching.turns (organization_id, id, conversation_id, person_id, source, model_name, model_sha256,
        model_provider, prompt_tokens, cached_tokens, generated_tokens, steps, attempts, lease_token, started_at)
    SELECT $1, id, conversation, person, 'model', 'scripted-7b', '', 'floor', 300, 0, 16, '[]', 1, 1, now()
    FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS given (id, conversation, person)
"""
ANSWERED = """
    UPDATE coaching.messages m SET turn_id = given.turn, prompt_text = m.text, memory_state = 'pending',
        memory_due_at = now()
    FROM unnest($2::uuid[], $3::uuid[]) AS given (id, turn) WHERE m.organization_id = $1 AND m.id = given.id
"""
REPLIES = """
    INSERT INTO coaching.messages (organization_id, id, conversation_id, person_id, role, turn_id, text, prompt_text,
        source, created_at, memory_state, memory_due_at)
    SELECT $1, id, conversation, person, 'coach', turn, text, text, 'model', now(), 'pending', now()
    FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[])
        AS given (id, conversation, person, turn, text)
"""
DELIVERIES = """
    INSERT INTO coaching.deliveries (organization_id, id, kind, message_id, turn_id, conversation_id, person_id,
        channel, account, address, created_at, sweep_at)
    SELECT $1, id, 'reply', message, turn, conversation, person, 'telegram', account, address, now(),
        now() + interval '10 minutes'
    FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[])
        AS given (id, message, turn, conversation, person, account, address)
"""
OUTBOX = """
    INSERT INTO coaching.outbox (organization_id, id, subject, payload, trace)
    SELECT $1, id, 'outbound.reply.telegram', payload, '' FROM unnest($2::uuid[], $3::bytea[]) AS given (id, payload)
"""
ENDED = """
    UPDATE coaching.conversations SET lease_owner = NULL, lease_until = NULL, attempts = 0, pending_since = NULL
    WHERE organization_id = $1 AND id = ANY ($2::uuid[])
"""

CLAIM_OUTBOX = """
    WITH due AS MATERIALIZED (
        SELECT organization_id, id FROM coaching.outbox WHERE published_at IS NULL AND due_at <= now()
        ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
    )
    UPDATE coaching.outbox o SET due_at = now() + interval '15 seconds', token = o.token + 1
    FROM due WHERE o.organization_id = due.organization_id AND o.id = due.id RETURNING o.id
"""
LOAD_OUTBOX = """
    SELECT id, subject, payload FROM coaching.outbox WHERE organization_id = $1 AND id = ANY ($2::uuid[]) ORDER BY id
"""
PUBLISHED = "UPDATE coaching.outbox SET published_at = now() WHERE organization_id = $1 AND id = ANY ($2::uuid[])"

LOCK = "SELECT id, state FROM coaching.deliveries WHERE organization_id = $1 AND id = ANY ($2::uuid[]) FOR UPDATE"
WRITE = """
    UPDATE coaching.deliveries SET state = $3, lease_token = lease_token + 1, changed_at = now(),
        lease_owner = CASE WHEN $3 = 'accepted' THEN NULL ELSE 'floor' END,
        lease_until = CASE WHEN $3 = 'accepted' THEN NULL ELSE now() + interval '60 seconds' END,
        sweep_at = now() + interval '60 seconds', parts_accepted = CASE WHEN $3 = 'accepted' THEN 1 ELSE 0 END
    WHERE organization_id = $1 AND id = ANY ($2::uuid[])
"""
FORGET_OUTBOX = "DELETE FROM coaching.outbox WHERE organization_id = $1 AND id = ANY ($2::uuid[])"

CLAIM_MEMORY = """
    WITH due AS MATERIALIZED (
        SELECT organization_id, id FROM coaching.messages WHERE memory_state = 'pending' AND memory_due_at <= now()
        ORDER BY memory_due_at LIMIT $1 FOR UPDATE SKIP LOCKED
    )
    UPDATE coaching.messages m SET memory_due_at = now() + interval '2 minutes', memory_token = m.memory_token + 1
    FROM due WHERE m.organization_id = due.organization_id AND m.id = due.id RETURNING m.id
"""
LOAD_MEMORY = """
    SELECT id, person_id, text FROM coaching.messages WHERE organization_id = $1 AND id = ANY ($2::uuid[])
"""
REMEMBERED = """
    UPDATE coaching.messages SET memory_state = 'done', remembered_at = now(), embedding_model = 'floor'
    WHERE organization_id = $1 AND id = ANY ($2::uuid[])
"""
