"""The same upgrade again is none; and what `helm test` finds is an answer of the model that this release was given."""

import pytest

from support.cluster.release import Release


@pytest.mark.guarantee("K8S-install")
@pytest.mark.timeout(600)
def test_the_same_values_again_change_nothing(scripted: Release) -> None:
    generations, pods = scripted.generations(), scripted.pod_uids()
    assert generations
    scripted.upgrade()
    assert scripted.generations() == generations
    assert scripted.pod_uids() == pods
    scripted.test()
