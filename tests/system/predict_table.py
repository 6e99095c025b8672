#!/usr/bin/env python3
"""predict as a table: header, quoting, own columns, probabilities, in each format, from files, pipes and gzip.

    predict_table.py    in the folder of recipes.sh, whose runs it asks

The softmax of the logits that plain lines print is computed here, and files are read back by Python's csv and json."""

import csv
import gzip
import io
import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))

from predict import ABOUT, LOCAL, PROGRAM, TEXTS, run, trained, write

EXCEL = "\ufeff" + "id,sentence,label\r\n"  # as Excel saves "CSV UTF-8"
HARD = ['a "good" film', "dull, not bright", "the plot\nis not a story", "=bad;", "아주 좋은 story"]


def softmax(logits):
    values = [math.exp(x - max(logits)) for x in logits]
    return [value / sum(values) for value in values]


def wanted(folder, texts):
    """(class, logits) of each text, one at a time, by --text; None for a row that cannot be read."""
    found = []
    for text in texts:
        line = [] if text is None else run(PROGRAM, "predict", folder, "--text", text, "--logits").stdout.split("\t")
        found.append(None if text is None else (line[0], [float(x) for x in line[1:]]))
    return found


def close(name, found, expected):
    """Nine digits are printed."""
    if not (len(found) == len(expected) and all(abs(float(a) - b) <= 2e-9 for a, b in zip(found, expected))):
        sys.exit(f"{name}: found {found}, expected {expected}")


def same(name, found, expected):
    if found != expected:
        sys.exit(f"{name}: found {found!r}, expected {expected!r}")


def refused(name, folder, *command, message):
    done = run(PROGRAM, "predict", folder, *command, code=1)
    if re.search(message, done.stderr) is None or done.stdout:
        sys.exit(f"{name}: expected /{message}/, found {done.stderr!r} and {done.stdout!r}")


def table(path, delimiter=","):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file, delimiter=delimiter, strict=True))


def quoted(rows):
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def csv_table():
    """A file as Excel writes it gives a table that lines up with it; what a spreadsheet must quote comes back."""
    layout = "format: csv\nheader: true\ncolumns: {text: sentence, label: label}\n"
    known = quoted([[i, text, i % 2] for i, text in enumerate(TEXTS)])
    folder = trained("excel", ABOUT + layout, {"train": EXCEL + known})
    rows = [[str(i * 10), text, "?"] for i, text in enumerate(HARD)]
    write("excel.csv", EXCEL + quoted(rows))
    expected = wanted(folder, HARD)
    run(PROGRAM, "predict", folder, "--data", "excel.csv", "--out", "out.csv", "--keep")
    header, *found = table("out.csv")
    same("header", header, ["row", "id", "sentence", "label", "class", "probability.negative", "probability.positive"])
    for i, row in enumerate(found):
        same("own columns", row[:5], [str(i + 1), *rows[i], expected[i][0]])
        close("probabilities", row[5:], softmax(expected[i][1]))
    same("rows", len(found), len(rows))
    run(PROGRAM, "predict", folder, "--data", "excel.csv", "--out", "out.tsv", "--keep",
        "--columns", "number, confidence,logits")
    header, *found = table("out.tsv", "\t")
    same("tsv, header", header, ["id", "sentence", "label", "number", "confidence", "logit.negative", "logit.positive"])
    for i, row in enumerate(found):
        number = ["negative", "positive"].index(expected[i][0])
        same("tsv, own columns", row[:4], [*rows[i], str(number)])
        close("tsv, numbers", row[4:], [max(softmax(expected[i][1])), *expected[i][1]])
    run(PROGRAM, "predict", folder, "--data", "excel.csv", "--out", "out.jsonl", "--keep")
    for i, line in enumerate(Path("out.jsonl").read_text(encoding="utf-8").splitlines()):
        row = json.loads(line)
        same("jsonl", {**row, "probabilities": 0}, {"row": i + 1, "id": rows[i][0], "sentence": HARD[i], "label": "?",
                                                    "class": expected[i][0], "probabilities": 0})
        close("jsonl, probabilities", list(row["probabilities"].values()), softmax(expected[i][1]))
        same("jsonl, classes", list(row["probabilities"]), ["negative", "positive"])
    sources(folder)
    refusals(folder)


def sources(folder):
    """A pipe, gzip of one member or of two, and any number of ranks give the bytes that the file gives."""
    plain = Path("excel.csv").read_bytes()
    Path("excel.csv.gz").write_bytes(gzip.compress(plain))
    Path("two.csv.gz").write_bytes(gzip.compress(plain[:40]) + gzip.compress(plain[40:]))
    expected = run(PROGRAM, "predict", folder, "--data", "excel.csv", "--format", "csv", "--keep").stdout
    same("standard output", expected.replace("\r\n", "\n"), Path("out.csv").read_text(encoding="utf-8"))
    same("a file without --data", run(PROGRAM, "predict", folder, "excel.csv", "--format", "csv", "--keep").stdout,
         expected)
    ranks = f"'{LOCAL}' -n 2"
    for command in (f"'{PROGRAM}' predict {folder} --data excel.csv.gz",
                    f"'{PROGRAM}' predict {folder} --data two.csv.gz",
                    f"cat excel.csv | '{PROGRAM}' predict {folder} --data -",
                    f"'{PROGRAM}' predict {folder} --data - <excel.csv.gz",
                    f"'{PROGRAM}' predict {folder} --data <(cat excel.csv)",
                    f"cat two.csv.gz | {ranks} predict {folder} --data -",
                    f"{ranks} predict {folder} --data excel.csv.gz"):
        same(command, run("bash", "-c", f"{command} --format csv --keep").stdout, expected)
    run("bash", "-c", f"{ranks} predict {folder} --data - --out ranks.csv --keep <excel.csv")
    same("ranks", Path("ranks.csv").read_bytes(), Path("out.csv").read_bytes())
    whole = gzip.compress(plain)
    for name, data, message in (("cut", whole[:-9], "gzip: .*the file ends here"),
                                ("damaged", whole[:-6] + b"\0" + whole[-5:], "gzip: .*incorrect data check"),
                                ("behind", whole + b"x", "gzip: .*other bytes")):
        Path("bad.csv.gz").write_bytes(data)
        refused(f"gzip, {name}", folder, "--data", "bad.csv.gz", message=rf"bad\.csv\.gz: {message}")
    labelled = EXCEL + quoted([[i, text, i % 2] for i, text in enumerate(TEXTS)])
    Path("labelled.csv.gz").write_bytes(gzip.compress(labelled.encode()))
    same("eval", run("bash", "-c", f"'{PROGRAM}' eval {folder} --data - --json <labelled.csv.gz").stdout,
         run(PROGRAM, "eval", folder, "--data", write("labelled.csv", labelled), "--json").stdout)


def refusals(folder):
    before = Path("out.csv").read_bytes()
    data = ("--data", "excel.csv")
    for name, command, message in [
            ("no ending", (*data, "--out", "out"), r"--out out: its ending .*\.csv, \.tsv or \.jsonl"),
            ("another ending", (*data, "--out", "out.xlsx"), r"--format"),
            ("a folder", (*data, "--out", "."), r"a folder"),
            ("a device", (*data, "--out", "/dev/null", "--format", "csv"), r"a pipe or a device"),
            ("the data", (*data, "--out", "excel.csv"), r"that is the data"),
            ("no folder", (*data, "--out", "nowhere/out.csv"), r"there is no folder nowhere"),
            ("no name", (*data, "--out", ""), r"the name of a file"),
            ("two files", ("excel.csv", *data), r"found 'excel.csv' and --data"),
            ("a column", (*data, "--columns", "row,clas"), r"found 'clas', expected row, own, class"),
            ("a column twice", (*data, "--columns", "row,row"), r"row twice"),
            ("columns without commas", (*data, "--columns", "row class"), r"commas"),
            ("a format", (*data, "--format", "xml"), r"'xml', expected csv, tsv, jsonl"),
            ("logits", (*data, "--out", "out.csv", "--logits"), r"--columns row,class,logits"),
            ("no data", (), r"--data FILE is missing .*standard input"),
            ("both", (*data, "--text", "good"), r"both --data and --text"),
            ("a pair", ("--text", "good", "--pair", "bad"), r"single texts"),
            ("a pair alone", (*data, "--pair", "bad"), r"expected --text"),
            ("white space", ("--text", " \t"), r"nothing but white space"),
            ("columns of a text", ("--text", "good", "--keep"), r"--text has no columns"),
            ("a broken row", ("--data", write("broken.csv", EXCEL + "1,good\r\n"), "--out", "out.csv"),
             r"broken\.csv:2: found 2 columns")]:
        refused(name, folder, *command, message=message)
    same("a file that was there", Path("out.csv").read_bytes(), before)
    done = run(PROGRAM, "predict", folder, "--data", "-", code=1)  # standard input is empty or no file
    if Path("out.csv.partial").exists() or not done.stderr:
        sys.exit("something is left, or nothing said")


def skipped_rows():
    """A row that cannot be read keeps its number and its own columns, and has no prediction."""
    layout = "format: tsv\nheader: true\ncolumns: {text: sentence, label: label}\nincomplete: skip\nempty: skip\n"
    text = "sentence\tlabel\n" + "".join(f"{text}\t{i % 2}\n" for i, text in enumerate(TEXTS))
    folder = trained("gaps", ABOUT + layout, {"train": text})
    write("gaps.tsv", "sentence\tlabel\tclass\n\t1\tx\ngood film\t1\ty\nbroken\ndull\t0\tz\n")
    expected = wanted(folder, [None, "good film", None, "dull"])
    run(PROGRAM, "predict", folder, "--data", "gaps.tsv", "--out", "gaps.csv", "--keep")
    header, *found = table("gaps.csv")
    same("a name that is taken", header[1:5], ["sentence", "label", "own.class", "class"])
    same("gaps", [row[:5] for row in found],
         [["1", "", "1", "x", ""], ["2", "good film", "1", "y", expected[1][0]], ["3", "broken", "", "", ""],
          ["4", "dull", "0", "z", expected[3][0]]])
    same("no prediction", [row[5:] for row in found if not row[4]], [["", ""], ["", ""]])
    found = run(PROGRAM, "predict", folder, "--data", "gaps.tsv", "--format", "jsonl", "--keep").stdout.splitlines()
    same("gaps, jsonl", json.loads(found[2]), {"row": 3, "sentence": "broken", "class": None, "probabilities": None})
    found = run(PROGRAM, "predict", folder, "--data", "gaps.tsv", "--columns", "class").stdout.splitlines()
    same("a table of one column", found, ["class", '""', expected[1][0], '""', expected[3][0]])
    refused("a selection", "run-data.train_rows=6", "--data", "train", "--keep",
            message="the train split .* is a selection")


def own_json():
    """JSON lines keep values of any type; in CSV they are their JSON text, and what is not there is empty."""
    rows = [{"sentence1": "good film", "sentence2": "bad plot", "n": 0.1, "big": 2 ** 53, "tags": ["a", 1], "no": None},
            {"extra": "x", "sentence1": "dull", "sentence2": "the \"plot\"", "ok": True}]
    write("own.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    found = [json.loads(line) for line in run(PROGRAM, "predict", "run-snli", "--data", "own.jsonl", "--format",
                                              "jsonl", "--columns", "row,own").stdout.splitlines()]
    same("own.jsonl", found, [{"row": i + 1, **row} for i, row in enumerate(rows)])
    found = list(csv.reader(io.StringIO(run(PROGRAM, "predict", "run-snli", "--data", "own.jsonl", "--columns",
                                            "own").stdout)))
    same("own.jsonl as CSV", found, [["sentence1", "sentence2", "n", "big", "tags", "no", "extra", "ok"],
                                     ["good film", "bad plot", "0.1", str(2 ** 53), '["a",1]', "", "", ""],
                                     ["dull", 'the "plot"', "", "", "", "", "x", "true"]])
    pair = run(PROGRAM, "predict", "run-snli", "--text", "good film", "--pair", "bad plot", "--logits").stdout
    lines = run(PROGRAM, "predict", "run-snli", "--data", "own.jsonl", "--logits").stdout.splitlines(keepends=True)
    same("--pair", pair, lines[0])
    refused("half of a pair", "run-snli", "--text", "good film", message="trained on pairs, expected .*--pair")


def other_layouts():
    """Without a header columns have numbers; plain text has text and pair; a folder has its files' names."""
    write("plain.csv", '"a title","good film"\n"another","bad plot"\n')
    found = list(csv.reader(io.StringIO(run(PROGRAM, "predict", "run-agnews", "--data", "plain.csv", "--columns",
                                            "own").stdout)))
    same("no header", found, [["column1", "column2"], ["a title", "good film"], ["another", "bad plot"]])
    write("plain.txt", "\ufeffgood film\r\nbad plot\tthe film\n")
    found = run(PROGRAM, "predict", "run", "--data", "plain.txt", "--lines", "--columns", "row,own").stdout
    same("lines", found, "row,text,pair\n1,good film,\n2,bad plot,the film\n")
    shutil.rmtree("few", ignore_errors=True)
    write("few/one.txt", "good film")
    write("few/two.txt", "bad plot")
    found = run(PROGRAM, "predict", "run-imdb", "--data", "few", "--columns", "row,own").stdout
    same("folder", found, "row,file\n1,one.txt\n2,two.txt\n")


def stopped():
    """A run that is not finished gives what its newest checkpoint gives: here the last step's, which made model/."""
    keys = ["train.epochs=4", "checkpoint.every=5", "checkpoint.keep=9", "checkpoint.finished=true"]
    for name, more in (("plain", []), ("taught", ["teacher.method=ema", "teacher.decay=0.9", "model.freeze=embeddings",
                                                  "run.variants=true", "run.result=student"])):
        run(PROGRAM, "train", "config.yaml", f"run.dir=finished-{name}", *keys, *more)
        shutil.rmtree(f"cut-{name}", ignore_errors=True)
        shutil.copytree(f"finished-{name}", f"cut-{name}", ignore=shutil.ignore_patterns("result.json", "model",
                                                                                        "variants"))
        for model in ("student", "teacher")[:1 + bool(more)]:
            how = ("--data", "data/test.tsv", "--logits", "--model", model)
            done = run(PROGRAM, "predict", f"cut-{name}", *how)
            same(f"{name}, {model}", done.stdout, run(PROGRAM, "predict", f"finished-{name}", *how).stdout)
            if f"the {model} of its checkpoint of step 12 of 12 is used" not in done.stderr:
                sys.exit(f"{name}: says {done.stderr!r}")
    found = json.loads(run(PROGRAM, "eval", "cut-plain", "--data", "test", "--json").stdout)
    expected = json.loads(run(PROGRAM, "eval", "finished-plain", "--data", "test", "--json").stdout)
    same("eval", found, {**expected, "checkpoint": 12})
    os.truncate("cut-plain/checkpoints/step-000000012.h5", 3000)
    done = run(PROGRAM, "eval", "cut-plain", "--data", "test", "--json")
    if json.loads(done.stdout)["checkpoint"] != 10 or "the checkpoint before it is tried" not in done.stderr:
        sys.exit(f"a damaged checkpoint: {done.stderr}")
    refused("no teacher", "cut-plain", "--data", "test", "--model", "teacher", message="expected --model student")
    shutil.rmtree("cut-plain/checkpoints")
    refused("no checkpoint", "cut-plain", "--data", "test", message="no result.json, and no checkpoint yet")


if __name__ == "__main__":
    for part in (csv_table, skipped_rows, own_json, other_layouts, stopped):
        part()
        print(f"ok   predict, {part.__name__}")
