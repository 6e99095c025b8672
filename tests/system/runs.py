#!/usr/bin/env python3
"""runs prints one table of many runs: as text, CSV and JSON, with what is damaged or no run named.

    runs.py    in the folder of diff.sh, whose runs it lists

What the table must hold is read from result.json, log.jsonl and timing.jsonl here."""

import csv
import io
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))

PROGRAM = os.environ["AD_PROGRAM"]


def run(*command, code=0):
    done = subprocess.run([PROGRAM, *map(str, command)], capture_output=True, text=True)
    if done.returncode != code:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}, expected {code}\n"
                 f"{done.stdout}{done.stderr}")
    return done


def same(name, found, expected):
    if found != expected:
        sys.exit(f"{name}: found {found!r}, expected {expected!r}")


def rows(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def check(row, name, state):
    """A row of the JSON table against the run's files."""
    folder = Path("listed") / name
    same(f"{name}, run and state", (row["run"], row["state"]), (f"listed/{name}", state))
    log = rows(folder / "log.jsonl")
    steps = [entry["step"] for entry in log if "loss" in entry and "eval" not in entry]
    same(f"{name}, step", (row["step"], row["steps"]), (steps[-1], 6))
    seconds = math.fsum(row.get("seconds", 0.0) for row in rows(folder / "timing.jsonl") if "resumed" not in row)
    if not abs(row["seconds"] - seconds) <= 1e-12 * seconds:
        sys.exit(f"{name}: {row['seconds']} seconds, expected {seconds}")
    scores = [entry for entry in log if "eval" in entry][-1]
    if state == "finished":
        result = json.loads((folder / "result.json").read_text())
        scores = result["dev"]
        same(f"{name}, kept", row["kept_step"], result["step"])
    for score in ("error", "accuracy", "macro_f1", "matthews", "loss"):
        same(f"{name}, {score}", row[f"dev.{score}"], scores[score])


def tables():
    os.makedirs("listed/deep/deeper", exist_ok=True)
    for source, name in (("a", "seed-1"), ("dropout", "seed-10"), ("lr", "seed-2"), ("a", "deep/deeper/stopped")):
        shutil.copytree(source, f"listed/{name}")
    os.remove("listed/deep/deeper/stopped/result.json")
    os.symlink("..", "listed/loop")
    # A descriptor of the run's own, as it is where nobody wrote one, is no difference.
    for name in ("seed-1", "seed-2"):
        file = Path(f"listed/{name}/config.yaml")
        text = re.sub(r'descriptor: .*', f'descriptor: "own/{name}/descriptor.yaml"', file.read_text())
        file.write_text(re.sub(r'^  dir: .*', f'  dir: "own/{name}"', text, flags=re.M))
    same("own descriptors", "descriptor" in run("runs", "listed/seed-1", "listed/seed-2").stdout, False)
    for name in ("seed-1", "seed-2"):
        shutil.copy("a/config.yaml" if name == "seed-1" else "lr/config.yaml", f"listed/{name}/config.yaml")
    Path("listed/config.yaml").write_text("run:\n  dir: x\n")  # a user's own: no run
    table = json.loads(run("runs", "listed", "--json").stdout)
    same("no runs", table["no_runs"], [])
    expected = [("deep/deeper/stopped", "stopped"), ("seed-1", "finished"), ("seed-2", "finished"),
                ("seed-10", "finished")]
    same("rows", len(table["runs"]), len(expected))
    for row, (name, state) in zip(table["runs"], expected):
        check(row, name, state)
        same(f"{name}, keys", {key: row[key] for key in row if key.startswith(("seed.", "optim.", "data.", "run."))},
             {"seed.init": 0, "seed.order": 0, "seed.dropout": int(name == "seed-10"),
              "optim.lr": 2e-3 if name == "seed-2" else 1e-3})
    found = list(csv.DictReader(io.StringIO(run("runs", "listed", "--csv").stdout)))
    for row, wanted in zip(found, table["runs"]):
        same("CSV", {key: type(wanted[key])(value) if value else None for key, value in row.items()}, wanted)
    same("CSV, columns", list(found[0]), list(table["runs"][0]))
    lines = run("runs", "listed/seed-1", "listed/deep", "listed/seed-10").stdout.splitlines()
    same("text", [line.split()[:4] for line in lines],
         [["run", "state", "step", "steps"], ["listed/seed-1", "finished", "6", "6"],
          ["listed/deep/deeper/stopped", "stopped", "6", "6"], ["listed/seed-10", "finished", "6", "6"]])
    same("text, keys", lines[0].split()[-3:], ["seed.init", "seed.order", "seed.dropout"])
    found = subprocess.run([PROGRAM, "runs"], capture_output=True, text=True, cwd="listed", check=True).stdout
    same("the current folder", [line.split()[0] for line in found.splitlines()[1:]],
         [f"./{name}" for name, _ in expected])
    for option, order in (("dev.loss", 1), ("-dev.loss", -1), ("seed.dropout", 1), ("run", 1)):
        key = option.lstrip("-")
        found = [row[key] for row in json.loads(run("runs", "listed", "--json", "--sort", option).stdout)["runs"]]
        same(f"--sort {option}", found, sorted(found)[::order])


def damage():
    for name in ("seed-1", "seed-2", "seed-10", "deep/deeper/stopped"):
        shutil.copytree(f"listed/{name}", f"damaged/{name}")
    Path("damaged/seed-1/result.json").write_text("{")
    os.remove("damaged/seed-2/config.yaml")
    log = Path("damaged/deep/deeper/stopped/log.jsonl")
    log.write_text(log.read_text().replace('"step":2', '"step":7', 1))
    table = json.loads(run("runs", "damaged", "--json").stdout)["runs"]
    same("states", [row["state"] for row in table], ["damaged", "damaged", "damaged", "finished"])
    for row, message in zip(table, (r"log\.jsonl:\d+: .*step 7", r"result\.json:1", r"config\.yaml", None)):
        if re.search(message, row["message"]) is None if message else row["message"] is not None:
            sys.exit(f"{row['run']}: says {row['message']!r}, expected {message}")
    text = run("runs", "damaged").stdout
    same("text", len(re.findall(r"^damaged: damaged/\S+: .+$", text, re.M)), 3)
    shutil.copytree("listed/seed-1", "hostile/\x1b[2Jrun\n")
    for more in ((), ("--json",)):
        text = run("runs", "hostile", *more).stdout
        if "\x1b" in text or "\\x1b[2Jrun\\n" not in text.replace("\\u001B", "\\x1b"):
            sys.exit(f"a name with control characters: {text!r}")
    found = run("runs", "listed/seed-1", "model", "nowhere", "a/log.jsonl")
    for pattern in (r"model: no run", r"nowhere: No such file", r"a/log\.jsonl: Not a directory"):
        if re.search(f"warning: {pattern}", found.stderr) is None:
            sys.exit(f"{pattern}: found {found.stderr!r}")
    for command, pattern in ((("model",), r"model: no run"), (("listed", "--json", "--csv"), r"both --json and --csv"),
                             (("listed", "--sort", "dev.eror"), r"no column 'dev\.eror', expected one of run, state"),
                             (("nowhere",), r"nowhere: No such file")):
        if re.search(pattern, run("runs", *command, code=1).stderr) is None:
            sys.exit(f"runs {command}: expected /{pattern}/")


def running():
    """A run that is being trained."""
    shutil.rmtree("busy", ignore_errors=True)
    with subprocess.Popen([PROGRAM, "train", "config.yaml", "run.dir=busy", "train.epochs=100000"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(600):
                if Path("busy/log.jsonl").exists() and len(Path("busy/log.jsonl").read_bytes().splitlines()) > 3:
                    break
                time.sleep(0.05)
            row = json.loads(run("runs", "busy", "--json").stdout)["runs"][0]
            same("running", (row["state"], row["steps"]), ("running", 300000))
        finally:
            process.send_signal(signal.SIGTERM)
    same("stopped", json.loads(run("runs", "busy", "--json").stdout)["runs"][0]["state"], "stopped")


if __name__ == "__main__":
    for part in (tables, damage, running):
        part()
        print(f"ok   runs, {part.__name__}")
