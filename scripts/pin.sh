#!/usr/bin/env bash
# Look up the digest of every public image that a recipe begins from, and write deploy/docker/images.lock; and of those that
# the chart runs, and write values-pinned.yaml beside its values. Needs a network. Asks with crane where it is installed, else
# with Docker's buildx; what is asked is the registry that the name means. Nothing is written unless all were found.
set -euo pipefail
cd "$(dirname "$0")/.."

chart=deploy/helm/coaching-platform

digest_of() {
  if command -v crane >/dev/null; then
    crane digest "$1"
  else
    docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$1"
  fi
}

# looked_up IMAGE: its digest, on a line of its own.
looked_up() {
  local digest
  digest=$(digest_of "$1") || { echo "No registry tells the digest of $1: is there a network?" >&2; exit 1; }
  [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || { echo "$1: '$digest' is no digest" >&2; exit 1; }
  printf '%s\n' "$digest"
}

# The chart's public images: the key in its values, registry, repository and tag, one image to a line.
chart_images() {
  awk '
    /^[a-zA-Z]/ { key = $1; sub(":", "", key); image = 0 }
    /^  [a-zA-Z]/ { image = ($1 == "image:") }
    { gsub("\"", "", $2) }
    key == "global" && $1 == "publicRegistry:" { registry = $2 }
    key != "global" && image && $1 == "repository:" { repository = $2 }
    key != "global" && image && $1 == "tag:" { print key, registry, repository, $2 }
  ' "$chart/values.yaml"
}

lock=$(mktemp) values=$(mktemp)
trap 'rm -f "$lock" "$values"' EXIT
echo "# Which image a name meant when somebody looked (\`make pin\`): used by \`make images PINNED=yes\`, as CI does." >"$lock"
while read -r image; do
  digest=$(looked_up "$image")
  printf '%s %s\n' "$image" "$digest" | tee -a "$lock"
done < <(sed -n 's/^ARG [A-Z]*_IMAGE=\(.*\)/\1/p' deploy/docker/*.Dockerfile | sort -u)

echo "# Which image a name meant when somebody looked (\`make pin\`): one more values file, and a tag that moves changes nothing." >"$values"
while read -r key registry repository tag; do
  digest=$(looked_up "$registry/$repository:$tag")
  printf '%s %s\n' "$registry/$repository:$tag" "$digest"
  printf '%s: {image: {repository: %s, tag: "%s", digest: "%s"}}\n' "$key" "$repository" "$tag" "$digest" >>"$values"
done < <(chart_images)

install -m 0644 "$lock" deploy/docker/images.lock
install -m 0644 "$values" "$chart/values-pinned.yaml"
