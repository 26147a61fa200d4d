"""${message}."""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """Expand only: the release before this one keeps running on the new schema."""
    ${upgrades if upgrades else "op.execute(...)"}


def downgrade() -> None:
    """Schema changes are not taken back: an older release runs on a newer schema."""
    raise NotImplementedError("Migrations only go forward. To go back to older data, restore a recovery point.")
