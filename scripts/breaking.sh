#!/usr/bin/env bash
# Compare protos/ with the branch main, or on main itself with the commit before; offline.
set -euo pipefail
cd "$(dirname "$0")/.."

skip() {
  echo "skipped: $*"
  exit 0
}

git rev-parse --git-dir >/dev/null 2>&1 || skip "not a git checkout, nothing to compare with"
head=$(git rev-parse --verify --quiet HEAD) || skip "no commit yet, nothing to compare with"
base=
for name in origin/main main HEAD~1; do
  commit=$(git rev-parse --verify --quiet "$name^{commit}") || continue
  # A branch that points at this very commit says nothing about what changed, unless files were edited since.
  if [[ $commit != "$head" ]] || ! git diff --quiet HEAD -- protos; then
    base=$commit
    break
  fi
done
[[ -n $base ]] || skip "no earlier commit in this clone to compare with"
[[ -n $(git ls-tree --name-only "$base" protos/) ]] || skip "${base:0:12} has no protos yet"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git archive "$base" protos | tar -x -C "$work"
.venv/bin/buf breaking protos --against "$work/protos" --config buf.yaml 2>&1 || {
  echo "protos/ breaks what ${base:0:12} promised: add fields with new numbers, reserve those that go" >&2
  exit 1
}
