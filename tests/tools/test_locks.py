"""A lock that is incomplete, has no hash or names an index is found without a network."""

from scripts.locks import faults, wanted

GOOD = "typer==0.29.1 \\\n    --hash=sha256:aa\nuvicorn==0.54.0 ; python_version > '3' \\\n    --hash=sha256:bb\n"


def test_a_good_lock_has_no_faults() -> None:
    assert not faults("a.lock", GOOD, {"typer", "uvicorn"})


def test_names_are_compared_as_indexes_do() -> None:
    assert wanted(["SQLAlchemy[asyncio]", "# note", "", "nats_py>=2"]) == {"sqlalchemy", "nats-py"}


def test_a_requirement_that_is_not_locked_is_named() -> None:
    (fault,) = faults("a.lock", GOOD, {"typer", "rich"})
    assert "rich" in fault


def test_a_package_without_a_hash_is_named() -> None:
    (fault,) = faults("a.lock", f"{GOOD}rich==15.0.0\n", {"typer"})
    assert "rich==15.0.0 has no hash" in fault


def test_an_index_is_not_named() -> None:
    (fault,) = faults("a.lock", f"--index-url https://mirror.example/simple\n{GOOD}", {"typer"})
    assert "URL" in fault
