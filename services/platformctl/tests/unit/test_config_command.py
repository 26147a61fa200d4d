"""`platformctl config check`, and the help of every command of a group."""

import pytest
import typer
from typer.testing import CliRunner, Result

from platformctl.main import app

NOWHERE = "postgresql://someone:hush@127.0.0.1:1/none"


def run(*arguments: str, **env: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env=env)


def commands(group: object, *path: str) -> list[tuple[str, ...]]:
    """The words of every command below a group."""
    found = getattr(group, "commands", None)
    if found is None:
        return [path]
    return [words for name, below in found.items() for words in commands(below, *path, name)]


@pytest.mark.parametrize("words", commands(typer.main.get_command(app)), ids=" ".join)
def test_every_command_says_what_it_does(words: tuple[str, ...]) -> None:
    done = run(*words, "--help")
    assert done.exit_code == 0
    assert f"platformctl {' '.join(words)}" in done.output.replace("root", "platformctl")


def test_right_settings_end_with_0() -> None:
    assert (run("config", "check").exit_code, run("config", "check").output) == (0, "The settings are right.\n")


def test_every_wrong_setting_is_named_once_and_no_value_is_shown() -> None:
    done = run("config", "check", ENVIRONMENT="production", DEBUG="true", NATS_REPLICAS="hush", MIGRATION_ATTEMPTS="0")
    lines = done.stderr.splitlines()
    assert done.exit_code == 78
    assert "- NATS_REPLICAS: Input should be a valid integer, unable to parse string as an integer" in lines
    assert "- MIGRATION_ATTEMPTS: Input should be greater than or equal to 1" in lines
    assert len(lines) == len(set(lines))
    assert "hush" not in done.output


def test_an_unknown_environment_is_said_by_it_too() -> None:
    done = run("config", "check", ENVIRONMENT="test")
    assert (done.exit_code, done.stderr) == (
        78,
        "- ENVIRONMENT is not known; use one of: development, staging, production\n",
    )


def test_in_a_cluster_the_migration_jobs_settings_are_checked() -> None:
    done = run("config", "check", RELEASE="coach", DATABASE_KIND="both", DATABASE_ADMIN_URL=NOWHERE)
    assert "- DATABASE_KIND: Input should be 'bundled' or 'external'" in done.stderr
    assert run("config", "check", DATABASE_KIND="both").exit_code == 0


def test_with_connect_a_store_that_does_not_answer_ends_with_1() -> None:
    done = run("config", "check", "--connect", DATABASE_URL=NOWHERE)
    assert (done.exit_code, "cannot be reached" in done.stderr, "hush" in done.output) == (1, True, False)
