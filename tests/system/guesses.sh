#!/usr/bin/env bash
# What new users type, and what they get: the table in guesses.py.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../support/commands.sh"
# shellcheck source=tests/support/alone.sh
source tests/support/alone.sh
python3 tests/system/tiny.py "$work"
cd "$work"
python3 "$AD_SOURCE/tests/system/guesses.py"
