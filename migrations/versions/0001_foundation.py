"""Roles, schemas, and the organisations that every other row belongs to."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

DEFAULT_ORGANIZATION_ID = "00000000-0000-7000-8000-000000000001"

# schema -> the login role of the service that owns it
OWNERS = {"gateway": "gateway_service", "coaching": "coaching_service", "channels": "channels_service"}

# Roles belong to the whole server: another database may have made them, or an administrator where this user may not.
# The second guard is for two databases of one server that are migrated at the same moment.
ROLE = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        CREATE ROLE {role} {login} NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOREPLICATION;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$
"""

# Lets a migrating user who is no superuser (managed databases give none) hand a function over to the role.
MEMBERSHIP = """
DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'coaching_claims', 'SET') THEN
        GRANT coaching_claims TO CURRENT_USER;
    END IF;
END
$$
"""

ORGANIZATIONS = """
CREATE TABLE coaching.organizations (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name <> ''),
    created_at timestamptz NOT NULL DEFAULT now()
)
"""

# The rows of one organisation only: the one that the transaction has set, and none when it has set nothing.
POLICY = """
CREATE POLICY organization ON coaching.organizations
    USING (id = nullif(current_setting('app.organization_id', true), '')::uuid)
    WITH CHECK (id = nullif(current_setting('app.organization_id', true), '')::uuid)
"""


def upgrade() -> None:
    """Make the house in which the services' migrations put their tables."""
    for role in OWNERS.values():
        op.execute(ROLE.format(role=role, login="LOGIN"))
    # Owns the one function that finds work across organisations; nobody logs in as it.
    op.execute(ROLE.format(role="coaching_claims", login="NOLOGIN"))
    op.execute(MEMBERSHIP)

    op.execute("CREATE SCHEMA IF NOT EXISTS coaching")
    op.execute(ORGANIZATIONS)
    # Before row-level security is forced, which binds the table's owner too.
    op.execute(f"INSERT INTO coaching.organizations (id, name) VALUES ('{DEFAULT_ORGANIZATION_ID}', 'Default')")
    op.execute("ALTER TABLE coaching.organizations ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE coaching.organizations FORCE ROW LEVEL SECURITY")
    op.execute(POLICY)

    for schema, role in OWNERS.items():
        op.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        op.execute(f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC")
        op.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
        # So that no later migration can forget the grants of a new table, nor give another service's.
        default = f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT"
        op.execute(f"{default} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}")
        op.execute(f"{default} USAGE, SELECT ON SEQUENCES TO {role}")
        # A service waits for its schema's revision with its own role.
        op.execute(f"GRANT SELECT ON public.alembic_version TO {role}")

    op.execute("GRANT USAGE ON SCHEMA coaching TO coaching_claims")
    op.execute("GRANT SELECT ON coaching.organizations TO coaching_service")


def downgrade() -> None:
    """Schema changes are not taken back: an older release runs on a newer schema."""
    raise NotImplementedError("Migrations only go forward. To go back to older data, restore a recovery point.")
