"""No secret is made, kept or readable in a template: they are referred to by name."""

import re

from manifests.components import STORES
from manifests.rendering import CHART, Object, environment, named, of_kind, pod, pods, rendered

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
    for each in pods(rendered(values)):
        for container in each.containers:
            for key, source in environment(container).items():
                if isinstance(source, dict) and "secretKeyRef" in source and source["secretKeyRef"]["name"] == name:
                    assert source["secretKeyRef"]["key"] in KEYS, f"{named(each.owner)} {key}"


def test_no_password_is_written_out(objects: list[Object]) -> None:
    for each in pods(objects):
        for container in each.containers:
            for value in environment(container).values():
                assert not (isinstance(value, str) and CREDENTIALS.search(value)), named(each.owner)
    for found in of_kind(objects, "ConfigMap"):
        for text in found["data"].values():
            assert not re.search(r"(requirepass|password:?\s*[\"'])", text), named(found)


def test_a_variable_is_defined_before_it_is_used(objects: list[Object]) -> None:
    for each in pods(objects):
        for container in each.containers:
            known: set[str] = set()
            for entry in container.get("env", []):
                used = set(re.findall(r"\$\((\w+)\)", entry.get("value", "")))
                assert used <= known, f"{named(each.owner)}: {entry['name']} needs {used - known} before it"
                known.add(entry["name"])
            words = " ".join([*container.get("command", []), *container.get("args", [])])
            assert set(re.findall(r"\$\(([A-Z_]+)\)", words)) <= known, named(each.owner)


def test_no_name_is_twice_in_an_environment(objects: list[Object]) -> None:
    for each in pods(objects):
        for container in each.containers:
            names = [entry["name"] for entry in container.get("env", [])]
            assert len(names) == len(set(names)), named(each.owner)


def test_a_secret_of_one_s_own_has_the_same_keys(values: str) -> None:
    chosen = "my-own"
    if values == "gateway-api":
        return  # written by External Secrets there
    for each in pods(rendered(values, f"secrets.existingSecret={chosen}")):
        assert "coach-secrets" not in str(each.spec)


def test_external_stores_are_asked_with_their_own_credentials() -> None:
    by_name = {each.component.name: environment(each.main) for each in pods(rendered("gateway-api"))}
    assert by_name["coaching"]["DATABASE_URL"] == (
        "postgresql://coaching_service:$(COACHING_DATABASE_PASSWORD)@postgres.example.org:6432/coaching?ssl=require"
    )
    assert by_name["gateway"]["NATS_URL"] == "tls://coaching:$(NATS_PASSWORD)@nats.example.org:4222"
    assert by_name["gateway"]["REDIS_URL"] == "rediss://coach:$(REDIS_PASSWORD)@redis.example.org:6379/0"
    assert by_name["vector-search"]["CHROMADB_URL"] == "https://coach:$(CHROMA_TOKEN)@chroma.example.org:443"
    assert not set(STORES) & set(by_name)


def test_the_backup_may_come_as_a_user_who_sees_every_row() -> None:
    """A managed PostgreSQL gives its owner no BYPASSRLS; each key of the Secret may be left out."""
    chosen = "migrations.backup.existingSecret=coach-backup"
    for values, extra in (("production", (chosen,)), ("laptop", (chosen,))):
        env = environment(pod(rendered(values, *extra), "migrations").main)
        for key in ("BACKUP_DATABASE_URL", "BACKUP_SCRATCH_URL"):
            assert env[key] == {"secretKeyRef": {"name": "coach-backup", "key": key, "optional": True}}
    without = rendered("laptop", chosen, "migrations.backup.enabled=false"), rendered("laptop")
    assert not [found for found in without if "BACKUP_DATABASE_URL" in environment(pod(found, "migrations").main)]


def test_a_scratch_server_elsewhere_is_reached_by_a_rule_of_the_operator_s() -> None:
    rule = "migrations.extraEgress[0]"
    objects = rendered("production", f"{rule}.to[0].ipBlock.cidr=192.0.2.7/32", f"{rule}.ports[0].port=5433")
    (policy,) = [
        found for found in of_kind(objects, "NetworkPolicy") if found["metadata"]["name"] == "coach-migrations"
    ]
    assert {"to": [{"ipBlock": {"cidr": "192.0.2.7/32"}}], "ports": [{"port": 5433}]} in policy["spec"]["egress"]
