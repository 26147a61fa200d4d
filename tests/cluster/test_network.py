"""Who may talk to whom, tried: from a pod with each component's labels and account to every port of everybody."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import yaml

from fakes.outside import CONTROL_PORT, MODEL_PORT, TELEGRAM_PORT
from manifests.components import BY_NAME
from support.cluster.outside import NAME as OUTSIDE
from support.cluster.outside import Outside
from support.cluster.place import Place
from support.cluster.probe import Address, Probe, probes
from support.cluster.programs import Object, run
from support.cluster.release import Release
from support.cluster.slot import METRICS_READER

DNS, DNS_UDP, API = "dns", "dns over UDP", "api-server"
NAMES = {DNS, DNS_UDP}
# The fake Telegram, the model server, and what nobody has any business with: another namespace's pod, and the node.
# Telegram's port is one of an API server, too: a job that may ask any address for one would reach it.
TELEGRAM, MODEL, ELSEWHERE, NODE = "telegram", "model", "another pod", "the node"
KUBELET_PORT = 10250
SETTLED_SECONDS = 20.0
AT_ONCE = 4  # probes; each waits four seconds for what is refused
Reached = dict[str, set[str]]
# Written by hand, apart from the chart's own table: a mistake there is not repeated here. Ollama is not installed.
# What waits for the schema before it starts reaches PostgreSQL.
MAY_REACH: dict[str, set[str]] = {
    "web": {*NAMES, "gateway:8000", "postgresql:5432"},
    "gateway": {*NAMES, "channel-adapter:50051", "coaching:50051", "postgresql:5432", "nats:4222", "redis:6379"},
    "coaching": {*NAMES, "llm-inference:50051", "vector-search:50051", "postgresql:5432", "nats:4222"},
    "channel-adapter": {*NAMES, "coaching:50051", "postgresql:5432", "nats:4222", TELEGRAM},
    "llm-inference": {*NAMES, "postgresql:5432", MODEL},
    "vector-search": {*NAMES, "coaching:50051", "chroma:8000", "postgresql:5432"},
    "postgresql": set(),
    "nats": NAMES,
    "redis": set(),
    "chroma": set(),
    "migrations": {*NAMES, API, "postgresql:5432", "nats:4222"},
    "secrets": {API},
    "test": {*NAMES, "web:8080"},
}
# Every port that listens. A server of NATS that is alone has no port for others.
PORTS = {
    "gateway": (8000,), "coaching": (50051, 8000), "channel-adapter": (50051, 8000), "llm-inference": (50051, 8000),
    "vector-search": (50051, 8000), "web": (8080,), "postgresql": (5432,), "nats": (4222, 8222), "redis": (6379,),
    "chroma": (8000,),
}  # fmt: skip
METRICS = {f"{name}:8000" for name in ("gateway", "coaching", "channel-adapter", "llm-inference", "vector-search")}
# What is no part of the release reaches, since no policy of ours is about it; from the edge also the page.
NOT_OF_THE_RELEASE = {*NAMES, API, TELEGRAM, MODEL, ELSEWHERE, NODE}


def targets(release: Release, outside: Outside) -> dict[str, Address]:
    """Return every address, by the names of the table."""
    found: dict[str, Address] = {}
    for component, ports in PORTS.items():
        address = release.pods(component)[0]["status"]["podIP"]
        found |= {f"{component}:{port}": (address, port, "tcp") for port in ports}
    (node,) = (
        address["address"]
        for address in json.loads(run("kubectl", "get", "nodes", "--output=json"))["items"][0]["status"]["addresses"]
        if address["type"] == "InternalIP"
    )
    world: str = outside.kube.get(f"pod/{OUTSIDE}")["status"]["podIP"]
    system, default = release.kube.within("kube-system"), release.kube.within("default")
    names = system.get("service/kube-dns")["spec"]["clusterIP"]
    return found | {
        DNS: (names, 53, "tcp"),
        DNS_UDP: (names, 53, "udp"),
        API: (default.get("service/kubernetes")["spec"]["clusterIP"], 443, "tcp"),
        TELEGRAM: (world, TELEGRAM_PORT, "tcp"),
        MODEL: (world, MODEL_PORT, "tcp"),
        ELSEWHERE: (world, CONTROL_PORT, "tcp"),
        NODE: (node, KUBELET_PORT, "tcp"),
    }


@contextmanager
def hooks_objects(release: Release) -> Iterator[None]:
    """Have the policies and accounts of the jobs that Helm removes when they have ended."""
    text = run(release.helm, "--namespace", release.kube.namespace, "get", "hooks", release.name)
    wanted: list[Object] = [
        found for found in yaml.safe_load_all(text) if found and found["kind"] in ("NetworkPolicy", "ServiceAccount")
    ]
    there = {
        f"{found['kind']}/{found['metadata']['name']}" for found in release.kube.list("networkpolicies,serviceaccounts")
    }
    missing = [found for found in wanted if f"{found['kind']}/{found['metadata']['name']}" not in there]
    if missing:
        release.kube.apply(*missing)
    yield
    for found in missing:
        release.kube("delete", found["kind"], found["metadata"]["name"])


def settled(found: Mapping[str, Probe], addresses: Mapping[str, Address], wanted: Reached) -> Reached:
    """Return what each probe reaches; asked again for a while, as rules for a pod that is new take a moment."""
    end = time.monotonic() + SETTLED_SECONDS
    while True:
        with ThreadPoolExecutor(AT_ONCE) as threads:
            reached = dict(zip(found, threads.map(lambda probe: probe.reached(addresses), found.values()), strict=True))
        if reached == wanted or time.monotonic() > end:
            return reached


def components(release: Release) -> dict[str, tuple[dict[str, str], str]]:
    """Return labels and service account of every component that the table names."""
    labels = {"app.kubernetes.io/name": "coaching-platform", "app.kubernetes.io/instance": release.name}
    return {name: ({**labels, "app.kubernetes.io/component": name}, release.object(name)) for name in MAY_REACH}


@pytest.mark.guarantee("K8S-network")
@pytest.mark.timeout(900)
def test_every_allowed_pair_answers_and_every_other_is_refused(
    scripted: Release, outside: Outside, place: Place, tag: str, tell: Callable[[str], None]
) -> None:
    addresses = targets(scripted, outside)
    image = place.image("platformctl", tag)
    with hooks_objects(scripted), probes(scripted.kube, image, components(scripted)) as found:
        reached = settled(found, addresses, MAY_REACH)
    assert reached == MAY_REACH
    assert {*MAY_REACH, "ollama"} == set(BY_NAME)
    allowed = sum(map(len, MAY_REACH.values()))
    tell(f"{allowed} pairs answer, {len(MAY_REACH) * len(addresses) - allowed} are refused")


@pytest.mark.guarantee("K8S-network")
@pytest.mark.timeout(600)
def test_a_pod_of_nobodys_reaches_nothing_of_the_release(
    scripted: Release, outside: Outside, place: Place, tag: str
) -> None:
    # What would let a reader of metrics in from the other namespace is nothing here.
    wanted = {"stranger": NOT_OF_THE_RELEASE, "reader": NOT_OF_THE_RELEASE}
    pods = {"stranger": ({}, "default"), "reader": (METRICS_READER, "default")}
    with probes(scripted.kube, place.image("platformctl", tag), pods) as found:
        assert settled(found, targets(scripted, outside), wanted) == wanted


@pytest.mark.guarantee("K8S-network")
@pytest.mark.timeout(600)
def test_from_outside_the_edge_reaches_the_page_and_monitoring_the_metrics(
    scripted: Release, outside: Outside, place: Place, tag: str
) -> None:
    edge = NOT_OF_THE_RELEASE | {"web:8080"}  # all of the outside world's namespace, in the values of these tests
    wanted = {"visitor": edge, "prometheus": edge | METRICS}
    pods = {"visitor": ({}, "default"), "prometheus": (METRICS_READER, "default")}
    with probes(outside.kube, place.image("platformctl", tag), pods) as found:
        assert settled(found, targets(scripted, outside), wanted) == wanted
