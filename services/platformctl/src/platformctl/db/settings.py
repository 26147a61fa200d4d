"""Settings of the database commands."""

import sys
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from kit.settings import BaseServiceSettings, Environment

HISTORY = "migrations"
# The checkout with this file in services/platformctl/src/platformctl/db, then where the wheel puts its shared data.
PLACES = (*Path(__file__).resolve().parents[5:6], Path(sys.prefix) / "share" / "coaching-platform")


def default_migrations_dir(places: tuple[Path, ...] = PLACES) -> Path:
    """The history of the checkout that this code runs from, else the one installed with the package."""
    return next((base / HISTORY for base in places if (base / HISTORY / "env.py").is_file()), places[-1] / HISTORY)


class MigrationSettings(BaseServiceSettings):
    """What `platformctl db` reads. DATABASE_URL is here the owner's, who may create roles and schemas."""

    database_url: SecretStr = Field(
        SecretStr("postgresql://localhost:5432/coaching_dev"),
        description="PostgreSQL itself, not a transaction pooler, as the user who owns the schemas.",
    )
    migrations_dir: Path = Field(
        default_factory=default_migrations_dir, description="Folder of the migration history (env.py, versions/)."
    )
    migration_wait_seconds: float = Field(
        120.0, gt=0, description="Longest wait for another migration that runs at the same time."
    )
    migration_lock_timeout_seconds: float = Field(
        4.0, gt=0, le=60, description="Longest wait of one statement for a table's lock; then it is tried again."
    )
    migration_attempts: int = Field(10, ge=1, description="How often a migration that gets no lock is tried.")
    gateway_database_password: SecretStr | None = Field(None, description="Password given to gateway_service.")
    coaching_database_password: SecretStr | None = Field(None, description="Password given to coaching_service.")
    channels_database_password: SecretStr | None = Field(None, description="Password given to channels_service.")

    @model_validator(mode="after")
    def check_passwords(self) -> Self:
        """Give no role a weak password outside development."""
        if self.environment is not Environment.DEVELOPMENT:
            given = (f"{role.removesuffix('_service')}_database_password" for role in self.role_passwords())
            problems = [problem for name in given for problem in self._weakness(name)]
            if problems:
                raise ValueError("; ".join(problems))
        return self

    @property
    def lock_timeout_milliseconds(self) -> int:
        """The lock timeout in PostgreSQL's own unit."""
        return int(self.migration_lock_timeout_seconds * 1000)

    def role_passwords(self) -> dict[str, str]:
        """The passwords that were given, by login role."""
        given = {
            "gateway_service": self.gateway_database_password,
            "coaching_service": self.coaching_database_password,
            "channels_service": self.channels_database_password,
        }
        return {role: value.get_secret_value() for role, value in given.items() if value and value.get_secret_value()}


class BackupSettings(MigrationSettings):
    """What `platformctl db backup` reads. The release that migrates takes a backup first."""

    backup_database_url: SecretStr | None = Field(
        None, description="The same database as a user who sees every row (BYPASSRLS), where its owner does not."
    )
    backup_scratch_url: SecretStr | None = Field(
        None, description="Another server on which a backup is restored to verify it, where the user has no CREATEDB."
    )
