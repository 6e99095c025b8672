#!/usr/bin/env bash
# The source tree keeps its rules (structure.py), and each of these checks can fail (its self-test).
set -euo pipefail
cd "${AD_SOURCE:?}"
python3 tests/system/structure.py check --build "${AD_BUILD:?}"
python3 tests/system/structure.py self-test --build "$AD_BUILD"
