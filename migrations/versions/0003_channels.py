"""Channels: the accounts that are served, the leases of polling, and the rows that name stored files."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OWN_ROWS = "organization_id = nullif(current_setting('app.organization_id', true), '')::uuid"
TABLES = ("accounts", "polling_leases", "files")

STATEMENTS = (
    # A channel account belongs to one organisation in the whole database.
    """
    CREATE TABLE channels.accounts (
        organization_id uuid NOT NULL,
        channel text NOT NULL,
        account text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (channel, account)
    )
    """,
    # token rises with each owner; position is where fetching goes on, 0 for the provider's own.
    """
    CREATE TABLE channels.polling_leases (
        organization_id uuid NOT NULL,
        channel text NOT NULL,
        account text NOT NULL,
        owner text NOT NULL,
        token bigint NOT NULL,
        expires_at timestamptz NOT NULL,
        position bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (channel, account)
    )
    """,
    # The content lies in the file store under its SHA-256 and was written there before its row.
    """
    CREATE TABLE channels.files (
        organization_id uuid NOT NULL,
        sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
        media_type text NOT NULL,
        kind text NOT NULL,
        channel text NOT NULL,
        account text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (organization_id, sha256)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    for table in TABLES:
        op.execute(f"ALTER TABLE channels.{table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE channels.{table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_organization ON channels.{table} USING ({OWN_ROWS}) WITH CHECK ({OWN_ROWS})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON channels.{table} TO channels_service")


def downgrade() -> None:
    raise NotImplementedError("revision 0003 is not taken back: restore a backup")
