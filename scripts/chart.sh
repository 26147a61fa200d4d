#!/usr/bin/env bash
# chart.sh lint: the schema is current, and helm lint finds nothing in any preset.
# chart.sh values FILE...: every problem of these values files, those of the schema and those of their meaning, at once.
set -euo pipefail
cd "$(dirname "$0")/.."

chart=deploy/helm/coaching-platform
# Kinds of other projects that values may ask for; whether the cluster has them is said when it is asked, at the installation.
apis=(monitoring.coreos.com/v1 keda.sh/v1alpha1 gateway.networking.k8s.io/v1 external-secrets.io/v1)
PATH=$PATH:${CLUSTER_HOME:-$HOME/.cache/coaching-cluster}/bin
if ! command -v helm >/dev/null; then
  [[ $1 == lint ]] && { .venv/bin/python scripts/chart_schema.py --check; echo "skipped: helm is not installed"; exit 0; }
  echo "helm is not installed: https://helm.sh/docs/intro/install" >&2
  exit 1
fi

# What Helm says of wrong values, without its own words around.
problems() {
  sed -nE 's/^( +)?- (at .*)/  - \2/p; s/^  - ([^a].*|a[^t].*)/  - \1/p' | sort -u
}

lint() {
  .venv/bin/python scripts/chart_schema.py --check
  local preset
  for preset in "" laptop staging production; do
    values=()
    [[ -n $preset ]] && values=(--values "$chart/values-$preset.yaml")
    [[ $preset == staging || $preset == production ]] && values+=(--values tests/manifests/values/site.yaml)
    helm lint --strict --quiet "$chart" "${values[@]}"
  done
}

values() {
  local words=() file api refused=0 said found
  for file; do words+=(--values "$file"); done
  for api in "${apis[@]}"; do words+=(--api-versions "$api"); done
  said=$(helm template check "$chart" "${words[@]}" 2>&1 >/dev/null) || refused=1
  # A schema that refuses keeps Helm from rendering; what it would then say is asked for too.
  [[ $said == *"specifications of the schema"* ]] &&
    said+=$'\n'$(helm template check "$chart" "${words[@]}" --skip-schema-validation 2>&1 >/dev/null || true)
  ((refused)) || { echo "The values can be used."; return 0; }
  found=$(problems <<<"$said")
  echo "The values cannot be used:"
  echo "${found:-$said}"
  return 1
}

"$@"
