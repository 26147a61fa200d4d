#!/usr/bin/env bash
# Build the platform's images: {PUSH/}REPOSITORY/<name>:TAG. Reads from the environment:
#   SERVICES    names, separated by spaces or commas; all when empty      TAG         the version of pyproject.toml
#   PUSH        a registry to push to: localhost:15000                    REPOSITORY  coaching-platform
#   MODEL       small or default: the weights of the image models         PINNED=yes  base images by deploy/docker/images.lock
#   BASE_IMAGE  instead of python:3.11-slim
# A push leaves build/images.yaml: the digests, as values of the chart.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

docker version >/dev/null 2>&1 || fail "No container engine answers: start Docker (with BuildKit) and try again."

declare -A recipes=([web]=web [models]=models)
for manifest in services/*/pyproject.toml; do recipes[$(basename "$(dirname "$manifest")")]=service; done

read -ra wanted <<<"${SERVICES//,/ }"
((${#wanted[@]})) || mapfile -t wanted < <(printf '%s\n' "${!recipes[@]}" | sort)
for name in "${wanted[@]}"; do
  [[ -n ${recipes[$name]:-} ]] || fail "There is no image '$name'. There are: $(printf '%s\n' "${!recipes[@]}" | sort | xargs)"
done

version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
tag=${TAG:-$version}
prefix=${PUSH:+${PUSH%/}/}${REPOSITORY:-coaching-platform}
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
created=$(git log -1 --format=%cI 2>/dev/null || true)
[[ -z $(git status --porcelain 2>/dev/null) ]] || revision=$revision-modified

# pins RECIPE: the arguments that name the recipe's base images by digest.
pins() {
  [[ ${PINNED:-} == yes ]] || return 0
  local argument image digest
  while IFS='=' read -r argument image; do
    digest=$(awk -v image="$image" '$1 == image { print $2 }' deploy/docker/images.lock)
    [[ -n $digest ]] || fail "deploy/docker/images.lock has no digest of $image: run \`make pin\` where there is a network."
    printf '%s\n' --build-arg "$argument=$image@$digest"
  done < <(sed -n 's/^ARG \([A-Z]*_IMAGE\)=\(.*\)/\1=\2/p' "deploy/docker/$1.Dockerfile")
}

for name in "${wanted[@]}"; do
  image=$prefix/$name:$tag
  recipe=${recipes[$name]}
  started=$SECONDS
  pinned=$(pins "$recipe")
  mapfile -t arguments < <(printf '%s' "${pinned:+$pinned$'\n'}")
  [[ $recipe == service ]] && arguments+=(--build-arg "SERVICE=$name")
  [[ $recipe == service && -n ${BASE_IMAGE:-} ]] && arguments+=(--build-arg "BASE_IMAGE=$BASE_IMAGE")
  [[ $recipe == models && -n ${MODEL:-} ]] && arguments+=(--build-arg "MODEL=$MODEL")
  DOCKER_BUILDKIT=1 docker build --quiet --file "deploy/docker/$recipe.Dockerfile" --tag "$image" "${arguments[@]}" \
    --build-arg "VERSION=$version" --build-arg "REVISION=$revision" --build-arg "CREATED=$created" . >/dev/null ||
    fail "$image was not built."
  size=$(docker image inspect --format '{{.Size}}' "$image")
  if [[ -n ${PUSH:-} ]]; then
    docker push --quiet "$image" >/dev/null || fail "$image was built but not pushed."
  fi
  printf '%-60s %5d MB  %3d s\n' "$image" $((size / 1000000)) $((SECONDS - started))
done

if [[ -n ${PUSH:-} ]]; then
  mkdir -p build
  {
    printf 'global:\n  image:\n    registry: %s\n    repository: %s\n    tag: "%s"\n    digests:\n' \
      "${PUSH%/}" "${REPOSITORY:-coaching-platform}" "$tag"
    # Of all that this tag has here, not only of what was built now.
    for name in "${!recipes[@]}"; do
      docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$prefix/$name:$tag" 2>/dev/null |
        sed -n "s#^$prefix/$name@#      $name: #p" | head -n 1
    done | sort
  } >build/images.yaml
  echo "The chart finds them with: helm upgrade --install ... --values build/images.yaml"
fi
