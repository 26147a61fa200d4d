"""Settings of the jobs that run in a cluster."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr

from platformctl.cluster.marker import Database, Marker
from platformctl.db.settings import BackupSettings
from platformctl.streams.settings import StreamSettings

ALLOWED = ("empty-database", "fewer-stream-replicas")


def app_version() -> str:
    """The release that this code belongs to; empty in an image, whose chart says it."""
    try:
        return version("coaching-platform-platformctl")
    except PackageNotFoundError:
        return ""


class PrepareSettings(BackupSettings, StreamSettings):
    """What `platformctl cluster prepare` reads; the chart sets all of it."""

    database_url: SecretStr = Field(
        validation_alias=AliasChoices("DATABASE_ADMIN_URL", "DATABASE_URL", "database_url"),
        description="PostgreSQL itself, not a transaction pooler, as the user who owns the schemas.",
    )
    release: str = Field(min_length=1, description="The Helm release that is prepared.")
    database_kind: Database = Field(Database.EXTERNAL, description="bundled with the chart, or external.")
    chart_version: str = Field("", description="Version of the chart, for the marker.")
    app_version: str = Field(default_factory=app_version, description="Version of the images, for the marker.")
    embedding_model: str = Field("", description="The sentence embedder in use, for the marker.")
    backup_dir: Path = Field(Path("/backups"), description="Folder that gets the backup before a migration.")
    backup_keep: int = Field(5, ge=1, description="Verified backups that stay in that folder.")
    backup_before_migration: bool = Field(
        True, description="false only where the database's provider takes recovery points itself."
    )
    database_wait_seconds: float = Field(120.0, ge=0, description="Longest wait for the database to answer.")
    nats_wait_seconds: float = Field(120.0, ge=0, description="Longest wait for NATS to take the streams.")
    prepare_allow: str = Field(
        "", description=f"Changes that lose something and are meant, separated by commas: {', '.join(ALLOWED)}."
    )

    @property
    def allowed(self) -> frozenset[str]:
        """The changes that were allowed."""
        return frozenset(word.strip() for word in self.prepare_allow.split(",") if word.strip())

    def marker(self, revision: str) -> Marker:
        """What these settings install."""
        return Marker(
            revision=revision,
            database=self.database_kind.value,
            chart=self.chart_version,
            app=self.app_version,
            embedding_model=self.embedding_model,
            stream_replicas=str(self.nats_replicas),
        )
