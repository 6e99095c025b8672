#!/usr/bin/env python3
"""What new users type who have read nothing, and what they get: an exit code, and what the output says.

    guesses.py    in a folder of tiny.py; AD_PROGRAM is the program

The rows run one after another in one folder, so that a row may use what an earlier one has made. To add a guess, add a
row. Python's standard library only."""

import csv
import gzip
import io
import json
import math
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import tiny  # noqa: E402

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))

PROGRAM = os.environ["AD_PROGRAM"]
# No network: what would be fetched is told.
os.environ.update(HF_ENDPOINT="http://127.0.0.1:9", PIP_NO_INDEX="1", AUTODIDACT_CACHE="cache")
NAMES = ["bad", "good"]


def table(rows, delimiter=",", end="\n", **options):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end, **options).writerows(rows)
    return out.getvalue()


def write_data():
    """The files that the guesses are about."""
    rows = [(f"{text}; \"so\"", NAMES[label]) for label, text in tiny.rows(60, 7)]
    # As Excel writes it: byte order mark, semicolons, CR LF.
    excel = table([("Nr", "Review", "Sentiment"), *[(i, *row) for i, row in enumerate(rows)]], ";", "\r\n")
    Path("reviews.csv").write_bytes(b"\xef\xbb\xbf" + excel.encode())
    Path("utf16.csv").write_bytes(excel.encode("utf-16"))
    # Korean reviews as NSMC has them, some without text, with empty lines between them.
    lines = [f"{i}\t{'' if i % 9 == 4 else '영화가 ' + text}\t{NAMES.index(label)}\n" + "\n" * (i % 20 == 3)
             for i, (text, label) in enumerate(rows)]
    Path("korean.tsv").write_text("id\tdocument\tlabel\n" + "".join(lines))
    Path("lines.jsonl").write_text("".join(json.dumps({"text": text, "label": NAMES.index(label)}) + "\n"
                                           for text, label in rows))
    Path("pairs.csv").write_text(table([("premise", "hypothesis", "label"), *[(t, "the film", n) for t, n in rows]]))
    Path("plain.csv").write_text(table(rows))
    Path("plain.txt").write_text("".join(f"{text}\n" for text, _ in rows))
    two = [(t, n, n) for t, n in rows]
    Path("two.csv").write_text(table([("text", "sentiment", "topic"), *two]))
    Path("own.yaml").write_text("license: none\nformat: csv\ndelimiter: semicolon\nheader: true\nempty: skip\n"
                                "columns: {text: Review, label: Sentiment}\nsplit: {seed: 0, dev: 6}\n"
                                "splits: {train: {file: reviews.csv}}\n")
    Path("cp949.csv").write_bytes("문장,라벨\n영화,좋음\n".encode("cp949"))
    Path("spaces.csv").write_text("text,label\n" + "a film,good\nbad plot,bad\nthe film,good \n" * 2)
    Path("sub").mkdir()
    Path("sub/more.csv").write_text(Path("plain.csv").read_text())
    Path("sub/config.yaml").write_text("run: {dir: runs/sub}\ndata: {train: more.csv}\nmodel: {path: model}\n")
    test = [("text", "label"), *[(t, "1") for t, _ in rows[:9]], ("dull", "2")]
    Path("test.csv").write_text(table(test))
    Path("reviews.csv.gz").write_bytes(gzip.compress(Path("reviews.csv").read_bytes()))
    Path("study.yaml").write_text("study: {dir: studies/s}\nbase: runs/reviews/config.yaml\naxes: {seed.init: 0..1}\n"
                                  "arms: {base: {}, smooth: {train.label_smoothing: 0.1}}\n")
    several = [(t, ", ".join([n] * (i % 3 > 0) + ["long"] * (len(t) > 20))) for i, (t, n) in enumerate(rows)]
    Path("tags.csv").write_text(table([("text", "tags"), *several]))
    Path("tags.jsonl").write_text("".join(json.dumps({"text": t, "label": [n for n in names.split(", ") if n]}) + "\n"
                                          for t, names in several))
    Path("stars.csv").write_text(table([("text", "stars"), *[(t, i * 7 % 41 / 10) for i, (t, _) in enumerate(rows)]]))
    Path("train.csv").write_text(table([("text", "label"), *[(t, NAMES.index(n)) for t, n in rows]]))


MODEL = "--model model data.max_tokens=24"
# A finished run may go on with these.
LONGER = "optim.schedule=constant optim.warmup=0 checkpoint.finished=true"
# What is typed, also with < FILE, the exit code, and patterns that its output (both streams) must match.
GUESSES = [
    # From a file to a trained run.
    (f"train --train reviews.csv {MODEL}", 0, r"semicolons, a header",
     r'text is column "Review" \(.*\), label is column "Sentiment" \((bad|good)\)',
     r"dev: 6 rows of train", r"2 classes .*: bad \(\d+\), good \(\d+\)", r"runs/reviews/descriptor\.yaml"),
    (f"train reviews.csv {MODEL} run.dir=runs/word", 0, r"the run is in runs/word"),
    ("train data.train=reviews.csv model.path=model run.dir=runs/keys data.max_tokens=24", 0, r"runs/keys"),
    (f"train --train reviews.csv --out runs/reviews {MODEL}", 1, r"holds a run already", r"run\.overwrite=true"),
    ("train runs/reviews/config.yaml run.dir=runs/again", 0, r"54 training examples, 6 dev examples"),
    (f"train data.descriptor=./own.yaml {MODEL} --out runs/own", 0, r"54 training examples, 6 dev examples"),
    (f"train --train korean.tsv {MODEL}", 0, r'text is column "document"', r"rows without text or label are left out",
     r"warning: train: [\d.]+% of the tokens are unknown to the vocabulary"),
    (f"train --train lines.jsonl {MODEL}", 0, r"60 rows \(JSON\)"),
    (f"train --train pairs.csv {MODEL}", 0,
     r'text is column "premise" .* second text is column "hypothesis" \(the film\)'),
    (f"train --train plain.csv {MODEL}", 0, r"no header\), text is column 1 .*, label is column 2 "),
    (f"train --train two.csv --label topic {MODEL}", 0, r'label is column "topic"'),
    (f"train --train train.csv --dev train.csv --test test.csv {MODEL} --out runs/three", 0, r"60 dev examples"),
    # What is left open, or cannot be.
    ("train --train reviews.csv --get run.dir", 0, r"^runs/reviews$"),
    ("train", 1, r"neither a configuration file nor --train"),
    ("train --train reviews.csv", 1, r"neither model\.path .* nor model\.vocab"),
    (f"train {MODEL}", 1, r"no data: expected a file of texts and labels .*--train FILE"),
    (f"train --train two.csv {MODEL}", 1, r'several columns may be the label: "sentiment", "topic"; --label COLUMN'),
    (f"train --train two.csv --label stars {MODEL}", 1, r'no column "stars"; there are: "text", "sentiment", "topic"'),
    (f"train --train plain.txt {MODEL}", 1, r"plain\.txt: found one column", r"texts alone are for data\.task=mlm"),
    (f"train --train utf16.csv {MODEL}", 1, r"utf16\.csv: .*UTF-16"),
    (f"train --train /dev/stdin {MODEL}", 1, r"/dev/stdin: expected a file, found a device"),
    (f"train plain.csv --train reviews.csv {MODEL}", 1, r"plain\.csv and --train reviews\.csv, expected one file"),
    (f"train --train nowhere.csv {MODEL}", 1, r"nowhere\.csv"),
    ("train --train reviews.csv --model minilm-l6", 1, r"minilm-l6: there is no such folder here", r"--out DIR"),
    ("train --train reviews.csv --model someone/tiny", 1, r"could not be fetched", r"get-model someone/tiny"),
    ("train --train reviews.csv --model mdoel", 1, r"mdoel: there is no such folder"),
    # Texts alone.
    ("pretrain plain.txt", 1, r"unknown command 'pretrain'", r"autodidact train --train FILE data\.task=mlm"),
    (f"train plain.txt --task mlm {MODEL}", 1, r"data\.task=NAME"),
    (f"train plain.txt {MODEL} data.task=masked", 1, r'data\.task: found "masked", expected one of: .*mlm'),
    (f"train plain.txt {MODEL} data.task=mlm mlm_probability=0.2", 1, r"train\.mask_rate"),
    (f"train plain.txt {MODEL} data.task=mlm train.mask_rate=15", 1, r"train\.mask_rate is '15'", r"to 1"),
    (f"data plain.txt {MODEL} data.task=mlm", 0, r"plain\.txt, 60 rows \(lines of text\)"),
    (f"train plain.txt {MODEL} data.task=mlm --plan", 0, r"54 training examples"),
    (f"train plain.txt {MODEL} data.task=mlm train.mask_whole_words=true --out runs/lm", 0, r"lines of text",
     r"the masked-language head is drawn", r"dev perplexity", ("runs/lm/model/config.json", r"BertForMaskedLM")),
    (f"train reviews.csv {MODEL} data.task=mlm --out runs/table", 0, r'text is column "Review"'),
    (f"train plain.txt --model runs/lm data.max_tokens=24 data.task=mlm --out runs/more", 0,
     r"the masked-language head is that of runs/lm/model"),
    ("eval runs/lm --data plain.txt", 0, r"examples +60", r"perplexity +\d"),
    ("eval runs/lm/model --data plain.txt --json", 0, r'"task":"mlm","perplexity":\d'),
    ("eval runs/lm runs/more --data plain.txt --vote", 1, r"evaluated one by one|cannot be combined"),
    ("predict runs/lm --data plain.txt", 1, r"runs/lm: a masked language model, expected one that classifies texts",
     r"autodidact eval"),
    ("predict runs/lm/model --text film", 1, r"a masked language model"),
    ("runs runs/lm runs/table", 0, r"dev\.perplexity"),
    ("report runs/lm --out lm-report", 0, ("lm-report/report.txt", r"perplexity")),
    ("export runs/lm --out lm", 0, ("lm/config.json", r"BertForMaskedLM")),
    (f"train reviews.csv --model lm data.max_tokens=24 --out runs/after", 0, r"the classifier is drawn"),
    (f"train plain.txt {MODEL} data.task=mlm train.class_weights=balanced", 1, r"the task mlm has no classes"),
    # Before it.
    ("data reviews.csv", 0, r"2 classes", r"with --model DIR"),
    (f"data korean.tsv {MODEL}", 0, r"unknown to the vocabulary, in 100\.0% of the texts", r"unknown tokens \d+ \("),
    (f"data train.csv --test test.csv {MODEL}", 0, r"test: \d examples? ha(s|ve) the tokens of one in train",
     r"test: 1 class has no example in train: 2", r"1 class has fewer than 10 examples: 2"),
    ("data reviews.csv --write reviews.yaml", 0, r"written to reviews\.yaml; next: autodidact train "
     r"data\.descriptor=\./reviews\.yaml"),
    ("data reviews.csv --write reviews.yaml", 1, r"reviews\.yaml: it is there already"),
    (f"train data.descriptor=./reviews.yaml {MODEL} --out runs/written", 0, r"54 training examples"),
    ("data", 1, r"neither a configuration file nor --train"),
    ("data spaces.csv --model model", 0, r'the classes "good" and "good " differ by white space or case alone'),
    # A configuration elsewhere, whose paths are those beside it; other words for keys.
    ("train sub/config.yaml", 0, r"54 training examples, 6 dev examples"),
    ("train runs/reviews", 1, r"expected a configuration file, found a folder; that of a run is its config\.yaml"),
    ("data own.yaml", 1, r"here it is 'data\.descriptor' \(the key is one of descriptors"),
    ("train --train reviews.csv --model model --epochs 3", 1, r"key=value: .*'train\.epochs'"),
    ("train --train reviews.csv --model model --lr 1e-4", 1, r"key=value: .*'optim\.lr'"),
    ("train --data reviews.csv --model model", 1, r"'data\.train'"),
    ("train --train cp949.csv --model model", 1, r"cp949\.csv:1: invalid UTF-8", r"CP949"),
    # After it: scores and predictions. A pattern ("FILE", ...) is of what that file holds.
    ("predict runs/reviews --data reviews.csv --out p.csv", 0,
     ("p.csv", r"^row,class,probability\.bad,probability\.good\n1,(bad|good),0\.\d+,0\.\d+\n")),
    ("predict runs/reviews reviews.csv --out kept.csv --keep", 0,
     ("kept.csv", r"^row,Nr,Review,Sentiment,class,probability\.bad,")),
    ("predict runs/reviews --data reviews.csv --columns own,class,confidence", 0, r"^Nr,Review,Sentiment,class,confid"),
    ("predict runs/reviews --data reviews.csv.gz --out gzip.csv", 0, ("gzip.csv", r"^row,class,")),
    ("predict runs/reviews --data - --format csv < reviews.csv", 0, r"^row,class,probability\.bad,probability\.good\n"),
    ('predict runs/reviews --text "a good film"', 0, r"^(bad|good)\n$"),
    ('predict runs/reviews --text "a good film" --format jsonl', 0, r'"probabilities": ?\{"bad": ?0\.\d+'),
    ("predict runs/reviews --data plain.txt --lines", 0, r"^((bad|good)\n){60}$"),
    ("predict runs/korean --data korean.tsv --out korean.csv --keep", 0, r"10 of 63 rows could not be read",
     ("korean.csv", r"\n5,,,,,,\n6,4,,")),
    # A model that learns from another one's predictions.
    ("predict runs/reviews reviews.csv --out soft.csv --write soft.yaml", 0,
     r"next: autodidact train data\.descriptor=\./soft\.yaml --model DIR",
     ("soft.yaml", r"probabilities: probability}")),
    ("data data.descriptor=./soft.yaml --model model", 0, r"learnt +probabilities of the classes, mean entropy 0\.\d+"),
    (f"train data.descriptor=./soft.yaml {MODEL} --out runs/student", 0, r"54 training examples, 6 dev examples"),
    ("predict runs/reviews reviews.csv --out soft.jsonl --write lines.yaml", 0, ("lines.yaml", r"format: jsonl")),
    (f"train data.descriptor=./lines.yaml {MODEL} --out runs/lines2 train.label_smoothing=0.1", 0, r"54 training"),
    ("predict model plain.txt --out soft2.csv --write soft2.yaml", 0, ("soft2.yaml", r'text: "text", probabilities')),
    (f"train --train soft.csv {MODEL} teacher_model=runs/reviews", 1, r"'data\.descriptor'", r"predict --write"),
    ("predict runs/reviews reviews.csv --write soft3.yaml", 1, r"expected --out FILE with it"),
    (f"train --train train.csv {MODEL} data.task=regresion", 1, r'data\.task: found "regresion", expected one of'),
    ("predict runs/reviews", 1, r"--data FILE is missing .*--text"),
    ("predict runs/reviews --data p.csv", 1, r'p\.csv:1: no column "Review"; the header has: row,class,'),
    ("predict runs/reviews --data nowhere.csv", 1, r"nowhere\.csv: No such file"),
    ("predict runs/reviews --data reviews.csv --out p.xlsx", 1, r"expected \.csv, \.tsv or \.jsonl"),
    ("predict runs/reviews --data reviews.csv --json", 1, r"here it is --format jsonl"),
    ("predict runs/reviews --data reviews.csv --probabilities", 1, r"here it is --columns class,probabilities"),
    ("predict runs/reviews --data reviews.csv -o p.csv", 1, r"here it is --out"),
    ("predict runs/reviews --data reviews.csv --columns label", 1, r"found 'label', expected row, own, class"),
    ("predict runs/reviews --data dev --keep", 1, r"selection of the rows of \S*reviews\.csv, .*name that file"),
    ("eval runs/reviews --data dev", 0, r"error +\d", r"macro F1"),
    ("eval runs/reviews --data reviews.csv --json", 0, r'^\{"examples":60,"error":'),
    ("eval runs/reviews", 1, r"--data is missing: a labelled file, or train, dev or test"),
    ("eval runs/reviews --test", 1, r"here it is --data test"),
    ("eval runs/reviews runs/three --data dev", 1, r"expected --vote or --average, or one run"),
    ("export runs/reviews --out folder", 0, r"model\.safetensors and the tokenizer's files written"),
    ("predict folder --data plain.txt --out folder.csv --format csv", 0, ("folder.csv", r"^row,class,")),
    # Numbers.
    (f"train --train stars.csv {MODEL} data.task=regression", 0, r'label is column "stars"', r"the label is a number",
     r"1 target", r"dev Pearson"),
    (f"train --train stars.csv {MODEL}", 1, r"data\.task=regression learns the numbers of a column"),
    (f"train --train stars.csv {MODEL} --task regression", 1, r"here it is data\.task=NAME"),
    (f"train --train stars.csv {MODEL} problem_type=regression", 1, r"here it is 'data\.task'"),
    (f"train --train reviews.csv {MODEL} data.task=regression", 1, r'no column holds numbers alone|"Nr"'),
    ('predict runs/stars --text "a good film"', 0, r"^-?\d+\.\d+(e-\d+)?\n$"),
    ("predict runs/stars --data stars.csv --out stars-out.csv --keep", 0,
     ("stars-out.csv", r"^row,text,stars,value\n1,[^\n]*,0(\.0)?,-?\d")),
    ("predict runs/stars --data stars.csv --columns class", 1, r"found class, .* expected row, own, logits, value"),
    ("eval runs/stars --data stars.csv", 0, r"Pearson +-?\d", r"Spearman", r"R2", r"MSE"),
    ("data stars.csv data.task=regression --model model", 0, r"stars: min 0, mean [\d.]+, SD [\d.]+, max 4"),
    # Several classes a text.
    (f"train --train tags.csv --label tags {MODEL} data.task=multi_label", 0, r"a list of classes \(task multi_label\)",
     r"3 classes", r"dev micro F1"),
    (f"train --train tags.jsonl {MODEL} data.task=multi_label --out runs/json", 0, r"3 classes"),
    (f"train --train tags.jsonl {MODEL}", 1, r"data\.task=multi_label"),
    (f"train --train tags.csv --label tags {MODEL} problem_type=multi_label_classification", 1, r"data\.task"),
    (f"train --train tags.csv --label tags {MODEL} data.task=multilabel", 1, r"expected one of: .*multi_label"),
    (f"train --train tags.csv --label tags {MODEL} data.task=multi_label run.metric=f1", 1, r"micro_f1, macro_f1, map"),
    ('predict runs/tags --text "a good film"', 0, r"^((good|bad|long)(,(good|bad|long))*)?\n$"),
    ("predict runs/tags --data tags.csv --out tags-out.jsonl", 0,
     ("tags-out.jsonl", r'^\{"row": 1, "class": \[("\w+"(, )?)*\], "probabilities": \{"bad": ')),
    ("predict runs/tags --data tags.csv --columns class,probabilities --threshold 0.9999", 0,
     r'^class,probability\.bad,probability\.good,probability\.long\n,'),
    ("predict runs/tags --data tags.csv --columns number", 1, r"found number, .* expected row, own, class"),
    ("eval runs/tags --data tags.csv", 0, r"micro F1", r"mAP", r"exact sets", r"threshold", r"average precision"),
    ("eval runs/tags --data tags.csv --json", 0, r'"threshold":0\.\d+.*"average_precision":'),
    # A run that was stopped.
    (f"train --train reviews.csv {MODEL} --out runs/stopped --inject=term@3", 75, r"the same command goes on from"),
    ('predict runs/stopped --text "a good film"', 0, r"not finished: .* checkpoint of step 3 of 6 is used\n(bad|good)"),
    ("eval runs/stopped --data dev", 0, r"checkpoint of step 3 of 6"),
    ("export runs/stopped --out stopped", 1, r"not complete: .*its train command, given again, ends it"),
    ("runs runs/stopped", 0, r"runs/stopped +stopped +3 +6 "),
    ("train --train reviews.csv --model runs/stopped --out runs/on", 1, r"runs/stopped: a run without a model yet"),
    (f"train --train reviews.csv {MODEL} --out runs/stopped", 0, r"goes on after step 3 of 6"),
    # Keys: by the words of other programs, and options that people look for.
    (f"train --train reviews.csv {MODEL} early_stopping_patience=3", 1, r"here it is 'train\.patience'"),
    (f"train --train reviews.csv {MODEL} --early-stopping 3", 1, r"here it is 'train\.patience'"),
    (f"train --train reviews.csv {MODEL} load_best_model_at_end=true", 1, r"here it is 'run\.select' \(best\)"),
    (f"train --train reviews.csv {MODEL} metric_for_best_model=f1", 1, r"here it is 'run\.metric'"),
    (f"train --train reviews.csv {MODEL} run.metric=f1", 1, r"run\.metric is 'f1', expected .*macro_f1"),
    (f"train --train reviews.csv {MODEL} class_weight=balanced", 1, r"it could be 'train\.class_weights'"),
    (f"train --train reviews.csv {MODEL} --label-smoothing 0.1", 1, r"'train\.label_smoothing'"),
    (f"train --train reviews.csv {MODEL} --seed 3", 1, r"'seed\.init', 'seed\.order' and 'seed\.dropout'"),
    (f"train --train reviews.csv {MODEL} --device cuda", 1, r"computing is on CPUs"),
    (f"train --train reviews.csv {MODEL} --output_dir x", 1, r"did you mean --out\?"),
    (f"train --train reviews.csv {MODEL} --dry-run", 1, r"here it is --plan"),
    (f"train --train reviews.csv {MODEL} --validation x.csv", 1, r"here it is --dev FILE"),
    (f"train --train reviews.csv {MODEL} --resume", 1, r"the same command goes on"),
    (f"train --train reviews.csv {MODEL} train.patience=1 run.select=best eval.every=1 train.epochs=9 optim.lr=0 "
     "--out runs/early", 0, r"ends after step 2 of 18: 1 evaluation in a row no better than the best"),
    (f"train --train reviews.csv {MODEL} train.class_weights=1,2.5 train.label_smoothing=0.1 optim.clip=none "
     "run.select=best run.metric=macro_f1 --out runs/weights", 0, r"the run is in runs/weights"),
    (f"train --train reviews.csv {MODEL} train.class_weights=1,2,3 --out runs/three-weights", 1,
     r'expected none, balanced, or 2 numbers .* from "bad" to "good"'),
    (f"train --train reviews.csv {MODEL} train.epochs=4 --out runs/reviews", 1,
     r"of 6 steps, which cannot go on to 8: its learning rates depend on", r"run\.overwrite=true"),
    (f"train --train reviews.csv {MODEL} {LONGER} train.epochs=1 --out runs/longer", 0, r"2 steps"),
    (f"train --train reviews.csv {MODEL} {LONGER} train.epochs=2 --out runs/longer", 0, r"goes on after step 2 of 4"),
    ("train --keys lr", 0, r"\* optim\.lr ", r"optim\.head_lr", r"^(?![\s\S]*run\.overwrite)"),
    ("train --keys 'optim.*'", 0, r"optim\.warmup", r"^(?![\s\S]*train\.epochs)"),
    ("train --keys learning_rate", 1, r"here it is 'optim\.lr'"),
    ("train --keys qqqq", 1, r"none is like it; autodidact train --keys lists all"),
    (f"train --train reviews.csv {MODEL} --plan", 0, r"memory +[\d.]+ MB a rank", r"steps +6, 2 an epoch"),
    # Many runs.
    ("runs", 0, r"run +state +step ", r"\./runs/reviews +finished +6 +6 "),
    ("runs runs --csv", 0, r"^run,state,step,steps,", r"runs/reviews,finished,6,6,"),
    ("runs runs --sort error", 0, r"runs/three[\s\S]*runs/reviews|runs/reviews"),
    ("runs runs --sort errors", 1, r"no column 'errors', expected one of .*dev\.error"),
    ("inspect reviews.csv", 1, r"found text, expected a safetensors file \(`autodidact data FILE`"),
    ('predict folder --text "a good film" --text "a bad one"', 1, r"--text stands there twice"),
    ("runs nowhere", 1, r"nowhere: No such file"),
    ("diff runs/reviews runs/word runs/weights", 1, r"B: runs/word\n\nInputs: no difference that could give other bits",
     r"Log and result are equal to the bit", r"B: runs/weights\n\nInputs that differ:\n  run\.select",
     r"1 of 2 runs are not equal to runs/reviews"),
    ("diff runs/reviews", 1, r"an argument is missing"),
    ("report runs/reviews --out page", 0, r"error \d", ("page/report.html", r"<svg")),
    ("report runs/reviews runs/weights page --out two", 0, r"weights: finished", ("two/report.html", r"weights")),
    ("report runs", 1, r"one with runs: name some of them"),
    ("report runs/reviews --html page.html", 1, r"DIR/report\.html is the page"),
    ("export runs/reviews --tensorboard events", 0, r"6 steps and 3 evaluations .*tensorboard --logdir events"),
    ("inspect runs/reviews", 0, r"runs/reviews: a finished run", r"model\.path: \"model\""),
    ("verify runs/reviews", 0, r"all 9 good"),
    # Studies.
    ("study plan study.yaml", 0, r"\n +2 +6 .* smooth\n", r"1 rank a training"),
    ("study status study.yaml --html waiting.html", 0, r"smooth +2 +0 +0 +2 ", ("waiting.html", r"<html")),
    ("study run study.yaml", 0, r"4 of 4 finished"),
    ("study status study.yaml --watch --html done.html", 0, r"100\.0 % of the work is done", ("done.html", r"smooth")),
    ("study report study.yaml", 0, r"smooth against base"),
    ("study study.yaml", 1, r"study run study\.yaml"),
    ("train study.yaml", 1, r"`autodidact study run` takes the file of a study"),
    ("report studies/s", 1, r"found that of a study: `study report STUDY\.yaml`"),
    # Other words for commands.
    ("--cite", 0, r"@software\{autodidact,", r"@misc\{autodidact_paper,"),
    ("cite", 1, r"here it is `autodidact --cite`"),
    ("test runs/reviews", 1, r"here it is `autodidact eval RUN --data test`"),
    ("evaluate runs/reviews", 1, r"did you mean eval\?"),
    ("compare runs/a runs/b", 1, r"here it is `autodidact diff RUN_A RUN_B`"),
    ("tensorboard runs/reviews", 1, r"here it is `autodidact export RUN --tensorboard DIR`"),
    ("list", 1, r"here it is `autodidact runs FOLDER`"),
]
# Runs of the same data by other words: the same bits.
SAME = ["runs/word", "runs/keys", "runs/again", "runs/own", "runs/written"]


def holds(pattern, output):
    """Whether the output matches, or for a pair the file that it names."""
    if isinstance(pattern, str):
        return re.search(pattern, output)
    path = Path(pattern[0])
    return path.is_file() and re.search(pattern[1], path.read_text())


def check(number, command, code, patterns):
    words, _, given = command.partition(" < ")
    with open(given or os.devnull, encoding="utf-8") as stdin:
        done = subprocess.run([PROGRAM, *shlex.split(words)], stdin=stdin, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
    missing = [pattern for pattern in patterns if not holds(pattern, done.stdout)]
    if done.returncode != code or missing:
        sys.exit(f"guess {number}, autodidact {command}: exit code {done.returncode}, expected {code}; "
                 f"missing {missing} in\n{done.stdout}")


def near(found, expected, what):
    if not abs(found - expected) <= 1e-8:
        sys.exit(f"{what}: found {found}, expected {expected}")


def check_numbers():
    """What several commands say of one thing is the same. p.csv has nine digits of each probability."""
    labels = [row[2] for row in csv.reader(io.StringIO(Path("reviews.csv").read_text("utf-8-sig")), delimiter=";")][1:]
    predicted = list(csv.DictReader(Path("p.csv").open(encoding="utf-8", newline="")))
    if Path("gzip.csv").read_bytes() != Path("p.csv").read_bytes():
        sys.exit("gzip.csv differs from p.csv")
    said = subprocess.run([PROGRAM, "eval", "runs/reviews", "--data", "reviews.csv", "--json"], capture_output=True,
                          check=True)
    scores = json.loads(said.stdout)
    near(scores["error"], sum(r["class"] != n for r, n in zip(predicted, labels, strict=True)) / 60, "eval, error")
    near(scores["loss"], -sum(math.log(float(r[f"probability.{n}"])) for r, n in zip(predicted, labels)) / 60,
         "eval, loss")
    dev = json.loads(Path("runs/reviews/result.json").read_text())["dev"]
    report = json.loads(Path("page/report.json").read_text())["sections"]["runs"]["tables"]["runs"][0]
    table = subprocess.run([PROGRAM, "runs", "runs/reviews", "--csv"], capture_output=True, text=True, check=True)
    row = next(csv.DictReader(io.StringIO(table.stdout)))
    for score in ("error", "accuracy", "macro_f1", "matthews", "loss"):
        near(report[score], dev[score], f"report, {score}")
        near(float(row[f"dev.{score}"]), dev[score], f"runs, {score}")


def main():
    write_data()
    for number, (command, code, *patterns) in enumerate(GUESSES, 1):
        check(number, command, code, patterns)
    check_numbers()
    for run in SAME:
        for name in ("log.jsonl", "model/model.safetensors"):
            if (Path(run) / name).read_bytes() != (Path("runs/reviews") / name).read_bytes():
                sys.exit(f"{run}/{name} differs from that of runs/reviews")
    print(f"{len(GUESSES)} guesses, {len(SAME)} runs with the same bits")


if __name__ == "__main__":
    main()
