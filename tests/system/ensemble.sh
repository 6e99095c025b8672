#!/usr/bin/env bash
# eval --vote and --average over three runs, against what ensemble.py computes from their weights and logits.
set -euo pipefail
source="${AD_SOURCE:?}/tests/system"
program="${AD_PROGRAM:?}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export OMPI_MCA_ess_singleton_isolated=1
python3 "$source/tiny.py" "$work"
cd "$work"
python3 "$source/ensemble.py" data data/many.tsv

runs=(runs/a runs/b runs/c)
seed=0
for run in "${runs[@]}"; do
  "$program" train config.yaml run.dir="$run" train.steps=90 optim.lr=5e-3 data.train=data/many.tsv \
    data.train_rows=$((100 - 40 * seed)) seed.init=$seed model.head=new \
    seed.order=$seed seed.dropout=$seed >train.out 2>&1 || { cat train.out; exit 1; }
  "$program" predict "$run" --data data/many.tsv --logits >"logits-$seed" 2>err
  "$program" eval "$run" --data data/many.tsv --json >"own-$seed" 2>err
  seed=$((seed + 1))
done
"$program" eval "${runs[@]}" --data data/many.tsv --vote --json >vote
"$program" eval "${runs[@]}" --data data/many.tsv --average --out averaged --json >average
python3 "$source/ensemble.py" vote data/many.tsv vote logits-0 own-0 logits-1 own-1 logits-2 own-2
python3 "$source/ensemble.py" average averaged average own-0 own-1 own-2 -- "${runs[@]}"

# The model that was written is the one that was scored; a run's descriptor reads it as any model.
tail -n +2 data/many.tsv | cut -f 1 >many.txt
"$program" predict averaged --data many.txt --logits >averaged-logits
python3 "$source/ensemble.py" score data/many.tsv averaged-logits average
echo "ok   the averaged folder predicts what was scored"

# Another order of the runs: not a bit of the mean changes.
"$program" eval runs/c runs/a runs/b --data data/many.tsv --average --out turned >tables
cmp averaged/model.safetensors turned/model.safetensors
grep -qE '^ +mean +[0-9.]+ %$' tables && grep -q '^mean of the parameters of the 3 runs$' tables
echo "ok   the order of the runs"

"$program" eval "${runs[@]}" --data data/many.tsv --vote >tables
for line in '^   2  runs/b +[0-9.]+ % ' '^vote of the 3 runs$' '^disagreement of the voters' \
  '^disagreement +[0-9.]+ %$' "^Yule's Q +-?[0-9.]+" "^Cohen's kappa +-?[0-9.]+"; do
  grep -qE "$line" tables || { echo "no line '$line' in"; cat tables; exit 1; }
done

# Where no voter is ever wrong, Q and kappa are 0/0, and that is said.
python3 "$source/ensemble.py" agree data/many.tsv logits-0 logits-1 logits-2 >data/agreed.tsv
"$program" eval "${runs[@]}" --data data/agreed.tsv --vote >tables
grep -qF 'undefined (0/0 for each of 3 pairs)' tables || { cat tables; exit 1; }
"$program" eval "${runs[@]}" --data data/agreed.tsv --vote --json | python3 -c '
import json, sys
found = json.load(sys.stdin)
assert found["q"] is None and found["kappa"] is None and found["q_pairs"] == found["kappa_pairs"] == 0, found'
echo "ok   tables, and what is undefined"
