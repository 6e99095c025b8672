#!/usr/bin/env bash
# data.cache: one file for each split, made once whatever the number of ranks, the same bits as without; a damaged one
# is made again, with a word.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
source="${AD_SOURCE:?}"
export AUTODIDACT_PROGRAM="${AD_PROGRAM:?}"
python3 "$source/tests/system/tiny.py" "$work"
cd "$work"

# run RANKS NAME [key=value ...]
run() {
  local ranks="$1" name="$2"
  shift 2
  "$source/launch/local" -n "$ranks" train config.yaml "run.dir=$name" train.epochs=3 train.steps=3 "$@" \
    >"$name.out" 2>"$name.err" ||
    { echo "$name on $ranks ranks failed:"; cat "$name.out" "$name.err"; exit 1; }
}
# same NAME: as without a cache
same() {
  cmp plain/log.jsonl "$1/log.jsonl" && cmp plain/model/model.safetensors "$1/model/model.safetensors" ||
    { echo "$1 differs"; exit 1; }
}
# files: name, inode and time of each
files() {
  stat -c '%n %i %y' cache/sub/*
}

run 1 plain
run 3 first data.cache=cache/sub
same first
[ "$(ls cache/sub | grep -c '^[0-9a-f]\{16\}\.tokens$')" = 2 ] && [ "$(ls -A cache/sub | wc -l)" = 2 ] ||
  { echo "train and dev, expected two files:"; ls -la cache/sub; exit 1; }
made="$(files)"
run 2 second data.cache=cache/sub
same second
run 2 alone data.cache=cache/sub comm.shared=false
same alone
[ "$(files)" = "$made" ] || { echo "the cache was made again:"; files; exit 1; }
! grep -q warning first.err second.err || { echo "warnings:"; cat first.err second.err; exit 1; }

# eval of a run reads its configuration, and so its cache: test is a third file.
"$AUTODIDACT_PROGRAM" eval plain --data test >plain.test
"$AUTODIDACT_PROGRAM" eval first --data test >first.test
diff <(tail -n +2 plain.test) <(tail -n +2 first.test)
[ "$(ls cache/sub | wc -l)" = 3 ] || { echo "test is not in the cache"; exit 1; }

for file in cache/sub/*; do
  printf x | dd of="$file" bs=1 seek=$(($(stat -c %s "$file") - 9)) conv=notrunc status=none
done
run 2 mended data.cache=cache/sub
same mended
grep -q 'tokens: its digest is not that of its bytes; the data are tokenised again' mended.err ||
  { echo "no word about the damage:"; cat mended.err; exit 1; }
run 2 after data.cache=cache/sub
same after
! grep -q 'tokenised again' after.err || { echo "still damaged:"; cat after.err; exit 1; }

# No file can be there: told, and trained without.
: >occupied
run 2 without data.cache=occupied
same without
grep -q 'warning: data.cache: occupied.*the data are not kept' without.err ||
  { echo "no word about the cache:"; cat without.err; exit 1; }

# It is no reason to refuse a resumed run, and not named among what may change bits.
"$AUTODIDACT_PROGRAM" diff plain first >diff.out || { cat diff.out; exit 1; }
