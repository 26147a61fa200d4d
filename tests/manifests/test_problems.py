"""Values that cannot work are refused before anything changes: all of it at once, and each says what to do."""

import pytest

from manifests.rendering import CHART, RenderError, render, rendered

PRODUCTION = CHART / "values-production.yaml"

PROBLEMS = [
    ("nats.replicas=2", "nats.replicas: 2 servers"),
    ("nats.streamReplicas=3", "nats.streamReplicas: 3 copies"),
    ("postgresql.maxConnections=40", "postgresql.maxConnections: 40 is too few"),
    ("telegram.enabled=true", "telegram.existingSecret"),
    ("llmInference.provider=openai_compatible", "llmInference.server.url"),
    ("llmInference.provider=ollama", "ollama.enabled"),
    ("ollama.enabled=true", "ollama.enabled: nobody would use it"),
    ("uploads.type=s3", "uploads.s3.bucket"),
    ("ingress.enabled=true", "ingress.host"),
    ("gatewayApi.enabled=true", "gatewayApi.hosts"),
    ("postgresql.external.enabled=true", "postgresql.external.host"),
    ("nats.external.enabled=true", "nats.external: its password cannot be made up"),
    ("gateway.settings.SECRET_KEY=x", "gateway.settings.SECRET_KEY: the chart sets this itself"),
    ("coaching.settings.MY_TOKEN=x", "coaching.settings.MY_TOKEN: a secret does not belong in values"),
    ("gateway.autoscaling.enabled=true,gateway.autoscaling.minReplicas=9", "minReplicas 9 is more than maxReplicas 6"),
    ("secrets.externalSecret.enabled=true", "store.name and remoteKey"),
    ("monitoring.serviceMonitor.enabled=true", "networkPolicies.monitoring: nobody may read metrics"),
]


@pytest.mark.parametrize(("setting", "said"), PROBLEMS, ids=lambda value: value)
def test_what_cannot_work_is_refused_with_what_to_do(setting: str, said: str) -> None:
    with pytest.raises(RenderError) as refused:
        rendered("laptop", setting)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("monitoring.serviceMonitor.enabled=true", "no Prometheus Operator"),
        ("gatewayApi.enabled=true", "no Gateway API"),
        ("secrets.externalSecret.enabled=true", "no External Secrets Operator"),
        (
            "coaching.autoscaling.enabled=true,coaching.autoscaling.by=queueAge,coaching.autoscaling.with=keda",
            "no KEDA",
        ),
    ],
)
def test_kinds_that_the_cluster_does_not_have_are_named(setting: str, said: str) -> None:
    with pytest.raises(RenderError) as refused:
        render(CHART / "values-laptop.yaml", settings=(setting,), apis=())
    assert said in str(refused.value)


def test_all_problems_are_said_at_once() -> None:
    """The production preset alone lacks everything that is an operator's own."""
    with pytest.raises(RenderError) as refused:
        render(PRODUCTION)
    lines = [line for line in str(refused.value).splitlines() if line.startswith("  - ")]
    assert len(lines) >= 10
    assert len(lines) == len(set(lines))


def test_a_release_s_name_leaves_room() -> None:
    with pytest.raises(RenderError, match="uploads"):
        rendered("default", "channelAdapter.replicas=2")


def test_monitors_need_no_way_in_where_no_policy_closes_it() -> None:
    assert rendered("laptop", "monitoring.serviceMonitor.enabled=true", "networkPolicies.enabled=false")
