"""The release after one, whose migration the database refuses."""

import shutil
from dataclasses import replace
from pathlib import Path

from support.cluster.place import Place
from support.cluster.programs import run
from support.cluster.release import HEAD, Release

REVISION = "9001"
REFUSED = "a_table_that_nobody_made"  # what the database's error names
TAKEN_BACK = "SELECT to_regclass('coaching.half_done') IS NULL"
# Names and values keys of what a new release replaces, all of it, and not only what uses the database itself.
SERVICES = {
    "gateway": "gateway", "coaching": "coaching", "channel-adapter": "channelAdapter", "llm-inference": "llmInference",
    "vector-search": "vectorSearch", "web": "web",
}  # fmt: skip
MIGRATION = f'''"""A migration that fails halfway, after a change that must be taken back."""

from alembic import op

revision = "{REVISION}"
down_revision = "{{head}}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE coaching.half_done (id integer)")
    op.execute("ALTER TABLE coaching.{REFUSED} ADD COLUMN more text")
'''


def after(release: Release, place: Place, tag: str, folder: Path) -> Release:
    """Return it: its image of platformctl has one more migration, its chart waits for that one."""
    (folder / "migration.py").write_text(MIGRATION.format(head=release.head))
    (folder / "Dockerfile").write_text(
        f"FROM {place.image('platformctl', tag)}\nCOPY migration.py /app/migrations/versions/{REVISION}_fails.py\n"
    )
    image = place.image("platformctl", f"{tag}-fails")
    run("docker", "build", "--quiet", "--tag", image, str(folder), env={"DOCKER_BUILDKIT": "1"})
    run(*place.load, image) if place.load else run("docker", "push", "--quiet", image)
    chart = folder / "chart"
    shutil.copytree(release.chart, chart)
    manifest = chart / "Chart.yaml"
    manifest.write_text(manifest.read_text().replace(f'{HEAD}: "{release.head}"', f'{HEAD}: "{REVISION}"'))
    return replace(release, chart=chart).with_settings(
        f"global.image.references.platformctl={image}",
        *(f"{key}.podAnnotations.release=next" for key in SERVICES.values()),
    )
