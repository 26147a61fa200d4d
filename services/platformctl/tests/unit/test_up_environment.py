"""What each service is started with."""

from collections.abc import Callable
from pathlib import Path

import pytest

from platformctl.ports import PORTS
from platformctl.up.cores import inference_threads, quota_cores, usable_cores
from platformctl.up.environment import Stores, as_role, compose, defaults, missing, role_passwords
from platformctl.up.services import SERVICES, Replica, Service, ServiceProgram

PORT_NUMBERS = {port.key: port.default for port in PORTS}
STORES = Stores("postgresql://postgres:root@127.0.0.1:55432/coaching", "nats://p:s@127.0.0.1:54222", "redis://:r@h:6/0")
PASSWORDS = {f"{name}_DATABASE_PASSWORD": f"{name.lower()}-pw" for name in ("GATEWAY", "COACHING", "CHANNELS")}
BY_NAME = {service.name: service for service in SERVICES}


def composed(
    name: str, environ: dict[str, str] | None = None, settings: dict[str, str] | None = None
) -> dict[str, str]:
    return compose(Replica(BY_NAME[name]), environ or {}, PORT_NUMBERS, STORES, PASSWORDS, settings or {})


def test_every_service_of_the_checkout_is_started() -> None:
    folders = {path.parent.parent.name for path in Path("services").glob("*/src/*/") if (path / "main.py").exists()}
    assert {service.name for service in SERVICES} == folders - {"platformctl"}


@pytest.mark.parametrize("name", BY_NAME)
def test_each_service_listens_on_its_own_ports_and_knows_its_peers(name: str) -> None:
    env = composed(name)
    assert env["HTTP_PORT"] == str(PORT_NUMBERS[f"{name}.http"])
    assert env.get("GRPC_PORT") == (None if name == "gateway" else str(PORT_NUMBERS[f"{name}.grpc"]))
    assert env["COACHING_ADDRESS"] == "127.0.0.1:50051"
    assert env["VECTOR_SEARCH_ADDRESS"] == "127.0.0.1:50054"


def test_each_service_has_its_own_role_in_the_database_and_never_the_owner() -> None:
    urls = {name: composed(name, {"DATABASE_URL": STORES.database}).get("DATABASE_URL") for name in BY_NAME}
    assert urls == {
        "vector-search": None,
        "llm-inference": None,
        "coaching": "postgresql://coaching_service:coaching-pw@127.0.0.1:55432/coaching",
        "channel-adapter": "postgresql://channels_service:channels-pw@127.0.0.1:55432/coaching",
        "gateway": "postgresql://gateway_service:gateway-pw@127.0.0.1:55432/coaching",
    }


def test_the_users_settings_reach_every_service_but_ports_and_owners_do_not() -> None:
    mine = {"LOG_LEVEL": "ERROR", "http_port": "1", "database_url": "postgresql://owner@x/y", "PORT": "9"}
    for name in BY_NAME:
        env = composed(name, mine)
        assert env["LOG_LEVEL"] == "ERROR"
        assert not {"http_port", "database_url", "PORT"} & set(env)


TABLE = {
    "DEBUG": "false", "LOG_LEVEL": "ERROR", "DATABASE_POOL_SIZE": "3", "DATABASE_MAX_OVERFLOW": "2",
    "REDIS_MAX_CONNECTIONS": "7", "OLLAMA_URL": "http://h:1", "CHROMADB_URL": "http://h:2", "SECRET_KEY": "s",
    "JWT_ALGORITHM": "HS512", "JWT_EXPIRE_MINUTES": "5", "TELEGRAM_BOT_TOKEN": "1:a", "TELEGRAM_WEBHOOK_SECRET": "w",
    "TELEGRAM_API_URL": "http://h:3", "LLM_MODEL": "mine", "OPENAI_BASE_URL": "http://h:4/v1", "OPENAI_API_KEY": "k",
    "TURN_TIMEOUT_SECONDS": "60", "MAX_WORKERS": "2", "REQUEST_TIMEOUT": "9", "REQUEST_TIMEOUT_SECONDS": "9",
    "UPLOADS_DIR": "/mine", "UPLOADS_S3_BUCKET": "b", "UPLOADS_S3_ENDPOINT_URL": "http://h:5", "LLM_THREADS": "1",
    "TEST_CLOCK": "/clock", "SENTRY_DSN": "d", "STRIPE_SECRET_KEY": "p", "WHATSAPP_ACCESS_TOKEN": "t",
}  # fmt: skip


@pytest.mark.parametrize("written", [str.upper, str.lower, str.title])
@pytest.mark.parametrize("name", BY_NAME)
def test_what_the_user_sets_reaches_every_service_as_it_is(
    name: str, written: Callable[[str], str], tmp_path: Path
) -> None:
    environ = {written(key): value for key, value in TABLE.items()}
    computed = missing(environ, defaults(tmp_path, cores=4))
    env = composed(name, environ, computed)
    assert {key.upper(): value for key, value in env.items() if key.upper() in TABLE} == TABLE
    assert len({key.upper() for key in env}) == len(env)


def test_only_the_door_listens_where_the_user_wants() -> None:
    for name in BY_NAME:
        host = composed(name, {"BIND_HOST": "0.0.0.0"})["BIND_HOST"]
        assert host == ("0.0.0.0" if name == "gateway" else "127.0.0.1")


def test_what_up_decides_wins_in_any_case_of_letters() -> None:
    env = composed("gateway", {"llm_provider": "ollama"}, {"LLM_PROVIDER": "embedded"})
    assert [value for key, value in env.items() if key.upper() == "LLM_PROVIDER"] == ["embedded"]


def test_a_role_keeps_the_rest_of_the_url() -> None:
    url = as_role("postgresql://owner:p@db.example.org:6432/coach?sslmode=require", "coaching_service", "a/b@c")
    assert url == "postgresql://coaching_service:a%2Fb%40c@db.example.org:6432/coach?sslmode=require"


def test_passwords_are_made_once_and_the_users_own_are_taken(tmp_path: Path) -> None:
    first = role_passwords(tmp_path, {"COACHING_DATABASE_PASSWORD": "mine"})
    assert first["COACHING_DATABASE_PASSWORD"] == "mine"
    assert len(first["GATEWAY_DATABASE_PASSWORD"]) >= 32
    assert role_passwords(tmp_path, {})["GATEWAY_DATABASE_PASSWORD"] == first["GATEWAY_DATABASE_PASSWORD"]


def test_defaults_fill_only_what_the_user_left_open(tmp_path: Path) -> None:
    left = missing({"uploads_dir": "/mine", "LLM_THREADS": ""}, defaults(tmp_path, cores=4))
    assert "UPLOADS_DIR" not in left
    assert left["VECTORS_DIR"] == str(tmp_path / "vectors")
    assert left["LLM_THREADS"] == "3"


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (4, 3), (16, 15)])
def test_one_core_is_left_to_the_services(cores: int, threads: int) -> None:
    assert inference_threads(cores) == threads


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "200000 100000"}, 2),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "100000"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ({}, None),
    ],
)
def test_a_containers_quota_bounds_the_cores(tmp_path: Path, files: dict[str, str], cores: int | None) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    assert quota_cores(tmp_path) == cores
    assert 1 <= usable_cores(tmp_path) <= (cores or 10**6)


async def test_a_service_runs_its_module_and_is_not_ready_before_it_answers(tmp_path: Path) -> None:
    program = ServiceProgram(Replica(Service("llm-inference")), {"A": "b"}, 9, tmp_path)
    launch = program.launch()
    assert launch.command[-2:] == ("-m", "llm_inference.main")
    assert launch.environment == {"A": "b"}
    assert not await program.ready()
