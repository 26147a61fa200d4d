"""`platformctl cluster secrets ensure` on a real cluster: made once, completed, never changed."""

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from kubernetes import client

from platformctl.cluster import marker
from platformctl.cluster.connect import Cluster, connected
from platformctl.cluster.errors import ClusterError
from platformctl.cluster.marker import Marker
from platformctl.cluster.secrets import KEYS, Ensured, ensure
from support.namespace import acting_as, fresh_namespace, needs_cluster

pytestmark = needs_cluster
_numbers = count(1)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with fresh_namespace() as found:
        yield found


@pytest.fixture
def release() -> str:
    return f"coach{next(_numbers)}"


def values(cluster: Cluster, name: str) -> dict[str, str]:
    data = cluster.core.read_namespaced_secret(name, cluster.namespace).data or {}
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def test_it_is_made_once_with_strong_words_that_fit_into_a_url(cluster: Cluster, release: str) -> None:
    name = f"{release}-secrets"
    assert ensure(cluster, name, dry_run=True) == Ensured(created=True, added=KEYS)
    assert ensure(cluster, name) == Ensured(created=True, added=KEYS)
    made = values(cluster, name)
    assert set(made) == set(KEYS)
    assert len(set(made.values())) == len(KEYS)
    assert all(len(word) == 64 and word.isalnum() for word in made.values())
    assert ensure(cluster, name) == Ensured(created=False, added=())
    assert values(cluster, name) == made


def test_a_key_that_is_lacking_is_added_and_the_others_keep_their_values(cluster: Cluster, release: str) -> None:
    name = f"{release}-secrets"
    body = client.V1Secret(
        metadata=client.V1ObjectMeta(name=name), string_data={"SECRET_KEY": "mine", "EXTRA": "mine too"}
    )
    cluster.core.create_namespaced_secret(cluster.namespace, body)
    assert ensure(cluster, name).added == KEYS[1:]
    made = values(cluster, name)
    assert (made["SECRET_KEY"], made["EXTRA"]) == ("mine", "mine too")
    assert set(made) == {*KEYS, "EXTRA"}


def test_two_at_once_end_with_one_secret(cluster: Cluster, release: str) -> None:
    def make(_: int) -> bool:
        with connected(cluster.namespace) as own:
            return ensure(own, f"{release}-secrets").created

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(make, range(4))) == 1


def test_an_installed_release_whose_secret_is_gone_gets_no_new_passwords(cluster: Cluster, release: str) -> None:
    name = f"{release}-secrets"
    marker.write(cluster, release, Marker().failed("migrate", "no", "1"))
    assert ensure(cluster, name, release=release).created  # nothing was ever installed with other ones
    cluster.core.delete_namespaced_secret(name, cluster.namespace)
    marker.write(cluster, release, Marker(revision="0001"))
    with pytest.raises(ClusterError, match=f"Secret {name} is gone.*{release}-installed"):
        ensure(cluster, name, release=release)


def test_its_rights_are_enough_and_no_others_are_used(cluster: Cluster, release: str) -> None:
    name = f"{release}-secrets"
    rules = [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [name], "verbs": ["get", "patch"]},
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [f"{release}-installed"], "verbs": ["get"]},
    ]
    with acting_as(cluster, rules) as account:
        assert ensure(account, name, release=release).created
        cluster.core.patch_namespaced_secret(name, cluster.namespace, {"data": {"CHROMA_TOKEN": None}})
        assert ensure(account, name, release=release).added == ("CHROMA_TOKEN",)
        with pytest.raises(ClusterError, match="is forbidden"), connected(cluster.namespace):
            ensure(account, "another", release=release)
