#!/usr/bin/env bash
# A program with one rounding changed (planted.c) fails a golden training, and the arithmetic's version is named.
set -euo pipefail
out=$(AUTODIDACT_KERNELS=generic python3 "${AD_SOURCE:?}/tests/golden/golden.py" check --case deep \
  "${AD_BUILD:?}/tests/golden_planted") && {
  echo "the planted change was not found: $out"
  exit 1
}
grep -q '^FAIL deep: not the bits of arithmetic [0-9]*: chain is [0-9a-f]*, expected' <<< "$out" ||
  { echo "found, but not told: $out"; exit 1; }
echo "ok   $out"
