#!/usr/bin/env bash
# No approximation of the C library ends in a saved bit: which objects use which function of libm, against a list.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
libm=$(cc -print-file-name=libm.so.6)

# Rounded once, or exact: any C library gives the same bits (docs/arithmetic.md). The rest of libm is an approximation.
exact='fe(clear|get|raise|set|hold|test|update|enable|disable)[a-z]*'
exact+='|(sqrt|fma|fabs|fmax|fmin|fmod|rint|nearbyint|floor|ceil|trunc|round|ldexp|frexp|modf|scalbn|scalbln|ilogb|logb'
exact+='|l?lrint|l?lround|copysign|nextafter|nan)f?|__(finite|isinf|isnan|fpclassify|signbit)[fl]?'
# The statistics of reports, which no run saves.
allowed='^statistics/[a-z_]*\.c\.o (exp|log|log1p|pow|tanh|atanh|erfc?)$'

nm -D --defined-only "$libm" | sed -E 's/.* ([A-Za-z0-9_]+).*/\1/' | grep -vxE "$exact" |
  sort -u > "$work/approximations"
[ "$(wc -l < "$work/approximations")" -gt 200 ] || { echo "libm has lost its functions: $libm"; exit 1; }

# uses FOLDER: "module/file.c.o function", of all objects there.
uses() {
  find "$1" -name '*.c.o' -exec nm -A -u {} + | sed -E 's|.*/([^/]+/[^/:]+):.* ([^ ]+)$|\1 \2|' |
    awk -v list="$work/approximations" 'BEGIN { while ((getline name < list) > 0) is[name] = 1 }
      is[$2]' | sort -u
}

[ -n "$(find "${AD_BUILD:?}/src" -name 'norm.c.o')" ] || { echo "no objects under $AD_BUILD"; exit 1; }
for folder in "$AD_BUILD"/src "$AD_BUILD"/mpi "$AD_BUILD"/CMakeFiles/autodidact_cli.dir; do uses "$folder"; done \
  > "$work/uses"
if grep -vE "$allowed" "$work/uses"; then
  echo "functions of the C library whose bits the arithmetic does not fix (above)"
  exit 1
fi
[ "$(grep -cE "$allowed" "$work/uses")" -gt 5 ] ||
  { echo "not even the report's statistics use any: the test sees nothing"; exit 1; }

# It finds one.
mkdir -p "$work/objects/learn"
printf 'double pow(double, double);\ndouble f(double x) { return pow(0.9, x); }\n' > "$work/schedule.c"
cc -c "$work/schedule.c" -o "$work/objects/learn/schedule.c.o"
[ "$(uses "$work/objects" | grep -vE "$allowed")" = "learn/schedule.c.o pow" ] ||
  { echo "a use of pow in learn/ was not found"; exit 1; }
echo "ok   approximations of libm are used by the report alone:" \
  "$(cut -d' ' -f2 "$work/uses" | sort -u | tr '\n' ' ')"
