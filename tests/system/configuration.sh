#!/usr/bin/env bash
# docs/configuration.md is what the options table says.
set -euo pipefail
"${AD_PROGRAM:?}" train --keys-markdown | diff "${AD_SOURCE:?}/docs/configuration.md" - || {
  echo "make it anew: autodidact train --keys-markdown > docs/configuration.md"
  exit 1
}
