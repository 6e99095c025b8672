#!/usr/bin/env bash
# The golden trainings on three ranks of different kernel sets in one job; then killed, and gone on with
# the sets exchanged.
set -euo pipefail
case "$(uname -m)" in
  aarch64) sets=neon,generic,neon ;;
  *) sets=$(grep -q avx512dq /proc/cpuinfo && echo v4 || echo generic),v3,generic ;;
esac
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
golden=(python3 "${AD_SOURCE:?}/tests/golden/golden.py" check --ranks "$sets")
"${golden[@]}" "${AD_PROGRAM:?}"
"${golden[@]}" --killed --case plain --case sda-5 --case sdv-5 --case ema --case rounds \
  --case weights --case smoothing --case smoothing-rdrop --case patience --case numbers-sda-3 --case sets-sda-3 \
  --case mlm-sda-5 --case mlm-rdrop --case bf16-mlm-sda-5 \
  --case bf16-sda-5 --case bf16-sdv-5 --case bf16-rounds --case bf16-frozen --case bf16-xlnet-sda-5 \
  --case roberta-sda-5 --case electra-sda-5 --case distilbert-sda-5 --case mpnet-sda-5 --case xlnet-sda-5 "$AD_PROGRAM"
