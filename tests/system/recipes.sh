#!/usr/bin/env bash
# datasets/recipes and datasets/studies: every file is accepted, says what it is to say, reads data in its owners'
# layout, trains, and without the data tells where they are to be had.
set -euo pipefail
source="${AD_SOURCE:?}"
program="${AD_PROGRAM:?}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export OMPI_MCA_ess_singleton_isolated=1
python3 "$source/tests/system/tiny.py" "$work"
cd "$work"
mkdir nothing

# refused FILE PATTERN ARGUMENT...: `data` ends with exit code 1 and this message.
refused() {
  local pattern="$1" code=0
  shift
  "$program" data "$@" >out 2>err || code=$?
  [ "$code" = 1 ] && grep -qE -- "$pattern" err ||
    { echo "data $*: exit code $code, expected 1 and /$pattern/"; cat out err; exit 1; }
}

count=0
for recipe in "$source"/datasets/recipes/*.yaml; do
  name="$(basename "$recipe" .yaml)"
  python3 "$source/tests/system/recipes.py" comments "$recipe"
  page="$(python3 "$source/tests/system/recipes.py" page "$recipe" "$source/datasets")"
  if [[ $name != roberta-* ]]; then # those are of the same data sets
    refused 'neither model\.path .* nor model\.vocab' "$recipe"
    refused "train split\\) is not known.*data\\.folder.*$page\$" "$recipe" model.path=model
    refused "nothing/.*no such file.*data\\.folder.*$page\$" "$recipe" model.path=model data.folder=nothing
  fi

  python3 "$source/tests/system/recipes.py" write "$name" "data-$name"
  given=(model.path=model data.folder="data-$name")
  "$program" data "$recipe" "${given[@]}" >"$name.data" 2>err || { cat err; exit 1; }
  "$program" order "$recipe" "${given[@]}" >"$name.order" 2>err || { cat err; exit 1; }
  "$program" train "$recipe" "${given[@]}" run.dir="run-$name" train.steps=2 >out 2>err || { cat err; exit 1; }
  python3 "$source/tests/system/recipes.py" check "$name" "run-$name/config.yaml" "$name.data" "$name.order"
  split='test'
  [[ $name != *mnli ]] || split=dev
  "$program" eval "run-$name" --data "$split" >out 2>err || { cat err; exit 1; }
  count=$((count + 1))
  echo "ok   $name"
done
python3 "$source/tests/system/recipes.py" count "$count"

# The Korean descriptors read their owners' layouts, in every split.
for name in nsmc klue-ynat klue-nli kornli; do
  rows="$(python3 "$source/tests/system/recipes.py" korean "$name" "data-$name")"
  given=(data.descriptor="$source/datasets/$name.yaml" data.folder="data-$name")
  "$program" data config.yaml "${given[@]}" >out 2>err || { cat err; exit 1; }
  [ "$(grep -cE "^  rows +$rows\b" out)" = "$(grep -cE '^  *(train|dev|test): ' "$source/datasets/$name.yaml")" ] ||
    { echo "$name: expected $rows rows in each split"; cat out; exit 1; }
  echo "ok   $name"
done

# Study files are read, whole: every arm and axis; the tables of the results are those of the files beside them.
for study in "$source"/datasets/studies/*.yaml; do
  "$program" study status "$study" >out 2>err || { cat err; exit 1; }
  grep -qE '^all +[0-9]+ +0 +0 ' out || { echo "$study:"; cat out; exit 1; }
  echo "ok   $(basename "$study" .yaml)"
done
python3 "$source/datasets/studies/results.py" --check "$source/docs/results.md"

# Every record is that of its study file: keys that came later do not change the ids of its cells.
for record in "$source"/datasets/studies/records/*; do
  name="$(basename "$record")"
  mkdir -p records/runs
  cp -r "$record" records/runs/
  (cd records && "$program" study status "$source/datasets/studies/$name.yaml") >out 2>err || { cat err; exit 1; }
  grep -qE '^all +([0-9]+) +\1 +0 +0 ' out || { echo "records/$name:"; cat out err; exit 1; }
  echo "ok   records/$name"
done

# MNLI's mismatched file has the layout of the matched one.
"$program" eval run-mnli --data data-mnli/multinli_1.0_dev_mismatched.jsonl >out 2>err || { cat err; exit 1; }
grep -qE '^examples +3$' out || { cat out; exit 1; }

# What a run trained on is a subset; what it predicts is not, though the file may have the layout of train.
mkdir alone
cp data/train.tsv alone/
sed '/dev:/,$d' tiny.yaml >alone.yaml
subset=(data.descriptor=alone.yaml data.folder=alone)
for key in data.per_class=3 data.train_rows=6; do
  "$program" data config.yaml "${subset[@]}" "$key" | grep -qE '^  rows +6' || { echo "$key: not 6 rows"; exit 1; }
  "$program" train config.yaml "${subset[@]}" "$key" run.dir="run-$key" train.epochs=1 >out 2>err ||
    { cat err; exit 1; }
  [ "$("$program" predict "run-$key" --data data/train.tsv | wc -l)" = 24 ]
  [ "$("$program" predict "run-$key" --data train | wc -l)" = 6 ]
done
echo "ok   subsets"

python3 "$source/tests/system/predict.py"
python3 "$source/tests/system/predict_table.py"
