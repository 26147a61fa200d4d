#!/usr/bin/env bash
# Find or start a Kubernetes for the tests and for `skaffold dev`, and run a command with it.
# Usage: cluster.sh up | env | run COMMAND... | engine NOTE | start NOTE | stop NOTE
#
# `up` and what it is made of can be repeated and then cost seconds. `engine` starts a container engine, `start` the cluster;
# both write what was not there before into the file NOTE, and `stop NOTE` stops that and nothing else.
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

say() {
  printf 'cluster: %s\n' "$*"
}

# Docker sets the policy of FORWARD to DROP when it starts (moby/moby#14041), and lets through what is its own. Pods of the
# cluster of $SHARED go through the same chain, so that beside such a Docker they would reach nothing, not even DNS.
let_pods_through() {
  [[ $(forward_policy) == DROP ]] || return 0
  say "packets between pods are let through (iptables -P FORWARD ACCEPT; a container engine had set DROP)"
  iptables -P FORWARD ACCEPT
}

# The policy of FORWARD; empty where there is none, or where this is not root.
forward_policy() {
  [[ $(id -u) == 0 ]] && command -v iptables >/dev/null || return 0
  iptables -S FORWARD 2>/dev/null | sed -n 's/^-P FORWARD //p'
}

engine_answers() {
  command -v docker >/dev/null && docker version >/dev/null 2>&1
}

# Whether the cluster of $SHARED, or of kind, runs.
cluster_runs() {
  case $(kind_of) in
    given) return 0 ;;
    shared) { "$SHARED/cluster/cluster" status 2>/dev/null || true; } | grep -q '^kube-apiserver  *running' ;;
    kind) kind get clusters 2>/dev/null | grep -qx "$NAME" ;;
  esac
}

# engine NOTE: a container engine, where the cluster comes with one.
engine() {
  local before
  before=$(forward_policy)
  engine_answers && return 0
  [[ $(kind_of) == shared ]] || fail "no container engine answers: start Docker (with BuildKit) and try again."
  # Written before it is begun: what fails halfway is stopped too.
  printf 'engine\npolicy %s\n' "$before" >>"$1"
  "$SHARED/cluster/cluster" engine
}

# start NOTE: everything.
start() {
  local runs=no before
  before=$(forward_policy)
  ! cluster_runs || runs=yes
  engine "$1"
  [[ $runs == yes ]] || printf 'cluster\n' >>"$1"
  grep -q '^policy' "$1" 2>/dev/null || printf 'policy %s\n' "$before" >>"$1"
  up
}

# stop NOTE: what `engine` and `start` wrote there.
stop() {
  local note=$1 before
  [[ -s $note ]] || return 0
  if grep -qx cluster "$note"; then
    case $(kind_of) in
      shared) stop_shared "$note" || return 0 ;;
      kind) kind delete cluster --name "$NAME" ;;
    esac
  elif grep -qx engine "$note"; then
    stop_engine
  fi
  before=$(sed -n 's/^policy //p' "$note")
  if [[ -n $before && $(forward_policy) != "$before" ]]; then iptables -P FORWARD "$before"; fi
  rm -f "$note"
}

# `cluster down` also stops the engine that it has started, whenever that was. One that was there before and has work goes on
# with it, beside the cluster (status 1); one without work is started again.
stop_shared() {
  local kept=no
  if ! grep -qx engine "$1" && engine_answers; then
    kept=yes
    if [[ -n $(docker ps --quiet) ]]; then
      say "left running, since containers of others run in its engine; to stop both: $SHARED/cluster/cluster down"
      return 1
    fi
  fi
  "$SHARED/cluster/cluster" down
  if [[ $kept == yes ]] && ! engine_answers; then "$SHARED/cluster/cluster" engine; fi
}

# The tool has no verb for its engine alone; it notes process id and start time.
stop_engine() {
  local file=${CLUSTER_HOME:-$HOME/.cache/coaching-cluster}/run/dockerd.pid pid born
  read -r pid born <"$file" || return 0
  # Field 22 of stat, the start time; the name before it may hold spaces.
  [[ $(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -d' ' -f20) == "$born" ]] || return 0
  kill -TERM "$pid"
  for _ in {1..100}; do
    kill -0 "$pid" 2>/dev/null && [[ $(sed 's/.*) //' "/proc/$pid/stat" | cut -d' ' -f1) != Z ]] || return 0
    sleep 0.2
  done
}

up() {
  case $(kind_of) in
    given)
      needs kubectl helm docker
      kubectl get --raw /readyz >/dev/null || fail "the cluster of KUBECONFIG=$KUBECONFIG does not answer"
      ;;
    shared)
      say "1/5 a container engine"
      "$SHARED/cluster/cluster" engine
      let_pods_through
      say "2/5 base images (five minutes the first time)"
      "$SHARED/cluster/cluster" images
      say "3/5 Kubernetes, ${CLUSTER_NODES:-1} node(s)"
      "$SHARED/cluster/cluster" up --nodes "${CLUSTER_NODES:-1}"
      eval "$("$SHARED/cluster/cluster" env)"
      say "4/5 the chart's public images on each node"
      load_public_images
      say "5/5 the registry at $SKAFFOLD_DEFAULT_REPO"
      crane catalog "$SKAFFOLD_DEFAULT_REPO" >/dev/null || fail "the registry at $SKAFFOLD_DEFAULT_REPO does not answer"
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
  engine | start | stop)
    (($# == 1)) || fail "usage: scripts/cluster.sh $verb NOTE"
    "$verb" "$1" >&2
    ;;
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
  *) fail "usage: scripts/cluster.sh up | env | run COMMAND... | engine NOTE | start NOTE | stop NOTE" ;;
esac
