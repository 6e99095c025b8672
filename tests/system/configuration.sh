#!/usr/bin/env bash
# docs/configuration.md is what the options table says, as is the table of roles in docs/reproducibility.md; keys that
# have no effect are told (configuration.py).
set -euo pipefail
"${AD_PROGRAM:?}" train --keys-markdown | diff "${AD_SOURCE:?}/docs/configuration.md" - || {
  echo "make it anew: autodidact train --keys-markdown > docs/configuration.md"
  exit 1
}
"$AD_PROGRAM" train --keys-roles |
  diff <(grep -A 99 '^| role |' "$AD_SOURCE/docs/reproducibility.md" | sed '/^$/,$d') - || {
  echo "make the table anew: autodidact train --keys-roles"
  exit 1
}
exec python3 "${AD_SOURCE:?}/tests/system/configuration.py" "$AD_PROGRAM"
