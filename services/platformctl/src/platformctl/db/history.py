"""The migration history that this release carries."""

import io
from dataclasses import dataclass

from alembic.config import Config
from alembic.script import ScriptDirectory

from platformctl.db.errors import DatabaseError
from platformctl.db.settings import MigrationSettings


def alembic_config(settings: MigrationSettings, output: io.StringIO | None = None) -> Config:
    """Alembic's configuration, built in code. Raises DatabaseError when the folder holds no history."""
    if not (settings.migrations_dir / "env.py").is_file():
        raise DatabaseError(f"No migrations in {settings.migrations_dir}. Set MIGRATIONS_DIR to their folder.")
    config = Config(output_buffer=output, stdout=io.StringIO(), attributes={"settings": settings})
    config.set_main_option("script_location", str(settings.migrations_dir).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@dataclass(frozen=True, slots=True)
class History:
    """The revisions of this release, oldest first; `heads` has one element when the history is sound."""

    revisions: tuple[str, ...]
    heads: tuple[str, ...]

    @property
    def head(self) -> str:
        """The newest revision. Raises DatabaseError when there is not exactly one."""
        if len(self.heads) != 1:
            raise DatabaseError(f"The migration history must have one head, and has {len(self.heads)}: {self.heads}.")
        return self.heads[0]

    def has_reached(self, current: str | None, wanted: str) -> bool:
        """Whether a database at `current` has `wanted`; one that is newer than this release knows has everything."""
        if current is None:
            return False
        if current not in self.revisions:
            return True
        if wanted not in self.revisions:
            return False
        return self.revisions.index(current) >= self.revisions.index(wanted)

    def is_ahead(self, current: str | None) -> bool:
        """Whether a newer release has migrated the database: that is ready, not broken."""
        return current is not None and current not in self.revisions


def history(settings: MigrationSettings) -> History:
    """Read the history from its folder."""
    scripts = ScriptDirectory.from_config(alembic_config(settings))
    revisions = tuple(script.revision for script in scripts.walk_revisions())[::-1]
    return History(revisions, tuple(scripts.get_heads()))
