#!/usr/bin/env bash
# Run each given make target, all of them even when one fails, and end with one line for each.
set -uo pipefail

failed=()
for target in "$@"; do
  started=$SECONDS
  if output=$(make --no-print-directory "$target" 2>&1); then
    printf '\033[32mok\033[0m      %-20s %3d s  %s\n' "$target" $((SECONDS - started)) "$(grep -m1 '^skipped:' <<<"$output")"
  else
    printf '%s\n\033[31mfailed\033[0m  %-20s %3d s\n' "$output" "$target" $((SECONDS - started))
    failed+=("$target")
  fi
done

if ((${#failed[@]})); then
  printf '\n%d of %d checks failed: %s\n' ${#failed[@]} $# "${failed[*]}" >&2
  exit 1
fi
printf '\nAll %d checks passed.\n' $#
