#!/usr/bin/env bash
# Look up the digest of every public image that a recipe begins from, and write deploy/docker/images.lock. Needs a network.
# Asks with crane where it is installed, else with Docker's buildx; what is asked is the registry that the name means.
set -euo pipefail
cd "$(dirname "$0")/.."

digest_of() {
  if command -v crane >/dev/null; then
    crane digest "$1"
  else
    docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$1"
  fi
}

mapfile -t images < <(sed -n 's/^ARG [A-Z]*_IMAGE=\(.*\)/\1/p' deploy/docker/*.Dockerfile | sort -u)
lock=$(mktemp)
trap 'rm -f "$lock"' EXIT
echo "# Which image a name meant when somebody looked (\`make pin\`): used by \`make images PINNED=yes\`, as CI does." >"$lock"
for image in "${images[@]}"; do
  digest=$(digest_of "$image") || { echo "No registry tells the digest of $image: is there a network?" >&2; exit 1; }
  [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || { echo "$image: '$digest' is no digest" >&2; exit 1; }
  printf '%s %s\n' "$image" "$digest" | tee -a "$lock"
done
install -m 0644 "$lock" deploy/docker/images.lock
