"""Speaking first: quiet hours, check-ins, nudges, and the decision behind each of them."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# NULL quiet hours: the platform's default. Wall-clock times in the person's own zone.
PEOPLE = """
ALTER TABLE coaching.people
    ADD COLUMN quiet_start time,
    ADD COLUMN quiet_end time,
    ADD COLUMN snoozed_until timestamptz
"""

TABLES = """
-- One reason to speak first, and when. rule: RFC 5545, on the wall clock of time_zone at local_time, from starts_on.
-- next_due_at: NULL while paused, or never again. prepared_*: words made ahead for the due time prepared_for;
-- prepared_position: the newest message of the person that they know of. prepare_at: when somebody looks after them.
CREATE TABLE coaching.check_ins (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    trigger text NOT NULL,
    rule text NOT NULL,
    local_time time NOT NULL,
    time_zone text NOT NULL,
    starts_on date NOT NULL,
    catch_up text NOT NULL CHECK (catch_up IN ('skip', 'once', 'next_window')),
    after_days integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    paused_at timestamptz,
    next_due_at timestamptz,
    prepare_at timestamptz,
    prepare_token bigint NOT NULL DEFAULT 0,
    prepared_for timestamptz,
    prepared_at timestamptz,
    prepared_position bigint NOT NULL DEFAULT 0,
    prepared_source text NOT NULL DEFAULT '' CHECK (prepared_source IN ('', 'model', 'template')),
    prepared_text text NOT NULL DEFAULT '',
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, person_id) REFERENCES coaching.people (organization_id, id)
);
CREATE INDEX check_ins_of_person ON coaching.check_ins (organization_id, person_id);
CREATE INDEX check_ins_due ON coaching.check_ins (organization_id, next_due_at) WHERE next_due_at IS NOT NULL;
CREATE INDEX check_ins_to_prepare ON coaching.check_ins (prepare_at) WHERE prepare_at IS NOT NULL;

-- One occasion: a check-in at one due time, whatever became of it. look_at: when a held one is decided about again.
-- why: the check-in as it was, for whoever asks later; no word of a person in it.
CREATE TABLE coaching.nudges (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    check_in_id uuid NOT NULL,
    trigger text NOT NULL,
    catch_up text NOT NULL CHECK (catch_up IN ('skip', 'once', 'next_window')),
    due_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('dispatched', 'held', 'merged', 'dropped')),
    reason text NOT NULL DEFAULT '',
    look_at timestamptz,
    merged_into uuid,
    why jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, person_id) REFERENCES coaching.people (organization_id, id),
    CHECK ((state = 'held') = (look_at IS NOT NULL))
);
-- An occasion counts once, whatever clocks do.
CREATE UNIQUE INDEX nudges_one_occasion ON coaching.nudges (organization_id, check_in_id, due_at);
CREATE INDEX nudges_of_person ON coaching.nudges (organization_id, person_id, due_at);
CREATE INDEX nudges_held ON coaching.nudges (organization_id, look_at) WHERE state = 'held';

-- facts: what it was decided by, as plain words and times.
CREATE TABLE coaching.decisions (
    organization_id uuid NOT NULL,
    nudge_id uuid NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL,
    asked_by text NOT NULL CHECK (asked_by IN ('schedule', 'claim')),
    verdict text NOT NULL CHECK (verdict IN ('send', 'hold', 'drop')),
    reason text NOT NULL DEFAULT '',
    until timestamptz,
    facts jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (organization_id, nudge_id, number),
    FOREIGN KEY (organization_id, nudge_id) REFERENCES coaching.nudges (organization_id, id)
);

ALTER TABLE coaching.deliveries ADD COLUMN nudge_id uuid;
"""

# The organisations in which something is due at `at`. Its rows are then claimed in a transaction of that organisation.
ORGANIZATIONS_DUE = """
CREATE FUNCTION coaching.organizations_due(at timestamptz) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
    SELECT o.id FROM coaching.organizations o
    WHERE EXISTS (SELECT FROM coaching.check_ins c WHERE c.organization_id = o.id AND c.next_due_at <= at)
        OR EXISTS (SELECT FROM coaching.nudges n
            WHERE n.organization_id = o.id AND n.state = 'held' AND n.look_at <= at)
    ORDER BY o.id
$function$
"""

# Check-ins whose words somebody makes now: like coaching.claim, but by the time that due times are told in, which a
# test may shift. Whoever does not come back has lost them after the lease; the token rises.
CLAIM_CHECK_INS = """
CREATE FUNCTION coaching.claim_check_ins(at timestamptz, lease_seconds integer, max_rows integer)
RETURNS TABLE (organization_id uuid, id uuid, token bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
#variable_conflict use_column
BEGIN
    IF lease_seconds NOT BETWEEN 1 AND 3600 OR max_rows NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION 'claim_check_ins: lease_seconds is 1 to 3600, max_rows 1 to 1000';
    END IF;
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT c.organization_id, c.id FROM coaching.check_ins c
        WHERE c.prepare_at <= at ORDER BY c.prepare_at LIMIT max_rows FOR UPDATE SKIP LOCKED
    )
    UPDATE coaching.check_ins c
    SET prepare_at = at + make_interval(secs => lease_seconds), prepare_token = c.prepare_token + 1
    FROM due WHERE c.organization_id = due.organization_id AND c.id = due.id
    RETURNING c.organization_id, c.id, c.prepare_token;
END
$function$
"""

# The same numbers as before, and what is due of speaking first.
BACKLOG = """
CREATE OR REPLACE FUNCTION coaching.backlog() RETURNS TABLE (kind text, waiting bigint, oldest_seconds double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
    SELECT 'conversation', count(*), coalesce(extract(epoch FROM now() - min(pending_since)), 0)::double precision
    FROM coaching.conversations WHERE pending_since IS NOT NULL
    UNION ALL
    SELECT 'outbox', count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::double precision
    FROM coaching.outbox WHERE published_at IS NULL
    UNION ALL
    SELECT 'memory', count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::double precision
    FROM coaching.messages WHERE memory_state = 'pending'
    UNION ALL
    SELECT 'check_in', count(*), coalesce(extract(epoch FROM now() - min(next_due_at)), 0)::double precision
    FROM coaching.check_ins WHERE next_due_at <= now()
    UNION ALL
    SELECT 'nudge', count(*), coalesce(extract(epoch FROM now() - min(look_at)), 0)::double precision
    FROM coaching.nudges WHERE state = 'held' AND look_at <= now()
$function$
"""

OWN_ROWS = "organization_id = nullif(current_setting('app.organization_id', true), '')::uuid"
PROTECTED = ("check_ins", "nudges", "decisions")
SEEN_ACROSS = ("check_ins", "nudges")
FUNCTIONS = ("coaching.organizations_due(timestamptz)", "coaching.claim_check_ins(timestamptz, integer, integer)")


def upgrade() -> None:
    """Make the tables of speaking first; the rights of coaching's role come by default privileges."""
    op.execute(PEOPLE)
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    for table in PROTECTED:
        op.execute(f"ALTER TABLE coaching.{table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE coaching.{table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY organization ON coaching.{table} USING ({OWN_ROWS}) WITH CHECK ({OWN_ROWS})")
    for table in SEEN_ACROSS:
        op.execute(f"CREATE POLICY claims ON coaching.{table} FOR SELECT TO coaching_claims USING (true)")
        op.execute(f"GRANT SELECT ON coaching.{table} TO coaching_claims")
    policy = "CREATE POLICY claimed ON coaching.check_ins FOR UPDATE TO coaching_claims USING (true) WITH CHECK (true)"
    op.execute(policy)
    op.execute("GRANT UPDATE ON coaching.check_ins TO coaching_claims")
    op.execute(ORGANIZATIONS_DUE)
    op.execute(CLAIM_CHECK_INS)
    op.execute(BACKLOG)
    op.execute("GRANT CREATE, USAGE ON SCHEMA coaching TO coaching_claims")
    for function in FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO coaching_service")
        op.execute(f"ALTER FUNCTION {function} OWNER TO coaching_claims")
    op.execute("REVOKE CREATE ON SCHEMA coaching FROM coaching_claims")


def downgrade() -> None:
    """Schema changes are not taken back: an older release runs on a newer schema."""
    raise NotImplementedError("Migrations only go forward. To go back to older data, restore a recovery point.")
