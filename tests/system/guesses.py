#!/usr/bin/env python3
"""What new users type who have read nothing, and what they get: an exit code, and what the output says.

    guesses.py    in a folder of tiny.py; AD_PROGRAM is the program

The rows run one after another in one folder, so that a row may use what an earlier one has made. To add a guess, add a
row. Python's standard library only."""

import csv
import io
import json
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
    Path("train.csv").write_text(table([("text", "label"), *[(t, NAMES.index(n)) for t, n in rows]]))


MODEL = "--model model data.max_tokens=24"
# What is typed, the exit code, and patterns that its output (both streams) must match.
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
    (f"train --train korean.tsv {MODEL}", 0, r'text is column "document"', r"rows without text or label are left out"),
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
    (f"train --train plain.txt {MODEL}", 1, r"plain\.txt: found one column"),
    (f"train --train utf16.csv {MODEL}", 1, r"utf16\.csv: .*UTF-16"),
    (f"train --train /dev/stdin {MODEL}", 1, r"/dev/stdin: expected a file, found a device"),
    (f"train --train nowhere.csv {MODEL}", 1, r"nowhere\.csv"),
    ("train --train reviews.csv --model minilm-l6", 1, r"minilm-l6: there is no such folder here", r"--out DIR"),
    ("train --train reviews.csv --model someone/tiny", 1, r"could not be fetched", r"get-model someone/tiny"),
    ("train --train reviews.csv --model mdoel", 1, r"mdoel: there is no such folder"),
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
]
# Runs of the same data by other words: the same bits.
SAME = ["runs/word", "runs/keys", "runs/again", "runs/own", "runs/written"]


def check(number, command, code, patterns):
    done = subprocess.run([PROGRAM, *shlex.split(command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL, check=False)
    missing = [pattern for pattern in patterns if not re.search(pattern, done.stdout)]
    if done.returncode != code or missing:
        sys.exit(f"guess {number}, autodidact {command}: exit code {done.returncode}, expected {code}; "
                 f"missing {missing} in\n{done.stdout}")


def main():
    write_data()
    for number, (command, code, *patterns) in enumerate(GUESSES, 1):
        check(number, command, code, patterns)
    for run in SAME:
        for name in ("log.jsonl", "model/model.safetensors"):
            if (Path(run) / name).read_bytes() != (Path("runs/reviews") / name).read_bytes():
                sys.exit(f"{run}/{name} differs from that of runs/reviews")
    print(f"{len(GUESSES)} guesses, {len(SAME)} runs with the same bits")


if __name__ == "__main__":
    main()
