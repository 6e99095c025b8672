#!/usr/bin/env bash
# Every bad input of the table gives its exit code and a message that names the place; none crashes, and none sends
# control characters to the terminal. AD_PROGRAM is the program, of any build: under the sanitizers a report fails the
# test as well.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# Whole call stacks (no fast unwinding): those of Open MPI's own leaks end in code without frame pointers, and only a
# whole one shows whose leak it is.
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=1}:exitcode=99:fast_unwind_on_malloc=0"
export LSAN_OPTIONS="${LSAN_OPTIONS:-suppressions=$here/../lsan.supp:print_suppressions=0}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}"
if [ $# = 0 ]; then
  python3 "$here/hostile_names.py" "${AD_PROGRAM:?}"
fi
exec python3 "$here/bad_inputs.py" "${AD_PROGRAM:?}" "$@"
