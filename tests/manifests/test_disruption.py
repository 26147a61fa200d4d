"""A drained node takes one pod of each component at a time, and always gets drained."""

from manifests.components import BY_NAME
from manifests.rendering import Object, component_of, named, of_kind, pods


def test_each_lasting_component_has_a_budget(objects: list[Object]) -> None:
    budgets = {component_of(found): found["spec"] for found in of_kind(objects, "PodDisruptionBudget")}
    assert set(budgets) == {pod.component.name for pod in pods(objects) if pod.component.lasting}
    for pod in pods(objects):
        if pod.component.lasting:
            budget = budgets[pod.component.name]
            assert budget["maxUnavailable"] == 1, named(pod.owner)
            assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
            assert budget["selector"] == pod.owner["spec"]["selector"]


def test_nothing_that_ends_has_a_budget(objects: list[Object]) -> None:
    assert all(BY_NAME[component_of(found)].lasting for found in of_kind(objects, "PodDisruptionBudget"))
