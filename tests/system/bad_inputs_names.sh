#!/usr/bin/env bash
# Control characters in names (bad_inputs.sh).
exec bash "$(dirname "${BASH_SOURCE[0]}")/bad_inputs.sh" names "$@"
