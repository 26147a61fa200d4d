"""What people said outlives the release: no claim goes with it."""

from manifests.rendering import Object, named, of_kind, pods


def test_claims_of_the_chart_are_kept(objects: list[Object]) -> None:
    for claim in of_kind(objects, "PersistentVolumeClaim"):
        assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep", named(claim)


def test_every_store_keeps_its_data_on_a_claim(objects: list[Object]) -> None:
    for store in of_kind(objects, "StatefulSet"):
        spec = store["spec"]
        assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
        claims = {claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]}
        mounted = {mount["name"] for mount in spec["template"]["spec"]["containers"][0]["volumeMounts"]}
        assert claims, named(store)
        assert claims <= mounted


def test_claim_templates_have_labels_that_never_change(objects: list[Object]) -> None:
    for store in of_kind(objects, "StatefulSet"):
        for claim in store["spec"]["volumeClaimTemplates"]:
            assert claim["metadata"]["labels"] == store["spec"]["selector"]["matchLabels"], named(store)


def test_every_mount_has_its_volume(objects: list[Object]) -> None:
    for pod in pods(objects):
        templates = pod.owner["spec"].get("volumeClaimTemplates", []) if pod.owner["kind"] != "Pod" else []
        there = {volume["name"] for volume in pod.spec["volumes"]} | {found["metadata"]["name"] for found in templates}
        for container in pod.containers:
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            assert mounted <= there, f"{named(pod.owner)} {container['name']}"


def test_claims_that_pods_use_are_there_or_the_operator_s_own(objects: list[Object]) -> None:
    made = {claim["metadata"]["name"] for claim in of_kind(objects, "PersistentVolumeClaim")}
    for pod in pods(objects):
        for volume in pod.spec["volumes"]:
            name = volume.get("persistentVolumeClaim", {}).get("claimName", "")
            assert not name.startswith("coach-") or name in made | {"coach-backups"}, named(pod.owner)
