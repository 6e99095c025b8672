#!/usr/bin/env python3
"""Keys without effect: each is told by a warning, and has none.

    configuration.py PROGRAM

Three trainings, and each again with all keys set that have no effect there, as the table says (train --keys-markdown):
the same logs and parameters to the bit, and a warning for each key. Together they have each key with a condition.
Then a second stage on the result of one of them: what becomes of its classifier."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import tiny

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))

# Name, its settings, keys with a condition that have no effect in it; None: all that no other training here has.
TRAININGS = [
    ("plain",
     {"run.dir": "plain", "data.train": "data/train.tsv", "data.dev": "data/dev.tsv", "data.test": "data/test.tsv",
      "batch.lanes": "1", "model.dropout": "0", "model.freeze": "encoder", "model.classifier": "cls",
      "optim.warmup": "1", "optim.head_lr": "1e-3", "train.steps": "4", "train.epochs": "3", "optim.lr": "2e-5",
      "data.folder": ""}, None),
    ("self-ensemble", {"run.dir": "se", "data.dev": "data/train.tsv", "teacher.method": "se"},
     ["eval.means", "seed.init"]),
    ("no dev split", {"run.dir": "nodev", "model.path": "", "model.vocab": "model/vocab.txt", "model.hidden": "16"},
     ["eval.every", "eval.keep_logits", "model.head"]),
]
TEXT = {"data.folder": "elsewhere", "run.metric": "loss", "snapshot.content": "scalars"}


def keys(program):
    """{key: (default, kind or choices, condition)} of the table."""
    text = subprocess.run([program, "train", "--keys-markdown"], capture_output=True, text=True, check=True).stdout
    rows = [re.split(r"(?<!\\) \| ?", line.strip("| ")) for line in text.splitlines() if re.match(r"\| (\*\*)?`", line)]
    return {row[0].strip("`*"): (row[1].strip("` "), row[2], row[3].replace("\\|", "|").strip()) for row in rows}


def other_value(key, default, kind):
    """A value that is not the default."""
    if kind == "text":
        return TEXT.get(key, "x")
    if kind == "true or false":
        return "false" if default == "true" else "true"
    match = re.match(r"(a whole number|a number|a whole number or all), (\S+) to (\S+)$", kind)
    if match:
        lowest = float(match.group(2))
        return f"{lowest:.10g}" if lowest != float(default) else f"{lowest + 1:.10g}"
    return next(choice for choice in kind.split(", ") if choice != default)


def train(program, work, settings):
    """Standard error of a training."""
    arguments = [f"{key}={value}" for key, value in settings.items()]
    result = subprocess.run([program, "train", "config.yaml", *arguments], cwd=work, capture_output=True,
                            text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"configuration.py: train {' '.join(arguments)} failed: {result.stderr}")
    return result.stderr


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def check(work, program, table, name, settings, idle):
    run, again = settings["run.dir"], settings["run.dir"] + "-again"
    found = []
    message = train(program, work, settings)
    if "has no effect" in message:
        found.append(f"a warning without cause: {message}")
    given = {key: other_value(key, *table[key][:2]) for key in idle}
    message = train(program, work, {**settings, "run.dir": again, **given})
    for key, value in given.items():
        if not re.search(rf"warning: {re.escape(key)}={re.escape(value)} has no effect: "
                         rf"it is used where {re.escape(table[key][2])}$",
                         message, re.M):
            found.append(f"no warning of {key}={value}")
    if message.count("has no effect") != len(idle):
        found.append(f"{message.count('has no effect')} warnings, expected {len(idle)}: {message}")
    if files(work / run) != files(work / again):
        found.append(f"files {files(work / again)}, expected {files(work / run)}")
    for part in ("log.jsonl", "model/model.safetensors"):
        if (work / run / part).read_bytes() != (work / again / part).read_bytes():
            found.append(f"{part} is another one")
    print(f"{'FAIL' if found else 'ok  '} {name}: {len(idle)} keys without effect")
    return found


def check_copy(work, program):
    """The resolved configuration of a run repeats what was told before: nothing is said again."""
    (work / "copied.yaml").write_text((work / "plain-again/config.yaml").read_text())
    result = subprocess.run([program, "train", "copied.yaml", "run.dir=copy"], cwd=work, capture_output=True,
                            text=True, check=False)
    return ([] if result.returncode == 0 and "warning" not in result.stderr
            else [f"a copied config.yaml: {result.stderr}"])


def check_split(work, program):
    """A split by its name is the file that the run's configuration has for it, wherever one stands, and though the
    descriptor has no such split."""
    found = []
    last = json.loads((work / "se/result.json").read_text())["dev"]
    (work / "elsewhere").mkdir()
    for command, at in ((["eval", "se", "--data", "dev", "--json"], work),
                        (["eval", "../se", "--data", "dev", "--json"], work / "elsewhere"),
                        (["verify", "../se", "--replay", "1"], work / "elsewhere")):
        result = subprocess.run([program, *command], cwd=at, capture_output=True, text=True, check=False)
        scores = json.loads(result.stdout) if command[0] == "eval" and result.returncode == 0 else last
        if result.returncode != 0 or scores["examples"] != 24 or scores["error"] != last["error"]:
            found.append(f"{' '.join(command)}: {result.stdout}{result.stderr}, expected {last}")
    return found


def check_head(work, program):
    """A second stage begins where the first has ended, as its learning rate of 0 shows, and says so once."""
    settings = {"data.dev": "data/train.tsv", "model.path": "se/model", "optim.lr": "0", "train.steps": "2",
                "model.dropout": "0"}
    first = json.loads((work / "se/result.json").read_text())["dev"]["loss"]
    found = []
    for name, added, kept, reason in [("auto", {}, True, "its classes are those of the data, in the same order"),
                                      ("new", {"model.head": "new"}, False, "model.head is new")]:
        message = train(program, work, {**settings, "run.dir": name, **added})
        loss = json.loads((work / name / "result.json").read_text())["dev"]["loss"]
        if (loss == first) != kept:
            found.append(f"model.head {name}: dev loss {loss}, the first stage ended at {first}")
        said = f"the classifier is {'that of' if kept else 'drawn from seed.init, not taken from'} se/model: {reason}"
        if message.count("classifier") != 1 or said not in message:
            found.append(f"model.head {name}: expected '{said}': {message}")
    resumed = ["train", "config.yaml", "checkpoint.every=1", "run.dir=resumed",
               *(f"{key}={value}" for key, value in settings.items())]
    code = [subprocess.run([program, *resumed, *more], cwd=work, capture_output=True, text=True, check=False)
            for more in (["--inject", "term@1"], [])]
    if code[0].returncode != 75 or code[1].returncode != 0 or "classifier" in code[1].stderr:
        found.append(f"a run that goes on: {code}")
    if (work / "resumed/result.json").read_bytes() != (work / "auto/result.json").read_bytes():
        found.append("a run that goes on has another result")
    # A key that nobody knows.
    (work / "odd").mkdir()
    for path in (work / "se/model").iterdir():
        (work / "odd" / path.name).write_bytes(path.read_bytes())
    config = json.loads((work / "odd/config.json").read_text())
    (work / "odd/config.json").write_text(json.dumps({**config, "attention_bias": True, "use_cache": True,
                                                      "rope_theta": 1}))
    message = train(program, work, {**settings, "run.dir": "known", "model.path": "odd"})
    if (message.count("odd/config.json") != 1
            or 'warning: odd/config.json: not known here, and without effect: "attention_bias", "rope_theta"\n'
            not in message):
        found.append(f"unknown keys of config.json: {message}")
    print(f"{'FAIL' if found else 'ok  '} a second stage")
    return found


def main():
    program, failed = str(Path(sys.argv[1]).resolve()), []
    table = keys(program)
    elsewhere = {key for _, _, idle in TRAININGS for key in idle or []}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        tiny.write_all(work)
        # Splits that are named by keys; train alone.
        (work / "tiny.yaml").write_text(re.sub(r"  dev:\n.*\n", "", tiny.descriptor()))
        for name, settings, idle in TRAININGS:
            if idle is None:
                idle = [key for key, row in table.items() if row[2] and key not in elsewhere]
            failed += check(work, program, table, name, settings, idle)
        failed += check_copy(work, program) + check_split(work, program) + check_head(work, program)
    for fault in failed:
        print(f"     {fault}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
