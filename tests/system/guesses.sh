#!/usr/bin/env bash
# What new users type, and what they get: the table in guesses.py.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../support/commands.sh"
# One process needs no network: to load what Open MPI has for each kind takes longer than a row.
export OMPI_MCA_ess_singleton_isolated=1 OMPI_MCA_pml=ob1 OMPI_MCA_btl=self OMPI_MCA_mtl=^ofi,psm,psm2 OMPI_MCA_op=^avx
python3 tests/system/tiny.py "$work"
cd "$work"
exec python3 "$AD_SOURCE/tests/system/guesses.py"
