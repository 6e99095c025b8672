#!/usr/bin/env bash
# For tests that start the program many times as one process; they source it.
# Whole call stacks (no fast unwinding): those of Open MPI's own leaks end in code without frame pointers, and only a
# whole one shows whose leak it is. Names of functions wait for a report, since to read them takes as long as the rest.
export ASAN_OPTIONS="symbolize=0:${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=1}"
export ASAN_OPTIONS="$ASAN_OPTIONS:exitcode=99:fast_unwind_on_malloc=0"
lsan_suppressions=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/lsan.supp
export LSAN_OPTIONS="${LSAN_OPTIONS:-suppressions=$lsan_suppressions:print_suppressions=0}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}"
# One process needs no network: to load what Open MPI has for each kind takes longer than a row, and
# each place where it leaks is looked up.
export OMPI_MCA_ess_singleton_isolated=1 OMPI_MCA_pml=ob1 OMPI_MCA_btl=self OMPI_MCA_mtl=^ofi,psm,psm2 OMPI_MCA_op=^avx
