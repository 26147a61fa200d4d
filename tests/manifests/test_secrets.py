"""No secret is made, kept or readable in a template: they are referred to by name."""

import re

from manifests.components import STORES
from manifests.rendering import CHART, Object, environment, named, of_kind, pods, rendered

KEYS = {
    "SECRET_KEY", "POSTGRES_PASSWORD", "GATEWAY_DATABASE_PASSWORD", "COACHING_DATABASE_PASSWORD",
    "CHANNELS_DATABASE_PASSWORD", "NATS_PASSWORD", "REDIS_PASSWORD", "CHROMA_TOKEN",
}  # fmt: skip
RANDOM = re.compile(
    r"\b(rand\w*|uuidv4|genPrivateKey|genCA\w*|genSelf\w*|genSigned\w*|derivePassword|htpasswd|bcrypt|now)\b"
)
CODE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
# All that Helm may look up: how many servers of NATS there were, and where the API server is.
LOOKUP = re.compile(r'\blookup\b(?!.*"(StatefulSet|Service|EndpointSlice)")')
COMMENT = re.compile(r"\A-?\s*/\*.*", re.DOTALL)
CREDENTIALS = re.compile(r"://[^@/\s\"]*:(?!\$\()[^@/\s\"]+@")


def test_no_template_makes_anything_up_or_reads_a_secret() -> None:
    for path in (CHART / "templates").rglob("*"):
        if path.is_file():
            code = [part for part in CODE.findall(path.read_text()) if not COMMENT.match(part)]
            assert not [part for part in code if RANDOM.search(re.sub(r'"[^"]*"', "", part))], path.name
            assert not [part for part in code if LOOKUP.search(part)], path.name


def test_no_secret_is_an_object_of_the_chart(objects: list[Object]) -> None:
    assert not of_kind(objects, "Secret")


def test_passwords_come_from_the_one_secret(values: str) -> None:
    name = "coach-secrets"
    for pod in pods(rendered(values)):
        for container in pod.containers:
            for key, source in environment(container).items():
                if isinstance(source, dict) and "secretKeyRef" in source and source["secretKeyRef"]["name"] == name:
                    assert source["secretKeyRef"]["key"] in KEYS, f"{named(pod.owner)} {key}"


def test_no_password_is_written_out(objects: list[Object]) -> None:
    for pod in pods(objects):
        for container in pod.containers:
            for value in environment(container).values():
                assert not (isinstance(value, str) and CREDENTIALS.search(value)), named(pod.owner)
    for found in of_kind(objects, "ConfigMap"):
        for text in found["data"].values():
            assert not re.search(r"(requirepass|password:?\s*[\"'])", text), named(found)


def test_a_variable_is_defined_before_it_is_used(objects: list[Object]) -> None:
    for pod in pods(objects):
        for container in pod.containers:
            known: set[str] = set()
            for entry in container.get("env", []):
                used = set(re.findall(r"\$\((\w+)\)", entry.get("value", "")))
                assert used <= known, f"{named(pod.owner)}: {entry['name']} needs {used - known} before it"
                known.add(entry["name"])
            words = " ".join([*container.get("command", []), *container.get("args", [])])
            assert set(re.findall(r"\$\(([A-Z_]+)\)", words)) <= known, named(pod.owner)


def test_no_name_is_twice_in_an_environment(objects: list[Object]) -> None:
    for pod in pods(objects):
        for container in pod.containers:
            names = [entry["name"] for entry in container.get("env", [])]
            assert len(names) == len(set(names)), named(pod.owner)


def test_a_secret_of_one_s_own_has_the_same_keys(values: str) -> None:
    chosen = "my-own"
    if values == "gateway-api":
        return  # written by External Secrets there
    for pod in pods(rendered(values, f"secrets.existingSecret={chosen}")):
        assert "coach-secrets" not in str(pod.spec)


def test_external_stores_are_asked_with_their_own_credentials() -> None:
    by_name = {pod.component.name: environment(pod.main) for pod in pods(rendered("gateway-api"))}
    assert by_name["coaching"]["DATABASE_URL"] == (
        "postgresql://coaching_service:$(COACHING_DATABASE_PASSWORD)@postgres.example.org:6432/coaching?ssl=verify-full"
    )
    assert by_name["gateway"]["NATS_URL"] == "tls://coaching:$(NATS_PASSWORD)@nats.example.org:4222"
    assert by_name["gateway"]["REDIS_URL"] == "rediss://coach:$(REDIS_PASSWORD)@redis.example.org:6379/0"
    assert by_name["vector-search"]["CHROMADB_URL"] == "https://coach:$(CHROMA_TOKEN)@chroma.example.org:443"
    assert not set(STORES) & set(by_name)
