"""Scaling by CPU, by the age of waiting work through an adapter, or through KEDA."""

from manifests.rendering import component_of, of_kind, rendered


def test_keda_asks_prometheus_for_the_oldest_waiting_turn() -> None:
    (scaled,) = of_kind(rendered("options"), "ScaledObject")
    trigger = scaled["spec"]["triggers"][0]["metadata"]
    assert trigger["query"] == 'max(coaching_backlog_oldest_seconds{namespace="coaching",kind="conversation"})'
    assert scaled["spec"]["fallback"]["replicas"] == scaled["spec"]["minReplicaCount"]


def test_an_adapter_serves_the_same_metric() -> None:
    (scaler,) = of_kind(rendered("gateway-api"), "HorizontalPodAutoscaler")
    metric = scaler["spec"]["metrics"][0]["external"]["metric"]
    assert metric == {"name": "coaching_backlog_oldest_seconds", "selector": {"matchLabels": {"kind": "conversation"}}}


def test_production_scales_the_edge_by_cpu() -> None:
    scalers = {
        component_of(found): found["spec"] for found in of_kind(rendered("production"), "HorizontalPodAutoscaler")
    }
    assert set(scalers) == {"gateway", "web"}
    assert all(spec["metrics"][0]["resource"]["name"] == "cpu" for spec in scalers.values())
    assert all(spec["minReplicas"] >= 2 for spec in scalers.values())
