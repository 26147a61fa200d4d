"""Indexes that speaking first needs on a table in use, built without holding anybody up."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Each may be built again where a build was cut off: whoever was interrupted left an invalid index behind.
INDEXES = {
    # A nudge is sent once; whatever else went wrong, the database refuses a second delivery.
    "deliveries_one_nudge": """
        CREATE UNIQUE INDEX CONCURRENTLY deliveries_one_nudge ON coaching.deliveries (organization_id, nudge_id)
            WHERE nudge_id IS NOT NULL
    """,
    # What was written first lately, for the caps of a day and a week.
    "deliveries_proactive": """
        CREATE INDEX CONCURRENTLY deliveries_proactive ON coaching.deliveries (organization_id, person_id, created_at)
            WHERE kind = 'proactive'
    """,
    # Whether an earlier reply of a conversation is still on its way.
    "deliveries_unfinished": """
        CREATE INDEX CONCURRENTLY deliveries_unfinished ON coaching.deliveries
            (organization_id, conversation_id, created_at) WHERE state IN ('planned', 'claimed', 'in_flight')
    """,
}


def upgrade() -> None:
    """Build them outside of a transaction."""
    with op.get_context().autocommit_block():
        for name, statement in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS coaching.{name}")
            op.execute(statement)


def downgrade() -> None:
    """Schema changes are not taken back: an older release runs on a newer schema."""
    raise NotImplementedError("Migrations only go forward. To go back to older data, restore a recovery point.")
