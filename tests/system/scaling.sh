#!/usr/bin/env bash
# docs/scaling.md holds the tables of the cost model as its script computes them.
set -euo pipefail
PYTHONDONTWRITEBYTECODE=1 python3 "${AD_SOURCE:?}/tests/bench/scaling" check
echo "ok   the tables of docs/scaling.md"
