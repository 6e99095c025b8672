#!/usr/bin/env bash
# What train --plan says against what trainings take (plan.py). AD_PROGRAM is the program.
set -euo pipefail
export OMPI_MCA_ess_singleton_isolated=1
exec python3 "${AD_SOURCE:?}/tests/system/plan.py" "${AD_PROGRAM:?}" "$AD_SOURCE/launch/local"
