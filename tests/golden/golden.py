#!/usr/bin/env python3
"""Golden digests: what tiny trainings end with, which every CPU, compiler and number of ranks must give.

    golden.py check [--case NAME ...] [--ranks SET,SET,...] [--killed] [--program-of SET=COMMAND] [--launch COMMAND]
                    PROGRAM
    golden.py make PROGRAM

`check` runs each training and compares it with golden.json; exit code 1 where a bit differs, 77 where this CPU cannot
run the kernel set that AUTODIDACT_KERNELS names. --ranks starts a rank for each kernel set named (v4, v3, generic,
neon); --killed kills the ranks in the middle and goes on with the sets exchanged; --program-of gives a set another
program. --launch is put before the program, as "mpirun -n 1 qemu-aarch64 -L SYSROOT". `make` writes golden.json, and
refuses where it has the program's arithmetic version already: bits change together with AD_ARITHMETIC, those of
trainings named bf16-... with AD_ARITHMETIC_BFLOAT16 (include/autodidact/base/build.h, docs/arithmetic.md) only.
Python's standard library and h5dump."""

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import folders

HERE = Path(__file__).resolve().parent
GOLDEN = HERE / "golden.json"

# Sizes that meet the edges of the product kernel: panels of 64 outputs (also 16, 32, one more, one less), blocks of 6
# rows, depths above 1,024, a weight too large to be read as it lies. Rows come from texts of all lengths.
SMALL = {"hidden": 24, "heads": 3, "ffn": 70, "layers": 2}
TASKS = {"data.descriptor": "single.yaml,pairs.yaml", "data.folder": ".,."}
CASES = {
    "plain": {},
    "dropout-off": {"model.dropout": 0},
    "wide": {"model.hidden": 80, "model.heads": 5, "model.ffn": 65, "model.layers": 1},
    "wider": {"model.hidden": 132, "model.heads": 2, "model.ffn": 129, "model.layers": 1, "train.steps": 3},
    "deep": {"model.hidden": 16, "model.heads": 1, "model.ffn": 1040, "model.layers": 1, "train.steps": 3},
    "odd": {"model.hidden": 33, "model.heads": 11, "model.ffn": 17, "model.layers": 3},
    "se": {"teacher.method": "se", "teacher.window": 5},
    "sda-1": {"teacher.method": "sda", "teacher.window": 1},
    "sda-5": {"teacher.method": "sda", "teacher.window": 5, "snapshot.every": 3, "snapshot.sketch": 64,
              "snapshot.probe": 8},
    "sda-all": {"teacher.method": "sda", "teacher.window": "all", "teacher.dropout": "on", "teacher.ramp": 0.5},
    "sda-same": {"teacher.method": "sda", "teacher.window": 3, "teacher.dropout": "same", "teacher.every": 2},
    "sda-first": {"teacher.method": "sda", "teacher.window": 2, "teacher.lag": 0, "teacher.start": 3,
                  "teacher.weight": 0.5},
    "sdv-1": {"teacher.method": "sdv", "teacher.window": 1},
    "sdv-5": {"teacher.method": "sdv", "teacher.window": 5},
    "sdv-same": {"teacher.method": "sdv", "teacher.window": 2, "teacher.dropout": "same"},
    "ema": {"teacher.method": "ema", "teacher.decay": 0.7},
    "rdrop": {"teacher.method": "rdrop", "teacher.weight": 3},
    "means": {"eval.means": True, "teacher.window": 4, "run.result": "window", "eval.every": 3},
    "cls": {"model.classifier": "cls"},
    "frozen": {"model.freeze": 1},
    "encoder-frozen": {"model.freeze": "encoder", "optim.head_lr": 1e-2},
    "constant": {"optim.schedule": "constant", "optim.warmup": 0},
    "cosine": {"optim.schedule": "cosine", "optim.layer_decay": 0.7},
    "uncorrected": {"optim.bias_correction": False, "optim.clip": 0, "optim.eps": 1e-6},
    "clipped": {"optim.clip": 0.05, "optim.decay": 0.3},
    "rounds": {"batch.rounds": 2, "batch.size": 11},
    "empty-lanes": {"batch.size": 3, "batch.lanes": 8},
    "three-lanes": {"batch.lanes": 3},
    "corner": {"model.hidden": 80, "model.heads": 5, "model.ffn": 51, "model.layers": 1},
    "long": {"data.max_tokens": 150, "data.truncation": "head_tail", "train.steps": 4, "batch.size": 4},
    "pairs": {"data.descriptor": "pairs.yaml"},
    "gelu_new": {"model.path": "model-gelu_new", "model.head": "new"},
    "relu": {"model.path": "model-relu", "model.head": "keep", "run.select": "best", "eval.every": 3},
    "weights": {"train.class_weights": "balanced", "batch.size": 11},
    "smoothing": {"train.label_smoothing": 0.2, "train.class_weights": "0.5,3,1", "teacher.method": "sda",
                  "teacher.window": 3},
    "smoothing-rdrop": {"train.label_smoothing": 0.1, "train.class_weights": "2,1,0.25", "teacher.method": "rdrop",
                        "batch.rounds": 2},
    "soft": {"data.descriptor": "soft.yaml", "teacher.method": "sda", "teacher.window": 3},
    "soft-rdrop": {"data.descriptor": "soft.yaml", "train.label_smoothing": 0.1, "train.class_weights": "2,1,0.25",
                   "teacher.method": "rdrop", "batch.rounds": 2},
    "soft-sdv": {"data.descriptor": "soft.yaml", "teacher.method": "sdv", "teacher.window": 2, "data.cache": "cache"},
    "patience": {"train.patience": 4, "run.metric": "loss", "run.select": "best", "eval.every": 1, "train.steps": 30,
                 "optim.lr": "5e-3", "seed.init": 1},
    "patience-ties": {"train.patience": 2, "run.metric": "macro_f1", "teacher.method": "se", "run.result": "run",
                      "eval.every": 2, "train.steps": 30},
    "mlm": {"data.task": "mlm", "eval.keep_logits": False},
    "mlm-sda-5": {"data.task": "mlm", "eval.keep_logits": False, "teacher.method": "sda", "teacher.window": 5,
                  "train.mask_rate": 0.3, "snapshot.every": 3, "snapshot.sketch": 64},
    "mlm-sdv": {"data.task": "mlm", "eval.keep_logits": False, "teacher.method": "sdv", "teacher.window": 3,
                "model.hidden": 33, "model.heads": 11},
    "mlm-rdrop": {"data.task": "mlm", "eval.keep_logits": False, "teacher.method": "rdrop", "batch.rounds": 2},
    "mlm-empty-lanes": {"data.task": "mlm", "eval.keep_logits": False, "batch.size": 3, "batch.lanes": 8,
                        "train.mask_rate": 0.02},
    "mlm-pairs": {"data.task": "mlm", "eval.keep_logits": False, "data.descriptor": "pairs.yaml",
                  "model.freeze": "embeddings"},
    "number-sda-3": {"data.descriptor": "number.yaml", "teacher.method": "sda", "teacher.window": 3,
                     "run.select": "best", "eval.every": 3},
    "numbers-sda-3": {"data.descriptor": "numbers.yaml", "teacher.method": "sda", "teacher.window": 3},
    "numbers-rdrop": {"data.descriptor": "numbers.yaml", "teacher.method": "rdrop", "teacher.weight": 2,
                      "batch.rounds": 2},
    "sets-sda-3": {"data.descriptor": "sets.yaml", "teacher.method": "sda", "teacher.window": 3, "run.select": "best",
                   "eval.every": 3},
    "sets-rdrop": {"data.descriptor": "sets.yaml", "teacher.method": "rdrop", "teacher.weight": 2, "batch.rounds": 2},
    # Several tasks at once.
    "tasks": {**TASKS, "eval.every": 3},
    "tasks-sda": {**TASKS, "teacher.method": "sda", "teacher.window": 3, "data.temperature": 4, "run.select": "best",
                  "run.metric": "pairs.error", "eval.every": 4, "train.steps": 12},
    "tasks-sdv": {**TASKS, "teacher.method": "sdv", "teacher.window": 2, "batch.rounds": 2},
    "tasks-rdrop": {**TASKS, "teacher.method": "rdrop", "teacher.weight": 2, "train.label_smoothing": 0.1},
    "tasks-kinds": {"data.descriptor": "numbers.yaml,single.yaml,sets.yaml", "data.folder": ".,.,.",
                    "teacher.method": "sda", "teacher.window": 3, "eval.every": 4},
    "other-seeds": {"seed.init": 7, "seed.order": 8, "seed.dropout": 9},
}
# Each other architecture, with dropout, its own head and a teacher of the last five.
OTHERS = [name for name in folders.ARCHITECTURES if name != "bert"]
CASES |= {f"{name}-sda-5": {"model.path": f"model-{name}", "model.head": "new", "teacher.method": "sda",
                            "teacher.window": 5} for name in OTHERS}
CASES |= {f"{name}-pairs": {"model.path": f"model-{name}", "model.head": "new", "data.descriptor": "pairs.yaml",
                            "teacher.method": "rdrop", "teacher.weight": 2} for name in OTHERS}
CASES |= {f"{name}-mlm": {"model.path": f"model-{name}", "data.task": "mlm", "eval.keep_logits": False,
                          "teacher.method": "sda", "teacher.window": 3, "train.mask_rate": 0.3}
          for name in ("roberta", "electra", "distilbert", "mpnet")}
# bfloat16 operands: sizes about their blocks of 32 and panels of 64, teachers, rounds, every architecture.
BF16 = {"train.precision": "bfloat16"}
CASES |= {f"bf16-{name}": BF16 | CASES[name] for name in (
    "plain", "wider", "deep", "odd", "sda-5", "sdv-5", "ema", "rdrop", "means", "cls", "frozen", "encoder-frozen",
    "rounds", "empty-lanes", "long", "smoothing", "mlm-sda-5", "mlm-rdrop", *(f"{name}-sda-5" for name in OTHERS))}
FROM_FOLDER = ("gelu_new", "relu")  # model folders made of the result of "plain"


def words(state, count):
    chosen = []
    for _ in range(count):
        state, number = folders.draw(state)
        chosen.append(f"w{number % 59 * (number % 3 + 1) % 59}")
    return state, chosen


def write_inputs(folder):
    """Vocabulary, texts of 1 to 12 words (each ninth of 160 and more), pairs, texts with probabilities, descriptors,
    the common configuration."""
    (folder / "vocab.txt").write_text(
        "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(59))]) + "\n")
    for name in OTHERS:
        folders.write(folder / f"model-{name}", name)
    state, single, pairs, soft, numbers, sets = 20021034, [], [], [], [], []
    for row in range(60):
        state, number = folders.draw(state)
        state, text = words(state, 160 + number % 40 if row % 9 == 8 else 1 + number % 12)
        state, other = words(state, 1 + number % 5)
        label = ("a", "b", "c")[(len(text) + int(text[0][1:])) % 3]
        single.append(f"{label}\t{' '.join(text)}\n")
        pairs.append(f"{label}\t{' '.join(text[:9])}\t{' '.join(other)}\n")
        high = 0.4 + number % 7 / 10
        shares = [f"{high if name == label else (1 - high) / 2:.6g}" for name in ("a", "b", "c")]
        soft.append("\t".join([label, " ".join(text), *shares]) + "\n")
        several = [name for i, name in enumerate("abc") if (len(text) + int(text[0][1:])) >> i & 1]
        sets.append(f"{','.join(several)}\t{' '.join(text)}\n")
        numbers.append(f"{(7 * len(text) + int(text[0][1:])) % 41 / 10}\t{' '.join(text)}\t{-1.5 * len(other)}\n")
    for name, rows, columns in (("number", numbers, "{label: 1, text: 2}"),
                                ("numbers", numbers, "{label: [1, 3], text: 2}"),
                                ("sets", sets, "{label: 1, text: 2}"),
                                ("single", single, "{label: 1, text: 2}"),
                                ("pairs", pairs, "{label: 1, text: 2, pair: 3}"),
                                ("soft", soft, "{label: 1, text: 2, probabilities: [3, 4, 5]}")):
        (folder / f"{name}-train.tsv").write_text("".join(rows[:45]))
        (folder / f"{name}-dev.tsv").write_text("".join(rows[45:]))
        (folder / f"{name}.yaml").write_text(
            "title: golden\nsource: golden.py\nlicence: none\nformat: tsv\nheader: false\n"
            f"{'task: regression' if name.startswith('number') else 'classes: [a, b, c]'}\n"
            f"{'task: multi_label' if name == 'sets' else ''}\n"
            f"columns: {columns}\nsplits: {{train: {{file: {name}-train.tsv}}, dev: {{file: {name}-dev.tsv}}}}\n")
    common = {"data.descriptor": "single.yaml", "data.folder": ".", "data.max_tokens": 20, "batch.size": 9,
              "batch.lanes": 4, "train.steps": 7, "optim.lr": "2e-3", "model.vocab": "vocab.txt",
              "model.positions": 160, "model.dropout": 0.1, "eval.keep_logits": True,
              "eval.every": 100, **{f"model.{key}": value for key, value in SMALL.items()}}
    (folder / "config.yaml").write_text("".join(f"{key}: {text_of(value)}\n" for key, value in common.items()))


def text_of(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def write_folder(folder, name):
    shutil.copytree(folder / "plain/model", folder / f"model-{name}")
    path = folder / f"model-{name}/config.json"
    settings = json.loads(path.read_text())
    settings["hidden_act"] = name
    path.write_text(json.dumps(settings))


def command(options, sets, keys, *more):
    program = [*shlex.split(options.launch), str(options.program)]
    arguments = ["train", "config.yaml", *(f"{key}={text_of(value)}" for key, value in keys.items()), *more]
    if not sets:
        return [*program, *arguments]
    others = dict(text.split("=", 1) for text in options.program_of)
    parts = [["-n", "1", "env", f"AUTODIDACT_KERNELS={kernels}",
              *(shlex.split(others[kernels]) if kernels in others else program), *arguments]
             for kernels in sets]
    start = ["mpirun", "--oversubscribe", "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1"]
    return start + parts[0] + [word for part in parts[1:] for word in (":", *part)]


def values_of(path):
    """A digest of the numbers of all datasets, whatever HDF5 version wrote the file."""
    found = hashlib.sha256()
    listing = subprocess.run(["h5dump", "-n", path], check=True, capture_output=True, text=True).stdout
    for name in sorted(line.split()[1] for line in listing.splitlines() if line.startswith(" dataset")):
        if name == "/tensors/name":
            continue
        out = path.parent / f"{path.name}.values"
        subprocess.run(["h5dump", "-o", out, "-b", "LE", "-d", name, path], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.PIPE)
        found.update(out.read_bytes())
        out.unlink()
    return found.hexdigest()[:16]


def record(run):
    """What of a finished run is compared."""
    result = json.loads((run / "result.json").read_text())
    last = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    found = {"chain": [row["chain"] for row in last if "chain" in row][-1], "parameters": result["parameters"],
             **result.get("variants", {}), "log": hashlib.sha256((run / "log.jsonl").read_bytes()).hexdigest()[:16],
             "loss": [row.get("loss", row.get("mse")) for row in last
                      if "eval" in row and row["model"] == "student"][-1]}
    for path in sorted((run / "logits").glob("*")):
        found[f"logits/{path.stem}"] = values_of(path)
    if (run / "snapshots").exists():
        found["snapshots"] = values_of(run / "snapshots/all.h5")
    return found


def run_case(options, folder, name):
    keys, sets = {"run.dir": name, **CASES[name]}, options.ranks.split(",") if options.ranks else []
    if options.killed:
        keys |= {"checkpoint.every": 2, "checkpoint.minutes": 0}
        killed = subprocess.run(command(options, sets, keys, "--inject=kill@4"), cwd=folder,
                                capture_output=True, text=True)
        if killed.returncode == 0 or not list((folder / name / "checkpoints").glob("*.h5")):
            return {"failed": f"was not killed behind a checkpoint: exit code {killed.returncode}"}
        sets = sets[1:] + sets[:1]
    done = subprocess.run(command(options, sets, keys), cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        return {"failed": f"exit code {done.returncode}: {' '.join(done.stderr.strip().splitlines()[-1:])}"}
    return record(folder / name)


def run_all(options):
    """{case: record}. The others begin when "plain" has ended, whose model some of them take."""
    chosen = options.case or list(CASES)
    with tempfile.TemporaryDirectory(prefix="golden.") as name, \
            concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        folder = Path(name)
        write_inputs(folder)
        found = {"plain": run_case(options, folder, "plain")}
        if "failed" not in found["plain"]:
            for name in FROM_FOLDER:
                write_folder(folder, name)
        others = [case for case in chosen if case != "plain"]
        # Runs lie beside the folders that they take their model from.
        found.update(zip(others, pool.map(lambda case: run_case(options, folder, case), others)))
        return found


def version_of(options):
    """The versions of the arithmetic as --version prints them, by their name in golden.json."""
    out = subprocess.run([*shlex.split(options.launch), options.program, "--version"], check=True, capture_output=True,
                         text=True).stdout
    found = re.search(r"^arithmetic (\d+), bfloat16 (\d+)$", out, re.MULTILINE)
    if found is None:
        sys.exit(f"golden.py: {options.program} --version does not say its arithmetic")
    return {"arithmetic": int(found[1]), "bfloat16": int(found[2])}


def key_of(case):
    return "bfloat16" if case.startswith("bf16-") else "arithmetic"


def make(options):
    version, found = version_of(options), run_all(options)
    for name, values in found.items():
        if "failed" in values:
            sys.exit(f"golden.py: {name}: {values['failed']}")
    if GOLDEN.exists():
        before = json.loads(GOLDEN.read_text())
        changed = [name for name in before["cases"] if found.get(name) != before["cases"][name]
                   and before[key_of(name)] == version[key_of(name)]]
        if changed:
            sys.exit(f"golden.py: {', '.join(changed)} changed, and the arithmetic version is still "
                     f"{version[key_of(changed[0])]}: raise it first")
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(values)}" for name, values in found.items())
    GOLDEN.write_text(f'{{{json.dumps(version)[1:-1]}, "cases": {{\n{lines}\n}}}}\n')
    print(f"{len(found)} cases of arithmetic {version}")


def check(options):
    golden = json.loads(GOLDEN.read_text())
    version = version_of(options)
    for key, value in version.items():
        if golden[key] != value:
            sys.exit(f"golden.py: golden.json is of {key} {golden[key]}, the program's is {value}: golden.py make")
    bad, found = 0, run_all(options)
    if "AUTODIDACT_KERNELS" in found["plain"].get("failed", ""):
        print(f"skipped: {found['plain']['failed']}")
        return 77
    for name, values in found.items():
        expected = golden["cases"].get(name, {})
        differs = [key for key in sorted({*expected, *values}) if expected.get(key) != values.get(key)]
        if differs:
            bad += 1
            print(f"FAIL {name}: not the bits of {key_of(name)} {version[key_of(name)]}: " + (values.get("failed") or
                  "; ".join(f"{key} is {values.get(key)}, expected {expected.get(key)}" for key in differs)))
    print(f"{'FAIL' if bad else 'ok'}   "
          f"{len(found)} trainings{' on ranks of ' + options.ranks if options.ranks else ''}: "
          f"{bad} differ from arithmetic {version['arithmetic']}, bfloat16 {version['bfloat16']}")
    return 1 if bad else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["check", "make"])
    parser.add_argument("--case", action="append", choices=list(CASES), metavar="NAME")
    parser.add_argument("--ranks", default="")
    parser.add_argument("--killed", action="store_true")
    parser.add_argument("--program-of", action="append", default=[], metavar="SET=COMMAND")
    parser.add_argument("--launch", default="")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("program", type=Path)
    options = parser.parse_args()
    options.program = options.program.resolve()
    sys.exit(make(options) if options.what == "make" else check(options))


main()
