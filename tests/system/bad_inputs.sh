#!/usr/bin/env bash
# Every bad input of a part of the table gives its exit code and a message that names the place; none crashes, and none
# sends control characters to the terminal. The parts are tests that run beside each other: this is what train refuses.
# AD_PROGRAM is the program, of any build: under the sanitizers a report fails the test as well.
#
#     bad_inputs.sh [PART [NAME]]    train, commands, models or names; the rows whose name contains NAME
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/support/alone.sh
source "$here/../support/alone.sh"
part=${1:-train}
if [ "$part" = names ]; then
  exec python3 "$here/hostile_names.py" "${AD_PROGRAM:?}"
fi
exec python3 "$here/bad_inputs.py" "${AD_PROGRAM:?}" "$part" "${@:2}"
