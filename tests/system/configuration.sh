#!/usr/bin/env bash
# docs/configuration.md is what the options table says; keys that have no effect are told (configuration.py).
set -euo pipefail
"${AD_PROGRAM:?}" train --keys-markdown | diff "${AD_SOURCE:?}/docs/configuration.md" - || {
  echo "make it anew: autodidact train --keys-markdown > docs/configuration.md"
  exit 1
}
exec python3 "${AD_SOURCE:?}/tests/system/configuration.py" "$AD_PROGRAM"
