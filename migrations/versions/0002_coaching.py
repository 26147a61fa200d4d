"""Coaching: people, conversations, turns, deliveries, and the one function that claims work across organisations."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PEOPLE = """
CREATE TABLE coaching.people (
    organization_id uuid NOT NULL REFERENCES coaching.organizations (id),
    id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    locale text NOT NULL DEFAULT '',
    time_zone text,
    last_message_at timestamptz,
    notice_given_at timestamptz,
    proactive_stopped_at timestamptz,
    crisis_hold_at timestamptz,
    PRIMARY KEY (organization_id, id)
);
-- Where one person writes from. gone_at: they left the channel itself (blocked the bot), until they write again.
-- The person is written after its first identity, in the same transaction: whoever loses a race leaves no orphan.
CREATE TABLE coaching.identities (
    organization_id uuid NOT NULL,
    channel text NOT NULL,
    account text NOT NULL,
    sender_id text NOT NULL,
    person_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_inbound_at timestamptz,
    gone_at timestamptz,
    PRIMARY KEY (organization_id, channel, account, sender_id),
    FOREIGN KEY (organization_id, person_id) REFERENCES coaching.people (organization_id, id)
        DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX identities_of_person ON coaching.identities (organization_id, person_id);
"""

CONVERSATIONS = """
-- pending_since: the oldest message that waits for an answer. history_from: where prompts begin.
CREATE TABLE coaching.conversations (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    channel text NOT NULL,
    account text NOT NULL,
    address text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_inbound_at timestamptz,
    history_from bigint NOT NULL DEFAULT 0,
    pending_since timestamptz,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    lease_owner text,
    lease_token bigint NOT NULL DEFAULT 0,
    lease_until timestamptz,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, channel, account, address),
    FOREIGN KEY (organization_id, person_id) REFERENCES coaching.people (organization_id, id)
);
CREATE INDEX conversations_of_person ON coaching.conversations (organization_id, person_id);
CREATE INDEX conversations_due ON coaching.conversations (next_attempt_at) WHERE pending_since IS NOT NULL;

-- What makes each event of a provider count once, however often and however late it comes again.
CREATE TABLE coaching.inbox (
    organization_id uuid NOT NULL REFERENCES coaching.organizations (id),
    channel text NOT NULL,
    account text NOT NULL,
    event_id text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, channel, account, event_id)
);
"""

TURNS = """
CREATE TABLE coaching.turns (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    person_id uuid NOT NULL,
    source text NOT NULL CHECK (source IN ('model', 'template', 'crisis', 'command')),
    failure_reason text,
    model_name text,
    model_sha256 text,
    model_provider text,
    prompt_tokens integer NOT NULL DEFAULT 0,
    cached_tokens integer NOT NULL DEFAULT 0,
    generated_tokens integer NOT NULL DEFAULT 0,
    steps jsonb NOT NULL DEFAULT '[]',
    attempts integer NOT NULL,
    lease_token bigint NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES coaching.conversations (organization_id, id),
    FOREIGN KEY (organization_id, person_id) REFERENCES coaching.people (organization_id, id)
);
CREATE INDEX turns_of_person ON coaching.turns (organization_id, person_id, ended_at);
CREATE INDEX turns_of_conversation ON coaching.turns (organization_id, conversation_id);

-- trace: the W3C traceparent that a message came with, for its turn to go on with.
-- position: the order of arrival. prompt_text: the bytes that prompts show for it; NULL keeps it out of prompts.
-- memory_state none: never indexed (crisis, commands, prepared replies); pending: to be indexed; done: indexed.
CREATE TABLE coaching.messages (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    conversation_id uuid NOT NULL,
    person_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('person', 'coach')),
    turn_id uuid,
    event_id text NOT NULL DEFAULT '',
    event_order bigint NOT NULL DEFAULT 0,
    text text NOT NULL,
    prompt_text text,
    source text NOT NULL DEFAULT '' CHECK (source IN ('', 'model', 'template', 'crisis', 'command')),
    trace text NOT NULL DEFAULT '',
    sent_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    memory_state text NOT NULL DEFAULT 'none' CHECK (memory_state IN ('none', 'pending', 'done')),
    memory_due_at timestamptz,
    memory_attempts integer NOT NULL DEFAULT 0,
    memory_token bigint NOT NULL DEFAULT 0,
    remembered_at timestamptz,
    embedding_model text,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES coaching.conversations (organization_id, id),
    FOREIGN KEY (organization_id, person_id) REFERENCES coaching.people (organization_id, id),
    FOREIGN KEY (organization_id, turn_id) REFERENCES coaching.turns (organization_id, id)
);
CREATE INDEX messages_of_conversation ON coaching.messages (organization_id, conversation_id, position);
CREATE INDEX messages_of_person ON coaching.messages (organization_id, person_id, position);
CREATE INDEX messages_of_turn ON coaching.messages (organization_id, turn_id);
CREATE INDEX messages_waiting ON coaching.messages (organization_id, conversation_id, event_order, position)
    WHERE turn_id IS NULL AND role = 'person';
CREATE INDEX messages_to_remember ON coaching.messages (memory_due_at) WHERE memory_state = 'pending';

-- Files that came with messages; sha256 names the content in the file store, NULL where it was refused (reason).
CREATE TABLE coaching.files (
    organization_id uuid NOT NULL,
    message_id uuid NOT NULL,
    number smallint NOT NULL,
    sha256 text,
    media_type text NOT NULL,
    size_bytes bigint NOT NULL,
    kind text NOT NULL,
    reason text NOT NULL DEFAULT '',
    PRIMARY KEY (organization_id, message_id, number),
    FOREIGN KEY (organization_id, message_id) REFERENCES coaching.messages (organization_id, id)
);
CREATE INDEX files_by_content ON coaching.files (sha256) WHERE sha256 IS NOT NULL;
"""

DELIVERIES = """
-- sweep_at: when somebody looks after it, because nobody has claimed it, or its sender has not come back.
CREATE TABLE coaching.deliveries (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('reply', 'proactive')),
    message_id uuid NOT NULL,
    turn_id uuid,
    conversation_id uuid NOT NULL,
    person_id uuid NOT NULL,
    channel text NOT NULL,
    account text NOT NULL,
    address text NOT NULL,
    state text NOT NULL DEFAULT 'planned' CHECK (state IN (
        'planned', 'claimed', 'in_flight', 'accepted', 'delivered', 'read', 'failed', 'unknown', 'dropped')),
    lease_owner text,
    lease_token bigint NOT NULL DEFAULT 0,
    lease_until timestamptz,
    parts_accepted integer NOT NULL DEFAULT 0,
    provider_message_id text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    not_before timestamptz,
    not_after timestamptz,
    republished integer NOT NULL DEFAULT 0,
    sweep_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, message_id) REFERENCES coaching.messages (organization_id, id),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES coaching.conversations (organization_id, id),
    FOREIGN KEY (organization_id, person_id) REFERENCES coaching.people (organization_id, id),
    FOREIGN KEY (organization_id, turn_id) REFERENCES coaching.turns (organization_id, id)
);
-- A turn has one answer; whatever else went wrong, the database refuses a second one.
CREATE UNIQUE INDEX deliveries_one_reply ON coaching.deliveries (organization_id, turn_id) WHERE kind = 'reply';
CREATE INDEX deliveries_of_message ON coaching.deliveries (organization_id, message_id);
CREATE INDEX deliveries_of_person ON coaching.deliveries (organization_id, person_id, created_at);
CREATE INDEX deliveries_of_conversation ON coaching.deliveries (organization_id, conversation_id);
CREATE INDEX deliveries_by_provider_id ON coaching.deliveries (organization_id, channel, account, provider_message_id)
    WHERE provider_message_id <> '';
CREATE INDEX deliveries_to_sweep ON coaching.deliveries (sweep_at)
    WHERE state IN ('planned', 'claimed', 'in_flight');

-- The id of an outbox row is the id of its delivery. due_at: not before then does a relay take it (again).
CREATE TABLE coaching.outbox (
    organization_id uuid NOT NULL REFERENCES coaching.organizations (id),
    id uuid NOT NULL,
    subject text NOT NULL,
    payload bytea NOT NULL,
    trace text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now(),
    token bigint NOT NULL DEFAULT 0,
    published_at timestamptz,
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX outbox_due ON coaching.outbox (due_at) WHERE published_at IS NULL;
CREATE INDEX outbox_published ON coaching.outbox (organization_id, published_at) WHERE published_at IS NOT NULL;
"""

# Every row that a claim returns is locked and written here, so two replicas never get the same one; the token rises.
CLAIM = """
CREATE FUNCTION coaching.claim(kind text, owner text, lease_seconds integer, max_rows integer)
RETURNS TABLE (organization_id uuid, id uuid, token bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
#variable_conflict use_column
DECLARE
    term CONSTANT interval := make_interval(secs => lease_seconds);
BEGIN
    IF lease_seconds NOT BETWEEN 1 AND 3600 OR max_rows NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION 'claim: lease_seconds is 1 to 3600, max_rows 1 to 1000';
    END IF;
    CASE kind
    WHEN 'conversation' THEN
        RETURN QUERY
        WITH due AS MATERIALIZED (
            SELECT c.organization_id, c.id FROM coaching.conversations c
            WHERE c.pending_since IS NOT NULL AND c.next_attempt_at <= now()
                AND (c.lease_until IS NULL OR c.lease_until <= now())
            ORDER BY c.next_attempt_at LIMIT max_rows FOR UPDATE SKIP LOCKED
        )
        UPDATE coaching.conversations c
        SET lease_owner = owner, lease_until = now() + term, lease_token = c.lease_token + 1, attempts = c.attempts + 1
        FROM due WHERE c.organization_id = due.organization_id AND c.id = due.id
        RETURNING c.organization_id, c.id, c.lease_token;
    WHEN 'outbox' THEN
        RETURN QUERY
        WITH due AS MATERIALIZED (
            SELECT o.organization_id, o.id FROM coaching.outbox o
            WHERE o.published_at IS NULL AND o.due_at <= now()
            ORDER BY o.due_at LIMIT max_rows FOR UPDATE SKIP LOCKED
        )
        UPDATE coaching.outbox o SET due_at = now() + term, token = o.token + 1
        FROM due WHERE o.organization_id = due.organization_id AND o.id = due.id
        RETURNING o.organization_id, o.id, o.token;
    WHEN 'memory' THEN
        RETURN QUERY
        WITH due AS MATERIALIZED (
            SELECT m.organization_id, m.id FROM coaching.messages m
            WHERE m.memory_state = 'pending' AND m.memory_due_at <= now()
            ORDER BY m.memory_due_at LIMIT max_rows FOR UPDATE SKIP LOCKED
        )
        UPDATE coaching.messages m
        SET memory_due_at = now() + term, memory_token = m.memory_token + 1, memory_attempts = m.memory_attempts + 1
        FROM due WHERE m.organization_id = due.organization_id AND m.id = due.id
        RETURNING m.organization_id, m.id, m.memory_token;
    WHEN 'delivery' THEN
        -- To be looked after only: the token of a sender that comes back late stays good, it knows what happened.
        RETURN QUERY
        WITH due AS MATERIALIZED (
            SELECT d.organization_id, d.id FROM coaching.deliveries d
            WHERE d.state IN ('planned', 'claimed', 'in_flight') AND d.sweep_at <= now()
            ORDER BY d.sweep_at LIMIT max_rows FOR UPDATE SKIP LOCKED
        )
        UPDATE coaching.deliveries d SET sweep_at = now() + term
        FROM due WHERE d.organization_id = due.organization_id AND d.id = due.id
        RETURNING d.organization_id, d.id, d.lease_token;
    ELSE
        RAISE EXCEPTION 'claim: no such kind of work';
    END CASE;
END
$function$;
"""

# Numbers for metrics, of all organisations together: nothing of a person in them.
BACKLOG = """
CREATE FUNCTION coaching.backlog() RETURNS TABLE (kind text, waiting bigint, oldest_seconds double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
    SELECT 'conversation', count(*), coalesce(extract(epoch FROM now() - min(pending_since)), 0)::double precision
    FROM coaching.conversations WHERE pending_since IS NOT NULL
    UNION ALL
    SELECT 'outbox', count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::double precision
    FROM coaching.outbox WHERE published_at IS NULL
    UNION ALL
    SELECT 'memory', count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::double precision
    FROM coaching.messages WHERE memory_state = 'pending'
$function$;
"""

# For a rebuild of the memory index, which goes through every organisation in turn.
ORGANIZATIONS = """
CREATE FUNCTION coaching.organization_ids() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
    SELECT id FROM coaching.organizations ORDER BY id
$function$;
"""

TABLES = ("people", "identities", "conversations", "inbox", "turns", "messages", "files", "deliveries", "outbox")
CLAIMED = ("conversations", "outbox", "messages", "deliveries")
FUNCTIONS = ("coaching.claim(text, text, integer, integer)", "coaching.backlog()", "coaching.organization_ids()")
OWN_ROWS = "organization_id = nullif(current_setting('app.organization_id', true), '')::uuid"


def protect(table: str) -> None:
    """Force row-level security: a statement sees the rows of its transaction's organisation, or none."""
    op.execute(f"ALTER TABLE coaching.{table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE coaching.{table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY organization ON coaching.{table} USING ({OWN_ROWS}) WITH CHECK ({OWN_ROWS})")


def upgrade() -> None:
    """Make coaching's tables and functions; the rights of its role come by default privileges."""
    for block in (PEOPLE, CONVERSATIONS, TURNS, DELIVERIES):
        for statement in block.split(";\n"):
            if statement.strip():
                op.execute(statement)
    for table in TABLES:
        protect(table)
    for table in CLAIMED:
        op.execute(f"CREATE POLICY claims ON coaching.{table} TO coaching_claims USING (true) WITH CHECK (true)")
        op.execute(f"GRANT SELECT, UPDATE ON coaching.{table} TO coaching_claims")
    op.execute("CREATE POLICY claims ON coaching.organizations FOR SELECT TO coaching_claims USING (true)")
    op.execute("GRANT SELECT ON coaching.organizations TO coaching_claims")
    op.execute(CLAIM)
    op.execute(BACKLOG)
    op.execute(ORGANIZATIONS)
    # A new owner must be able to create in the schema at the moment of the change, and only then.
    op.execute("GRANT CREATE, USAGE ON SCHEMA coaching TO coaching_claims")
    for function in FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO coaching_service")
        op.execute(f"ALTER FUNCTION {function} OWNER TO coaching_claims")
    op.execute("REVOKE CREATE ON SCHEMA coaching FROM coaching_claims")


def downgrade() -> None:
    """Schema changes are not taken back: an older release runs on a newer schema."""
    raise NotImplementedError("Migrations only go forward. To go back to older data, restore a recovery point.")
