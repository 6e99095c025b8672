#!/usr/bin/env bash
# The pages of reports are well-formed and complete, whatever arms and runs are called. AD_PROGRAM is the program.
set -euo pipefail
export OMPI_MCA_ess_singleton_isolated=1 OMPI_MCA_pml=ob1 OMPI_MCA_btl=self OMPI_MCA_mtl=^ofi,psm,psm2
exec python3 "${AD_SOURCE:?}/tests/system/page.py" "${AD_PROGRAM:?}"
