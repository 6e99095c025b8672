#!/usr/bin/env python3
"""Checks the long tables of a report against the run folders, by h5py, numpy and the standard library.

    tables.py check REPORT STUDY [ARM:STATES ...]   runs.csv, examples.csv and tables.h5 in the folder REPORT against
                                                    the study's folder; STATES as "good,good,missing", by seeds
    tables.py faults LIBRARY STUDY.yaml             calls that write the tables fail, one at a time
    tables.py lines DOCUMENT REPORT LANGUAGE        prints the code of a document that reads runs.csv in this language,
                                                    with its report's folder replaced"""

import csv
import errno
import hashlib
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

SOURCES = ["dev", "test", "student", "teacher", "window", "run"]
KINDS = {"S": "text", "i": "count", "f": "real", "b": "switch"}
SOME = {"runs": {"cell": "text", "optim.lr": "real", "seed.init": "count", "run.variants": "switch", "seconds": "real",
                 "teacher.window": "text", "dev.examples": "count", "dev.loss": "real"},
        "examples": {"arm": "text", "seed.order": "count", "right": "switch", "log_p.0": "real"}}


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


def number(text):
    return math.nan if text == "" else float(text)


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


def expect(place, found, expected):
    if not (same(found, expected) if isinstance(expected, float) else found == expected):
        sys.exit(f"tables.py: {place}: found {found!r}, expected {expected!r}")


def shown(name):
    """A name as CSV has it: a formula is none."""
    return "'" + name if name.startswith(("=", "+", "-", "@")) else name


def last_lines(study):
    """The line that counts of each cell."""
    lines = {}
    for path in sorted(Path(study, "records").glob("*.jsonl")):
        for line in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            old = lines.get(line["cell"])
            if old is None or (old["state"] != "done" and line["at"] >= old["at"]) or line["state"] == "done":
                lines[line["cell"]] = line
    return lines


def configuration(run):
    """config.yaml as {key: text}: sections of one level, scalars plain or in double quotes."""
    section, found = "", {}
    for line in (run / "config.yaml").read_text(encoding="utf-8").splitlines():
        if not line.startswith(" "):
            section = line.removesuffix(":")
        else:
            key, value = line.strip().split(": ", 1)
            found[f"{section}.{key}"] = json.loads(value) if value.startswith('"') else value
    return found


def check_scores(place, row, source, scores):
    columns = [c for c in row if re.fullmatch(rf"{source}\.(examples|error|accuracy|macro_f1|matthews|loss)", c)]
    assert len(columns) == 6, columns
    for column in columns:
        value = scores.get(column.split(".")[1]) if scores else None
        expect(f"{place} {column}", number(row[column]), math.nan if value is None else float(value))


def check_run(row, line, study, inputs):
    """A row of runs.csv against the cell's line and the run's folder. Returns the folder of a finished run."""
    place = f"{row['arm']} {row['cell']}"
    if line is None:
        for column in ("score", "seconds", "steps_done", "digest.weights", "status", "dev.error"):
            expect(f"{place} {column}", row[column], "")
        return None
    result = line.get("result") or {}
    expect(place, row["arm"], shown(line["arm"]))
    for column, key in {"steps_done": "step", "steps": "steps", "seconds": "seconds", "ranks": "ranks",
                        "ended": "at"}.items():
        expect(f"{place} {column}", number(row[column]), float(line[key]))
    for column in ("commit", "arithmetic", "status"):
        expect(f"{place} {column}", row[column], line[column])
    expect(f"{place} message", row["message"], line.get("message", ""))
    for key, value in line["axes"].items():
        expect(f"{place} {key}", row[key], value)
    for source in SOURCES:
        scores = result.get("dev") if source == "dev" else line.get("test") if source == "test" else \
            result.get("last", {}).get(source)
        check_scores(place, row, source, scores)
    expect(f"{place} score", number(row["score"]), result["dev"]["error"] if result else math.nan)
    expect(f"{place} digest.weights", row["digest.weights"], result.get("parameters", ""))
    for name, digest in zip(("descriptor", "train", "dev", "model"), inputs[line["arm"]].split()):
        expect(f"{place} digest.{name}", row[f"digest.{name}"], digest)
    run = Path(study, "runs", row["cell"])
    if line["state"] != "done":
        return None
    expect(f"{place} kept_step", number(row["kept_step"]), float(json.loads((run / "result.json").read_text())["step"]))
    given = json.loads((run / "inputs.json").read_text())
    for name in ("descriptor", "train", "dev"):
        expect(f"{place} digest.{name}", row[f"digest.{name}"], given[name]["digest"])
    for key, value in configuration(run).items():
        value = value.upper() if value in ("true", "false") else value
        real = re.fullmatch(r"[-+.\de]+", value)
        expect(f"{place} {key}", float(row[key]) if real else row[key], float(value) if real else shown(value))
    return run


def logits_file(run, variant, step):
    return run / "logits" / f"dev-{'' if variant == 'student' else variant + '-'}step-{step:08d}.h5"


def check_examples(rows, run, row):
    """The rows of a run in examples.csv, in their order."""
    import h5py
    import numpy as np
    path = logits_file(run, row["run.result"], int(row["kept_step"]))
    try:
        with h5py.File(path) as file:
            logits, labels = file["logits"][:].astype(np.float64), file["labels"][:]
    except OSError:
        expect(f"{path}: rows", len(rows), 0)
        return 0
    expect(f"{path}: rows", len(rows), len(labels))
    top = logits.max(1, keepdims=True)
    log_p = logits - top - np.log(np.exp(logits - top).sum(1, keepdims=True))
    for i, found in enumerate(rows):
        place = f"{path} example {i}"
        expect(place, (found["arm"], found["seed.init"], found["seed.order"], found["example"]),
               (row["arm"], row["seed.init"], row["seed.order"], str(i)))
        expect(f"{place} label", int(found["label"]), int(labels[i]))
        expect(f"{place} predicted", int(found["predicted"]), int(logits[i].argmax()))
        expect(f"{place} right", found["right"], "TRUE" if logits[i].argmax() == labels[i] else "FALSE")
        for c in range(logits.shape[1]):
            value = float(found[f"log_p.{c}"])
            if not abs(value - log_p[i, c]) <= 1e-6 * abs(log_p[i, c]) + 1e-12:
                sys.exit(f"tables.py: {place}: log_p.{c} is {value}, expected {log_p[i, c]}")
    return 1


def check_hdf5(path, name, rows):
    """A table of tables.h5 against its CSV: every value, types, attributes, storage."""
    import h5py
    with h5py.File(path) as file:
        assert file.attrs["format"] == 1 and file.attrs["study"] and file.attrs["result"]
        table = file[name]
        with open(path.with_name(f"{name}.csv"), newline="", encoding="utf-8") as text:
            expect(f"{name}: columns", sorted(table), sorted(next(csv.reader(text))))
        for column, kind in SOME[name].items():
            expect(f"{name}/{column}", KINDS[table[column].dtype.kind], kind)
        for column, dataset in table.items():
            place, kind = f"{name}/{column}", KINDS[dataset.dtype.kind]
            expect(f"{place}: rows", dataset.shape, (len(rows),))
            assert dataset.chunks and dataset.compression == "gzip" and dataset.shuffle, place
            assert dataset.attrs["meaning"] and "unit" in dataset.attrs, place
            values = dataset.asstr()[:] if kind == "text" else dataset[:]
            for row, value in zip(rows, values.tolist()):
                if kind == "text":
                    expect(place, shown(value), row[column])
                elif kind == "switch":
                    expect(place, "TRUE" if value else "FALSE", row[column])
                elif kind == "count":
                    expect(place, "" if value == -1 else str(value), row[column])
                elif dataset.dtype.itemsize == 4:
                    import numpy as np
                    expect(place, float(np.float32(value)), float(np.float32(number(row[column]))))
                else:
                    expect(place, float(value), number(row[column]))


def check(report, study, *states):
    report, lines = Path(report), last_lines(study)
    runs, examples = rows_of(report / "runs.csv"), rows_of(report / "examples.csv")
    plan = json.loads(Path(study, "plan.json").read_text())
    inputs = {arm["name"]: arm["inputs"] for arm in plan["arms"]}
    expect("cells in the table", {row["cell"] for row in runs} >= set(lines), True)
    by_cell, with_rows = {}, 0
    for row in examples:
        by_cell.setdefault(row["cell"], []).append(row)
    for row in runs:
        run = check_run(row, lines.get(row["cell"]), study, inputs)
        if run is None:
            expect(f"examples of {row['cell']}", row["cell"] in by_cell, False)
        else:
            with_rows += check_examples(by_cell.get(row["cell"], []), run, row)
    for pair in states:
        arm, wanted = pair.rsplit(":", 1)
        expect(f"states of {arm}", [row["state"] for row in runs if row["arm"] == shown(arm)], wanted.split(","))
    for name, rows in (("runs", runs), ("examples", examples)):
        check_hdf5(report / "tables.h5", name, rows)
    order = [row["cell"] for row in runs if row["cell"] in by_cell]
    expect("order of the examples", list(dict.fromkeys(row["cell"] for row in examples)), order)
    print(f"ok   {len(runs)} runs, {len(examples)} rows of examples of {with_rows} runs, as CSV and as HDF5")


# ---- Calls that fail ----

WAYS = {"write": ["ENOSPC", "EIO", "short"], "sync": ["EIO"], "rename": ["EIO"], "close": ["EIO"],
        "truncate": ["EIO"], "open": ["EACCES"]}
TABLES = ("runs.csv", "examples.csv", "tables.h5")


def make_report(study, **fault):
    environment = {**os.environ, "PATH": "/nonexistent", "AD_FAULT_UNDER": os.path.abspath("faulty"), **fault}
    if fault:
        environment["LD_PRELOAD"] = make_report.library
    done = subprocess.run([os.environ["AUTODIDACT_PROGRAM"], "study", "report", study, "--tables", "--out", "faulty"],
                          capture_output=True, text=True, timeout=120, env=environment, check=False)
    return done.returncode, done.stderr


def tables_now():
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in Path("faulty").glob("*")
            if path.name.startswith(TABLES)}


def calls(study):
    """(call, its number of its kind, name) of every call on a table; the first of each kind, and some of the others."""
    log = os.path.abspath("calls")
    code, message = make_report(study, AD_FAULT_LOG=log)
    expect(f"undisturbed: {message}", code, 0)
    counts, seen = {}, {}
    for line in Path(log).read_text().splitlines():
        call, path = line.split(" ", 1)
        counts[call] = counts.get(call, 0) + 1
        name = os.path.basename(path)
        if name.startswith(TABLES) and call in WAYS:
            seen[call, name] = seen.get((call, name), 0) + 1
            if seen[call, name] in (1, 2, 40) or seen[call, name] % 150 == 0:
                yield call, counts[call], name


def faults(library, study):
    make_report.library = os.path.abspath(library)
    tried, planned = 0, list(calls(study))
    whole = tables_now()
    expect("tables", set(whole), set(TABLES))
    for call, at, name in planned:
        for way in WAYS[call]:
            shutil.rmtree("faulty")
            how = way if way == "short" else getattr(errno, way)
            done = Path(f"done-{tried}").resolve()
            code, message = make_report(study, AD_FAULT=f"{call} {at} {how}", AD_FAULT_DONE=str(done))
            place, left = f"{call} {at} of {name}, {way}", tables_now()
            if not done.exists():
                sys.exit(f"tables.py: {place}: no such call came")
            file = name.removesuffix(".partial")
            if code == 0 and (way == "short" or call == "open"):  # HDF5 opens a file that it makes more than once
                expect(f"{place}: {message}", left, whole)
            elif code != 2 or file not in message:
                sys.exit(f"tables.py: {place}: exit code {code}: {message}")
            elif set(left) - set(TABLES) or any(whole[n] != left[n] for n in left) or file in left:
                sys.exit(f"tables.py: {place}: it left {sorted(left)}")
            tried += 1
    code, message = make_report(study)
    expect(f"again: {message}", (code, tables_now()), (0, whole))
    print(f"ok   {tried} calls on the tables failed: exit code 2, the file's name, nothing left of it")


def code_lines(document, report, language):
    text = Path(document).read_text(encoding="utf-8")
    blocks = [block for block in re.findall(rf"```{language}\n(.*?)```", text, re.S) if "runs.csv" in block]
    if len(blocks) != 1:
        sys.exit(f"tables.py: {document} has {len(blocks)} blocks of {language} that read runs.csv")
    print(blocks[0].replace("studies/stability/report", report), end="")


if __name__ == "__main__":
    actions = {"check": check, "faults": faults, "lines": code_lines}
    if len(sys.argv) < 4 or sys.argv[1] not in actions:
        sys.exit(__doc__)
    actions[sys.argv[1]](*sys.argv[2:])
