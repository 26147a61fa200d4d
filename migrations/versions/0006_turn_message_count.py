"""How many of a person's messages a turn answered: those typed quickly are answered together."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Without a default: the release before this one writes turns that do not say it."""
    op.execute("ALTER TABLE coaching.turns ADD COLUMN message_count integer")
    op.execute(
        "COMMENT ON COLUMN coaching.turns.message_count IS"
        " 'Messages of the person that this turn answered together; NULL: written by a release before 0006.'"
    )


def downgrade() -> None:
    """Schema changes are not taken back: an older release runs on a newer schema."""
    raise NotImplementedError("Migrations only go forward. To go back to older data, restore a recovery point.")
