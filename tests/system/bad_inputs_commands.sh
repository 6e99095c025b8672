#!/usr/bin/env bash
# What the other commands refuse, and what a folder of a tokenizer is refused for (bad_inputs.sh).
exec bash "$(dirname "${BASH_SOURCE[0]}")/bad_inputs.sh" commands "$@"
