#!/usr/bin/env python3
"""predict prints a line for each row of a file, whatever stands in place of the labels, and the line is that of the
row's text.

    predict.py    in the folder of recipes.sh, whose runs it asks

What a text's line must be is asked by `predict --lines`. Python's standard library only."""

import collections
import json
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))

PROGRAM = os.environ["AD_PROGRAM"]
LOCAL = Path(os.environ["AD_SOURCE"]) / "launch/local"
os.environ["AUTODIDACT_PROGRAM"] = PROGRAM  # for launch/local
TEXTS = ["a good film", "dull, not bright", "the plot is not a story", "bad", "very very good story"]
PAIR = "the plot is good"
WORDS = ["good", "bad", "film", "plot", "the", "a", "is", "not", "very", "dull"]
WIDE = "\u3000 \u00a0\u2028"  # white space, not one character of it ASCII's but the second


def run(*command, code=0):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != code:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}, "
                 f"expected {code}\n{done.stdout}{done.stderr}")
    return done


def lines_of(folder, texts):
    """The line of each text, by --lines; None: a row that cannot be read."""
    Path("lines.txt").write_text("".join(f"{text}\n" for text in texts if text is not None))
    found = iter(run(PROGRAM, "predict", folder, "--data", "lines.txt", "--lines", "--logits").stdout.split("\n"))
    return ["" if text is None else next(found) for text in texts]


def check(name, folder, path, texts, warning=None, program=(PROGRAM,)):
    """`path` holds rows with these texts."""
    done = run(*program, "predict", folder, "--data", path, "--logits")
    expected = lines_of(folder, texts)
    if done.stdout.split("\n") != [*expected, ""]:
        sys.exit(f"{name}: found {done.stdout!r}, expected {expected}")
    if (re.search(warning, done.stderr) is None) if warning else ("warning" in done.stderr):
        sys.exit(f"{name}: expected {warning} on standard error, found {done.stderr!r}")
    if len(set(expected)) < 2:
        sys.exit(f"{name}: all lines alike, so order is not seen")
    classes = [line.split("\t")[0] for line in expected]
    if run(*program, "predict", folder, "--data", path).stdout.split("\n") != [*classes, ""]:
        sys.exit(f"{name}: without --logits other lines")


def refused(name, folder, path, *patterns, command="predict"):
    done = run(PROGRAM, command, folder, "--data", path, code=1)
    for pattern in patterns:
        if re.search(pattern, done.stderr) is None:
            sys.exit(f"{name}: expected /{pattern}/, found {done.stderr!r}")
    if done.stdout:
        sys.exit(f"{name}: printed {done.stdout!r}")


def write(path, text):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")
    return path


def csv():
    quoted = [f'"a title","{text}"' for text in TEXTS]
    joined = [f"a title {text}" for text in TEXTS]
    for name, rows in [("known labels", [f'"{i % 4 + 1}",{row}' for i, row in enumerate(quoted)]),
                       ("-1", [f'-1,{row}' for row in quoted]),
                       ("empty labels", [f",{row}" for row in quoted]), ("no column", quoted),
                       ("empty lines at the end", [*quoted, "", ""])]:
        check(f"csv, {name}", "run-agnews", write("rows.csv", "".join(f"{row}\n" for row in rows)), joined)
    rows = "".join(f"1,{row}\n" for row in quoted)
    refused("csv, a broken row", "run-agnews", write("rows.csv", rows + '1,"good"\n' + rows),
            r"rows\.csv:6: found 2 columns, expected 3")
    refused("csv, an empty line between rows", "run-agnews", write("rows.csv", rows + "\n" + rows),
            r"rows\.csv:6: an empty line")
    refused("csv, an empty text", "run-yelp-full", write("rows.csv", '"1",""\n'), r"rows\.csv:1: an empty text",
            "key \"empty\"")


def jsonl():
    def rows(change):
        return "".join(json.dumps(change({"sentence1": text, "sentence2": PAIR, "gold_label": "neutral"}, i)) + "\n"
                       for i, text in enumerate(TEXTS))
    pairs = [f"{text}\t{PAIR}" for text in TEXTS]
    for name, change in [("known", lambda row, i: row),
                         ("skipped", lambda row, i: {**row, "gold_label": "-"} if i % 2 else row),
                         ("-1", lambda row, i: {**row, "gold_label": -1}),
                         ("empty", lambda row, i: {**row, "gold_label": ""}),
                         ("lists", lambda row, i: {**row, "gold_label": [1, None]}),
                         ("null", lambda row, i: {**row, "gold_label": None}),
                         ("none", lambda row, i: {key: value for key, value in row.items() if key != "gold_label"})]:
        for folder in ("run-snli", "run-mnli"):
            check(f"jsonl, labels {name}", folder, write("rows.jsonl", rows(change)), pairs)
    refused("jsonl, no text", "run-snli", write("rows.jsonl", rows(lambda row, i: {} if i == 2 else row)),
            r"rows\.jsonl:3: no key \"sentence1\"")
    refused("jsonl, a number", "run-snli",
            write("rows.jsonl", rows(lambda row, i: {**row, "sentence2": 5} if i == 2 else row)),
            r"rows\.jsonl:3:", "sentence2")
    skipping = write("rows.jsonl", rows(lambda row, i: {**row, "gold_label": "-"} if i in (1, 3) else row))
    if not re.search(r"^2 rows of the file are not among the examples",
                     run(PROGRAM, "eval", "run-snli", "--data", skipping).stdout, re.M):
        sys.exit("eval does not say how many rows were left out")
    if json.loads(run(PROGRAM, "eval", "run-snli", "--data", skipping, "--json").stdout)["skipped"] != 2:
        sys.exit("eval --json does not say how many rows were left out")
    for more, precision in ((), "float32"), (("--precision", "bf16"), "bfloat16"):
        found = json.loads(run(PROGRAM, "eval", "run-snli", "--data", skipping, "--json", *more).stdout)
        if found["computed_in"] != precision:
            sys.exit("eval --json does not say its precision")


def folder():
    shutil.rmtree("texts", ignore_errors=True)
    for i, text in enumerate(TEXTS):
        write(f"texts/{('neg', 'pos')[i % 2]}/{i}", text)
    check("folder", "run-imdb", "texts", TEXTS[::2] + TEXTS[1::2])
    shutil.rmtree("texts/neg")
    check("folder, one class", "run-imdb", "texts", TEXTS[1::2])
    shutil.rmtree("texts/pos")
    for i, text in enumerate(TEXTS):
        write(f"texts/{i}.txt", text)
    check("folder without labels", "run-imdb", "texts", TEXTS)


def trained(name, descriptor, files, *keys):
    """A run on data of this layout."""
    write(f"{name}.yaml", descriptor)
    for path, text in files.items():
        write(f"data-{name}/{path}", text)
    run(PROGRAM, "train", "config.yaml", f"run.dir=run-{name}", f"data.descriptor={name}.yaml",
        f"data.folder=data-{name}", "train.steps=2", *keys)
    return f"run-{name}"


ABOUT = ("title: T\nsource: S\nlicence: L\nclasses: [negative, positive]\nlabels: {\"0\": negative, \"1\": positive}\n"
         "splits: {train: {file: train}}\n")


def tsv():
    table = "sentence\tlabel\n" + "".join(f"{text}\t{i % 2}\n" for i, text in enumerate(TEXTS))
    layout = "format: tsv\nheader: true\ncolumns: {text: sentence, label: label}\n"
    run_folder = trained("tsv", ABOUT + layout + "skip: \"-\"\nincomplete: skip\n",
                         {"train": table + "a film\t-\nfilm\n\n\n"})
    rows = ["good film\t1", "bad plot\t-", "broken", "dull\t7", "", f"{WIDE}\t1", "the film\t"]
    texts = ["good film", "bad plot", None, "dull", None, None, "the film"]
    path = write("rows.tsv", "sentence\tlabel\n" + "".join(f"{row}\n" for row in rows))
    warning = r"rows\.tsv: 3 of 7 rows could not be read, their lines of output are empty: lines 4, 6, 7\n"
    check("tsv, broken rows", run_folder, path, texts, warning)
    check("tsv, broken rows, 2 ranks", run_folder, path, texts, warning, program=(LOCAL, "-n", 2))
    broken = "sentence\tlabel\n" + "broken\n" * 12 + "good film\t1\ndull\t0\n"
    check("tsv, many broken rows", run_folder, write("rows.tsv", broken), [None] * 12 + ["good film", "dull"],
          r"12 of 14 rows .*: lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, \.\.\.\n")
    check("tsv, no label column", run_folder,
          write("rows.tsv", "x\tsentence\n" + "".join(f"\t{text}\n" for text in TEXTS)), TEXTS)
    check("tsv, GLUE's hidden labels", run_folder,
          write("rows.tsv", "sentence\tlabel\n" + "".join(f"{text}\t-1\n" for text in TEXTS)), TEXTS)
    refused("tsv, a label that is none", run_folder, write("rows.tsv", "sentence\tlabel\ngood\t-1\n"),
            r"rows\.tsv:2: unknown label \"-1\"", command="eval")
    skipping = trained("skipping", ABOUT + layout + "empty: skip\n", {"train": table})
    found = run(PROGRAM, "eval", skipping, "--data",
                write("rows.tsv", f"sentence\tlabel\ngood\t1\n{WIDE}\t1\n\t0\nbad\t0\n")).stdout
    if not re.search(r"^examples +2$", found, re.M) or not re.search(r"^2 rows of the file are not among", found, re.M):
        sys.exit(f"empty: skip: found {found}")
    check("empty: skip", skipping, "rows.tsv", ["good", None, None, "bad"], r"2 of 4 rows .*: lines 3, 4\n")
    allowing = trained("allowing", ABOUT + layout + "empty: allow\n", {"train": table + f"{WIDE}\t1\n"})
    check("empty: allow", allowing, "rows.tsv", ["good", WIDE, "", "bad"])
    refused("white space alone", "run", write("data/white.tsv", f"sentence\tlabel\ngood\t1\n{WIDE}\t1\n"),
            r"white\.tsv:3: an empty text", "key \"empty\"")


def wordnet():
    synsets = "".join(f"0000{i:04} {i % 2:02} n 01 entity 0 000 | {text}\n" for i, text in enumerate(TEXTS))
    about = ABOUT.replace('{"0": negative, "1": positive}', '{"00": negative, "01": positive}')
    folder = trained("wordnet", about + "format: wordnet\nskip: \"07\"\n", {"train": "  1 a licence\n" + synsets})
    check("wordnet, other numbers", folder,
          write("rows.noun", re.sub(r"^(\d{8}) 0\d", r"\1 07", synsets, flags=re.M)), TEXTS)


def pipe():
    """Standard input and a shell's <(...) are read as the file is."""
    expected = run(PROGRAM, "predict", "run", "--data", "data/test.tsv").stdout
    for command in ("cat data/test.tsv | {} --data /dev/stdin", "{} --data /dev/stdin <data/test.tsv",
                    "{} --data <(cat data/test.tsv)"):
        found = run("bash", "-c", command.format(f"'{PROGRAM}' predict run")).stdout
        if found != expected or not found:
            sys.exit(f"{command}: found {found!r}, expected {expected!r}")


def width(text):
    """Columns on a terminal."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def aligned(name, lines, *places):
    """In each line something ends, or with a negative number begins, in these columns."""
    for line in lines:
        for place in places:
            before = "".join(c for i, c in enumerate(line) if width(line[:i + 1]) <= place)
            if width(before) != place or before.endswith(" ") or line[len(before):len(before) + 1] not in ("", " "):
                sys.exit(f"{name}: nothing ends in column {place} of {line!r}")


def classes():
    """Two classes with Korean names: the table lines up. A thousand: there is none, and --json has all of it."""
    names = ["\ubd80\uc815", "\uae0d\uc815\uc801"]
    about = ("title: T\nsource: S\nlicence: L\nformat: tsv\nheader: true\ncolumns: {text: sentence, label: label}\n"
             "splits: {train: {file: train}}\n")
    table = "sentence\tlabel\n" + "".join(f"{text}\t{names[i % 2]}\n" for i, text in enumerate(TEXTS))
    folder = trained("korean", about + f"classes: [{', '.join(names)}]\n", {"train": table})
    lines = run(PROGRAM, "eval", folder, "--data", "data-korean/train").stdout.splitlines()[-3:]
    aligned("eval", lines, 6, 6 + 2 + 9, 6 + 2 + 9 + 2 + 6)
    lines = [line for line in run(PROGRAM, "data", f"{folder}/config.yaml").stdout.splitlines()
             if any(name in line for name in names)]
    aligned("data", lines, 8, 44)
    names = [f"\ubd84\ub958 {i}" for i in range(1000)]
    rows = [(f"{WORDS[i % 7]} {WORDS[i % 10]} {WORDS[i % 9]}", i * 7 % 1000) for i in range(1500)]
    table = "sentence\tlabel\n" + "".join(f"{text}\t{names[label]}\n" for text, label in rows)
    folder = trained("many", about + f"classes: [{', '.join(names)}]\n", {"train": table}, "train.steps=1")
    found = json.loads(run(PROGRAM, "eval", folder, "--data", "data-many/train", "--json").stdout)
    predicted = [names.index(line)
                 for line in run(PROGRAM, "predict", folder, "--data", "data-many/train").stdout.splitlines()]
    counts = collections.Counter((label, guess) for (_, label), guess in zip(rows, predicted))
    if found["confusion"] != [[*pair, count] for pair, count in sorted(counts.items())]:
        sys.exit("eval --json: another confusion matrix")
    for c, entry in enumerate(found["classes"]):
        right, support, guessed = counts[c, c], sum(label == c for _, label in rows), predicted.count(c)
        expected = {"class": names[c], "precision": right / guessed if guessed else 0,
                    "recall": right / support if support else 0,
                    "f1": 2 * right / (support + guessed) if support + guessed else 0, "support": support}
        if any(entry[key] != value and not abs(entry[key] - value) <= 1e-15 for key, value in expected.items()):
            sys.exit(f"eval --json: class {c} is {entry}, expected {expected}")
    text = run(PROGRAM, "eval", folder, "--data", "data-many/train").stdout
    wrong = sorted(((-count, pair) for pair, count in counts.items() if pair[0] != pair[1]))
    head, *lines = text[text.index("the 20 largest of"):].splitlines()
    if head != f"the 20 largest of {len(wrong)} confusions:" or len(text.splitlines()) > 40:
        sys.exit(f"eval of a thousand classes: {text}")
    shown = [tuple(re.split(r" {2,}", line.strip())) for line in lines[1:]]
    if shown != [(names[label], names[guess], str(-count)) for count, (label, guess) in wrong[:20]]:
        sys.exit(f"eval of a thousand classes: {shown}, expected {wrong[:20]}")
    aligned("largest confusions", lines, max(width(line) for line in lines))


if __name__ == "__main__":
    run(PROGRAM, "train", "config.yaml")
    for part in (csv, jsonl, folder, tsv, wordnet, pipe, classes):
        part()
        print(f"ok   predict, {part.__name__}")
