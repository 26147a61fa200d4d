"""What `up` checks and decides before anything starts."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from kit.settings import SettingsError, load
from platformctl.up import datadir, notices
from platformctl.up.datadir import FORMAT, DataError, DataFolder
from platformctl.up.dotenv import load_dotenv
from platformctl.up.language_model import choose
from platformctl.up.preflight import PreflightError, check_room, check_system_libraries
from platformctl.up.runfile import PartEntry, RunFile, read, start_time
from platformctl.up.settings import UpSettings

STRONG = "x9-Tq2_Lm7.Rw4+Zk8=Bv3~Hn6!Pd1Yc"


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data")


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment without any setting, in an empty folder."""
    for name in UpSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


# ------------------------------------------------------------------------------------------------ the data folder


def test_a_new_folder_is_made_for_its_owner_alone(folder: DataFolder) -> None:
    folder.open()
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert (folder.path / "format").read_text() == f"{FORMAT}\n"
    folder.open()


def test_what_was_made_in_vain_is_removed(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "new" / "data")
    made = folder.open()
    with folder.lock():
        folder.undo(made)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kept", ["secrets", "nothing"])
def test_what_was_there_or_came_since_is_not_removed(folder: DataFolder, kept: str) -> None:
    made = folder.open()
    if kept == "secrets":
        folder.secrets.mkdir()
    else:
        made = folder.open()
    with folder.lock():
        folder.undo(made)
    assert folder.format_file.exists()


def test_only_the_marks_are_removed_from_a_folder_that_was_there(folder: DataFolder) -> None:
    folder.path.mkdir()
    made = folder.open()
    with folder.lock():
        folder.undo(made)
    assert list(folder.path.iterdir()) == []


def test_a_folder_with_something_else_in_it_is_refused(folder: DataFolder) -> None:
    folder.path.mkdir()
    (folder.path / "thesis.tex").write_text("")
    with pytest.raises(DataError, match=r"holds something else \(thesis.tex\).*DATA="):
        folder.open()


def test_a_file_is_no_folder(folder: DataFolder) -> None:
    folder.path.write_text("")
    with pytest.raises(DataError, match="is not a folder"):
        folder.open()


def test_a_folder_below_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="DATA="):
        DataFolder(tmp_path / "file" / "data").open()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_says_so(folder: DataFolder) -> None:
    folder.path.mkdir(mode=0o500)
    with pytest.raises(DataError, match="cannot be written"):
        folder.open()


@pytest.mark.parametrize("found", [str(FORMAT + 1), "banana"])
def test_data_of_a_newer_version_is_refused_with_a_sentence(folder: DataFolder, found: str) -> None:
    folder.open()
    (folder.path / "format").write_text(f"{found}\n")
    with pytest.raises(DataError, match="newer version"):
        folder.open()


def test_data_of_an_older_version_is_migrated_where_there_is_a_way(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.open()
    (folder.path / "format").write_text("0\n")
    with pytest.raises(DataError, match="has format 0"):
        folder.open()
    monkeypatch.setitem(datadir.MIGRATIONS, 0, lambda path: (path / "migrated").touch())
    folder.open()
    assert (folder.path / "migrated").exists()
    assert (folder.path / "format").read_text() == f"{FORMAT}\n"


def test_a_second_start_on_the_same_folder_is_refused_by_name(folder: DataFolder, tmp_path: Path) -> None:
    folder.open()
    other = DataFolder(tmp_path / "other")
    other.open()
    with folder.lock(), other.lock():
        with pytest.raises(DataError, match=rf"process {os.getpid()}.*platformctl down"):
            folder.lock()
        assert folder.holder() == os.getpid()
    assert folder.holder() is None
    with folder.lock():
        pass


# ------------------------------------------------------------------------------------------------ run.json


def run_file(**changes: object) -> RunFile:
    values = {
        "pid": os.getpid(),
        "started_at": start_time(os.getpid()),
        "url": "http://127.0.0.1:8080",
        "environment": "development",
        "ports": {"gateway.http": 8080},
        "parts": [PartEntry("gateway", "ready", 1, 0, "127.0.0.1:8080", "http://127.0.0.1:8080/ready")],
    }
    return RunFile(**(values | changes))  # type: ignore[arg-type]  # a test names any of them


def test_a_running_platform_is_found_by_its_file(tmp_path: Path) -> None:
    written = run_file()
    written.write(tmp_path / "run.json")
    assert read(tmp_path / "run.json") == written
    assert (tmp_path / "run.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("stale", [{"pid": 2**22 + 1}, {"started_at": 1.0}], ids=["dead", "pid given out again"])
def test_the_file_of_a_dead_platform_is_not_believed(tmp_path: Path, stale: dict[str, object]) -> None:
    run_file(**stale).write(tmp_path / "run.json")
    assert read(tmp_path / "run.json") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": 1}'])
def test_a_file_that_is_none_is_not_believed(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    assert read(tmp_path / "run.json") is None


# ------------------------------------------------------------------------------------------------ the machine


def test_a_missing_system_library_is_named_with_its_package() -> None:
    with pytest.raises(PreflightError, match="libgomp1"):
        check_system_libraries(lambda _: False, "linux")
    check_system_libraries(lambda _: True, "linux")
    check_system_libraries(lambda _: False, "darwin")


def test_too_little_room_is_said_in_megabytes(tmp_path: Path) -> None:
    with pytest.raises(PreflightError, match="has 10 MB free; 600 MB are needed"):
        check_room(tmp_path, 600_000_000, lambda _: 10_000_000)
    check_room(tmp_path, 600_000_000, lambda _: 600_000_000)


# ------------------------------------------------------------------------------------------------ the language model


def nobody(_: str) -> list[str] | None:
    return None


def never(_: str) -> list[str] | None:
    raise AssertionError("Ollama must not be asked")


def test_without_anything_the_embedded_model_is_used() -> None:
    chosen = choose(UpSettings(), nobody)
    assert (chosen.provider, chosen.fetch) == ("embedded", True)
    assert "Qwen2.5" in chosen.said
    assert "SmolLM2" in choose(UpSettings(model="small"), nobody).said


def test_an_ollama_that_answers_is_used_and_named() -> None:
    chosen = choose(UpSettings(ollama_url="http://me:hunter2@127.0.0.1:11434"), lambda _: ["llama3"])
    assert (chosen.provider, chosen.fetch) == ("ollama", False)
    assert "Ollama answers at 127.0.0.1:11434" in chosen.said
    assert "LLM_PROVIDER=embedded" in chosen.said


def test_an_ollama_without_a_model_is_of_no_use() -> None:
    chosen = choose(UpSettings(), lambda _: [])
    assert (chosen.provider, chosen.fetch) == ("embedded", True)
    assert "has no model" in chosen.said


def test_a_server_that_is_set_is_used_before_ollama_and_named_without_its_credentials() -> None:
    chosen = choose(UpSettings(openai_base_url="https://user:hunter2@models.example.org/v1"), never)
    assert chosen.provider == "openai_compatible"
    assert "models.example.org" in chosen.said
    assert "hunter2" not in chosen.said


@pytest.mark.parametrize("provider", ["embedded", "ollama", "openai_compatible"])
def test_a_provider_that_is_set_is_never_overruled(provider: str) -> None:
    settings = UpSettings(llm_provider=provider, openai_base_url="http://127.0.0.1:1/v1")
    assert choose(settings, never).provider == provider


def test_an_own_file_is_used_and_nothing_is_fetched(tmp_path: Path) -> None:
    chosen = choose(UpSettings(llm_model_path=tmp_path / "mine.gguf"), never)
    assert (chosen.provider, chosen.fetch) == ("embedded", False)


# ------------------------------------------------------------------------------------------------ settings and notices


def test_later_settings_are_reported_as_not_used_yet(environ: pytest.MonkeyPatch) -> None:
    for name in ("SENTRY_DSN", "STRIPE_SECRET_KEY", "WHATSAPP_ACCESS_TOKEN"):
        environ.setenv(name, "x")
    said = notices.not_used_yet(load(UpSettings))
    assert [line.split()[0] for line in said] == ["SENTRY_DSN", "STRIPE_SECRET_KEY", "WHATSAPP_ACCESS_TOKEN"]
    assert all("not used yet" in line for line in said)


def test_how_telegram_is_reached_is_said() -> None:
    bot = SecretStr("1:token")
    assert notices.telegram(UpSettings()) == []
    assert "long polling" in notices.telegram(UpSettings(telegram_bot_token=bot))[0]
    (webhook,) = notices.telegram(UpSettings(telegram_bot_token=bot, public_url="https://coach.example.org/"))
    assert "https://coach.example.org/webhooks/telegram/" in webhook
    assert "1:token" not in webhook


def test_own_servers_are_said_to_be_used() -> None:
    said = notices.external(UpSettings(database_url=SecretStr("postgresql://me:secret@db/x")))
    assert list(said) == ["postgres"]
    assert "none is started here" in said["postgres"]
    assert "secret" not in said["postgres"]


def test_an_unknown_environment_is_refused_with_the_allowed_names(environ: pytest.MonkeyPatch) -> None:
    environ.setenv("ENVIRONMENT", "prod")
    with pytest.raises(SettingsError, match="development, staging, production"):
        load_dotenv()


@pytest.mark.parametrize("secret", ["", "short", "a" * 64], ids=["missing", "short", "one letter"])
@pytest.mark.parametrize("name", ["staging", "production"])
def test_a_weak_secret_is_refused_outside_development(environ: pytest.MonkeyPatch, name: str, secret: str) -> None:
    environ.setenv("ENVIRONMENT", name)
    environ.setenv("SECRET_KEY", secret)
    with pytest.raises(SettingsError, match="SECRET_KEY"):
        load(UpSettings)
    environ.setenv("SECRET_KEY", STRONG)
    assert load(UpSettings).environment == name


def test_empty_settings_are_unset(environ: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "DATABASE_URL", "MODEL", "LLM_PROVIDER"):
        environ.setenv(name, "")
    settings = load(UpSettings)
    assert (settings.port, settings.database_url, settings.model, settings.llm_provider) == (
        None,
        None,
        "default",
        None,
    )


def test_the_environment_wins_over_its_file_and_that_over_the_general_one(
    environ: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("ENVIRONMENT=staging\nport=1\nMODEL=small\nOLLAMA_URL=general\n")
    (tmp_path / ".env.staging").write_text("MODEL=default\nPORT=2\nEMPTY\n")
    known = {"PORT": "3"}
    assert load_dotenv(known) == "staging"
    assert known == {"PORT": "3", "MODEL": "default", "ENVIRONMENT": "staging", "OLLAMA_URL": "general"}


@pytest.mark.parametrize(
    ("known", "file"),
    [
        ({"REQUEST_TIMEOUT_SECONDS": "7"}, "REQUEST_TIMEOUT=9\n"),
        ({"request_timeout": "7"}, "REQUEST_TIMEOUT_SECONDS=9\n"),
        ({"REQUEST_TIMEOUT": ""}, "request_timeout_seconds=7\n"),
    ],
)
def test_what_the_process_has_set_by_another_name_is_set(
    environ: pytest.MonkeyPatch, tmp_path: Path, known: dict[str, str], file: str
) -> None:
    (tmp_path / ".env").write_text(file)
    load_dotenv(known)
    for name, value in known.items():
        environ.setenv(name, value)
    (tmp_path / ".env").unlink()
    assert load(UpSettings).request_timeout == 7
