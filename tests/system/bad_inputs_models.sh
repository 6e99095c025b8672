#!/usr/bin/env bash
# The folders of models that are refused (bad_inputs.sh).
exec bash "$(dirname "${BASH_SOURCE[0]}")/bad_inputs.sh" models "$@"
