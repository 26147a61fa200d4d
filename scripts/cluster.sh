#!/usr/bin/env bash
# Find or start a Kubernetes for the tests and for `skaffold dev`, and run a command with it.
# Usage: cluster.sh up | env | run COMMAND...
#
# In this order: the cluster of KUBECONFIG, where it is set; $SHARED/cluster/cluster (../shared by default), where it is
# there; kind. `env` prints what COMMAND gets: KUBECONFIG, PATH, CLUSTER_KIND, and where images go: CLUSTER_REGISTRY, a
# registry that this machine pushes to and the nodes pull from, or CLUSTER_LOAD, a command that brings local images in.
set -euo pipefail
cd "$(dirname "$0")/.."

NAME=${CLUSTER_NAME:-coaching}
SHARED=${SHARED:-../shared}

fail() {
  printf 'cluster: %s\n' "$@" >&2
  exit 1
}

needs() {
  local missing=()
  for program in "$@"; do command -v "$program" >/dev/null || missing+=("$program"); done
  ((${#missing[@]} == 0)) || fail "not on PATH: ${missing[*]}. docs/operations/install.md says what they are and where they come from."
}

# Which of the three it is; says what is missing where it is none.
kind_of() {
  if [[ -n ${KUBECONFIG:-} ]]; then
    echo given
  elif [[ -x $SHARED/cluster/cluster ]]; then
    echo shared
  elif command -v kind >/dev/null; then
    echo kind
  else
    fail "there is no Kubernetes to work with. One of these is needed:" \
      "  KUBECONFIG=FILE                 a cluster of yours (and CLUSTER_REGISTRY=HOST/PATH, where both of you reach images)" \
      "  SHARED=FOLDER                   a folder that holds cluster/cluster; looked for in $SHARED" \
      "  kind (https://kind.sigs.k8s.io) with a running Docker"
  fi
}

# The chart's public images, where nodes reach no registry but this machine's.
load_public_images() {
  local image there wanted
  wanted=$(kubectl get nodes --output name | wc -l)
  for image in postgres:18 nats:2.15-alpine redis:7-alpine chromadb/chroma:1.5.9; do
    there=$(kubectl get nodes --output 'jsonpath={range .items[*].status.images[*]}{.names}{"\n"}{end}' | grep -cE "docker.io/(library/)?$image\"" || true)
    ((there >= wanted)) || "$SHARED/cluster/cluster" load "$image"
  done
}

up() {
  case $(kind_of) in
    given)
      needs kubectl helm docker
      kubectl get --raw /readyz >/dev/null || fail "the cluster of KUBECONFIG=$KUBECONFIG does not answer"
      ;;
    shared)
      "$SHARED/cluster/cluster" images
      "$SHARED/cluster/cluster" up --nodes "${CLUSTER_NODES:-1}"
      eval "$("$SHARED/cluster/cluster" env)"
      load_public_images
      ;;
    kind)
      needs kind kubectl helm docker
      kind get clusters 2>/dev/null | grep -qx "$NAME" || kind create cluster --name "$NAME" --config deploy/k8s/kind.yaml
      ;;
  esac
}

env_of() {
  case $1 in
    given)
      printf 'export KUBECONFIG=%q CLUSTER_REGISTRY=%q\n' "$KUBECONFIG" "${CLUSTER_REGISTRY:-${SKAFFOLD_DEFAULT_REPO:-}}"
      ;;
    shared)
      "$SHARED/cluster/cluster" env
      # shellcheck disable=SC2016  # the shell that evaluates it expands it
      printf 'export CLUSTER_REGISTRY=$SKAFFOLD_DEFAULT_REPO CLUSTER_TOOL=%q\n' "$(realpath "$SHARED/cluster/cluster")"
      ;;
    kind)
      local file=build/kind.kubeconfig
      mkdir -p build
      kind get kubeconfig --name "$NAME" >"$file"
      printf 'export KUBECONFIG=%q CLUSTER_LOAD=%q\n' "$PWD/$file" "kind load docker-image --name $NAME"
      ;;
  esac
  printf 'export CLUSTER_KIND=%q\n' "$1"
}

verb=${1:-}
shift || true
case $verb in
  up) up >&2 ;;
  env)
    kind=$(kind_of)
    env_of "$kind"
    ;;
  run)
    kind=$(kind_of)
    up >&2
    lines=$(env_of "$kind")
    eval "$lines"
    exec "$@"
    ;;
  *) fail "usage: scripts/cluster.sh up | env | run COMMAND..." ;;
esac
