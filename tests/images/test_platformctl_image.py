"""What operators, Jobs and init containers act with: platformctl, the migrations, PostgreSQL's programs."""

import json
import re

import pytest

from support.containers import STRICT, Yard, until

PASSWORD = "a-password"
OWNER = f"postgresql://postgres:{PASSWORD}@ledger:5432/coaching"


def psql(yard: Yard, image: str, *words: str, program: str = "psql") -> str:
    options = (*STRICT, "--entrypoint", program)
    return yard.once(image, *words, env={"PGPASSWORD": PASSWORD}, options=options)


def test_its_command_is_platformctl(yard: Yard, image: dict[str, str]) -> None:
    assert "migrate" in yard.once(image["platformctl"], "db", "--help")
    assert "migrate" in yard.once(
        image["platformctl"], "db", "--help", options=(*STRICT, "--entrypoint", "platformctl")
    )


def test_the_history_is_in_it(yard: Yard, image: dict[str, str]) -> None:
    assert "CREATE TABLE" in yard.once(image["platformctl"], "db", "migrate", "--sql")


@pytest.mark.parametrize("program", ["pg_dump", "pg_restore", "psql"])
def test_a_client_program_is_of_the_servers_version(yard: Yard, image: dict[str, str], program: str) -> None:
    def version(of: str, name: str) -> str:
        found = re.search(r"\d+\.\d+", yard.once(of, "--version", options=(*STRICT, "--entrypoint", name)))
        return found[0] if found else ""

    assert version(image["platformctl"], program) == version("postgres:18", "postgres")


def test_a_dump_can_be_restored(yard: Yard, image: dict[str, str]) -> None:
    """By the programs of the image alone, over the network as a Job does it, names and texts of the world included."""
    own = image["platformctl"]
    yard.start("postgres:18", name="ledger", env={"POSTGRES_PASSWORD": PASSWORD, "POSTGRES_DB": "coaching"}, options=())

    def answers() -> bool:
        try:
            return "1" in psql(yard, own, OWNER, "-Atc", "select 1")
        except AssertionError:
            return False

    until("PostgreSQL answers", answers)
    migrated = json.loads(yard.once(own, "db", "migrate", "--json", env={"DATABASE_URL": OWNER}))
    psql(yard, own, OWNER, "-c", "create table word (text text); insert into word values ('Grüße, 世界')")
    psql(yard, own, OWNER, "-c", "create database scratch")
    scratch = OWNER.replace("/coaching", "/scratch")

    command = (
        f"pg_dump --format custom --file /tmp/dump {OWNER} && pg_restore --exit-on-error --dbname {scratch} /tmp/dump"
    )
    yard.once(own, "-c", command, options=(*STRICT, "--entrypoint", "/bin/sh"))

    assert psql(yard, own, scratch, "-Atc", "select text from word").strip() == "Grüße, 世界"
    assert yard.once(own, "db", "verify", env={"DATABASE_URL": scratch})
    assert migrated["after"]
