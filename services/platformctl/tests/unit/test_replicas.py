"""Several processes of a service on one machine: their names, ports, addresses and what keeps them apart."""

from pathlib import Path

import pytest

from kit.settings import SettingsError, load
from platformctl.parts.postgres import PostgresPart
from platformctl.ports import PORTS, with_replicas
from platformctl.up import notices
from platformctl.up.environment import Stores, compose, defaults
from platformctl.up.services import SERVICES, Replica, ServiceProgram, replicas_of
from platformctl.up.settings import UpSettings

STORES = Stores("postgresql://postgres:root@127.0.0.1:55432/coaching", "nats://p:s@127.0.0.1:54222", "redis://:r@h:6/0")
PASSWORDS = {f"{name}_DATABASE_PASSWORD": "pw" for name in ("GATEWAY", "COACHING", "CHANNELS")}
MOST = 16


def table(count: int) -> dict[str, int]:
    copies = {replica.service.name: replica.of for replica in replicas_of(SERVICES, count)}
    return {port.key: port.default for port in with_replicas(copies)}


def environments(count: int, environ: dict[str, str] | None = None) -> dict[str, dict[str, str]]:
    settings = defaults(Path("/data"), cores=8, replicas=count)
    return {
        replica.name: compose(replica, environ or {}, table(count), STORES, PASSWORDS, settings)
        for replica in replicas_of(SERVICES, count)
    }


def test_one_replica_changes_nothing() -> None:
    assert with_replicas({}) == PORTS
    assert [replica.name for replica in replicas_of(SERVICES, 1)] == [service.name for service in SERVICES]
    for env in environments(1).values():
        assert not {"OPS_PORT", "OTEL_RESOURCE_ATTRIBUTES"} & set(env)
        assert env["LLM_SLOTS_DIR"] == "/data/llm-slots"


def test_every_service_but_the_one_that_keeps_something_is_started_so_often() -> None:
    assert [replica.name for replica in replicas_of(SERVICES, 2)] == [
        "vector-search", "llm-inference", "llm-inference-2", "coaching", "coaching-2",
        "channel-adapter", "channel-adapter-2", "gateway", "gateway-2",
    ]  # fmt: skip


@pytest.mark.parametrize("count", [2, 3, MOST])
def test_no_two_replicas_share_a_port_but_the_door(count: int) -> None:
    given = table(count)
    assert len(set(given.values())) == len(given)
    replicas = replicas_of(SERVICES, count)
    assert len({replica.ops(given) for replica in replicas}) == len(replicas)
    assert {replica.door(given) for replica in replicas if replica.service.name == "gateway"} == {8080}
    inner = [replica.door(given) for replica in replicas if replica.service.name != "gateway"]
    assert len(set(inner)) == len(inner)


def test_gateways_share_their_port_and_each_says_on_its_own_whether_it_is_ready(tmp_path: Path) -> None:
    env = environments(2)
    assert [env[name]["HTTP_PORT"] for name in ("gateway", "gateway-2")] == ["8080", "8080"]
    assert [env[name]["OPS_PORT"] for name in ("gateway", "gateway-2")] == ["8100", "8200"]
    replica = next(one for one in replicas_of(SERVICES, 2) if one.name == "gateway-2")
    program = ServiceProgram(replica, {}, replica.ops(table(2)), tmp_path)
    assert program.ready_url == "http://127.0.0.1:8200/ready"
    assert program.launch().log_path == tmp_path / "gateway-2.log"
    assert program.launch().command[-1] == "gateway.main"


def test_every_replica_knows_all_replicas_of_its_peers() -> None:
    for env in environments(3).values():
        assert env["COACHING_ADDRESS"] == "127.0.0.1:50051,127.0.0.1:50151,127.0.0.1:50251"
        assert env["LLM_INFERENCE_ADDRESS"].count(",") == 2
        assert env["VECTOR_SEARCH_ADDRESS"] == "127.0.0.1:50054"


def test_replicas_of_the_model_have_folders_of_their_own_and_share_the_cores() -> None:
    env = environments(2)
    assert [env[name]["LLM_SLOTS_DIR"] for name in ("llm-inference", "llm-inference-2")] == [
        "/data/llm-slots", "/data/llm-slots-2",
    ]  # fmt: skip
    assert {env[name]["LLM_THREADS"] for name in ("llm-inference", "llm-inference-2")} == {"3"}
    assert defaults(Path("/data"), cores=2, replicas=MOST)["LLM_THREADS"] == "1"


def test_a_folder_that_the_user_names_is_divided_too() -> None:
    mine = {"llm_slots_dir": "/mine", "LLM_THREADS": "6"}
    replica = Replica(next(service for service in SERVICES if service.name == "llm-inference"), 2, 2)
    env = compose(replica, mine, table(2), STORES, PASSWORDS, {})
    assert {key: value for key, value in env.items() if key.upper() == "LLM_SLOTS_DIR"} == {"LLM_SLOTS_DIR": "/mine-2"}
    assert env["LLM_THREADS"] == "6"


def test_traces_tell_replicas_apart_beside_what_the_user_says() -> None:
    env = environments(2, {"OTEL_RESOURCE_ATTRIBUTES": "host.name=mine"})
    assert env["coaching-2"]["OTEL_RESOURCE_ATTRIBUTES"] == "host.name=mine,service.instance.id=coaching-2"
    assert environments(2)["coaching"]["OTEL_RESOURCE_ATTRIBUTES"] == "service.instance.id=coaching"


def test_a_port_of_the_users_own_for_operators_reaches_no_gateway() -> None:
    assert "OPS_PORT" not in environments(1, {"OPS_PORT": "9"})["gateway"]


@pytest.mark.parametrize(("count", "connections"), [(1, 350), (2, 650)])
def test_the_database_has_connections_for_all(tmp_path: Path, count: int, connections: int) -> None:
    command = PostgresPart(tmp_path, 1, replicas=count).launch().command
    assert f"max_connections={connections}" in command


@pytest.mark.parametrize("wrong", ["0", "17", "two", "-1"])
def test_a_number_that_is_none_is_refused_by_name(wrong: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPLICAS", wrong)
    with pytest.raises(SettingsError, match="REPLICAS"):
        load(UpSettings)


def test_several_copies_of_the_model_are_announced() -> None:
    assert notices.replicas(UpSettings(), "embedded") == []
    (said,) = notices.replicas(UpSettings(replicas=2), "ollama")
    assert "2 processes of each service" in said
    assert "in memory 3 times" in notices.replicas(UpSettings(replicas=3), "embedded")[1]
