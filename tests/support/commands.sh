#!/usr/bin/env bash
# For tests of commands; they source it at their beginning, inside the repository. `work` holds a folder that goes when
# the test ends.
set -euo pipefail
cd "${AD_SOURCE:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  printf 'FAIL %s\n' "$*"
  exit 1
}

# expect CODE PATTERN COMMAND...: the exit code, and a regular expression that the output matches. The output stays
# in $work/output.
expect() {
  local want=$1 pattern=$2 code=0
  shift 2
  "$@" > "$work/output" 2>&1 < /dev/null || code=$?
  [ "$code" = "$want" ] && grep -Eq -- "$pattern" "$work/output" ||
    { cat "$work/output"; fail "$*: exit code $code, expected $want and /$pattern/"; }
  echo "ok   $pattern"
}
