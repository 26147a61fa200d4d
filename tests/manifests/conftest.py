"""Every invariant is asked of every set of values: the presets, and two that switch on all the options."""

import pytest

from manifests.rendering import SETS, Object, program, rendered

WITHOUT_HELM = "helm is not installed: the chart is not rendered (https://helm.sh, or the cluster beside the checkout)"


@pytest.hookimpl(tryfirst=True)  # the mark is there before marks are read (support.guarantees)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder shows one promise; skip what renders the chart where there is no helm."""
    for item in items:
        if "manifests" in item.path.parts and not item.get_closest_marker("guarantee"):
            item.add_marker(pytest.mark.guarantee("K8S-invariants"))
    if program("helm") is None:
        for item in items:
            if "manifests" in item.path.parts:
                item.add_marker(pytest.mark.skip(reason=WITHOUT_HELM))


@pytest.fixture(params=list(SETS))
def values(request: pytest.FixtureRequest) -> str:
    """The name of a set of values."""
    return str(request.param)


@pytest.fixture
def objects(values: str) -> list[Object]:
    """Everything that the chart makes with it."""
    return rendered(values)
