#!/usr/bin/env python3
"""train --plan against what trainings then take.

    plan.py PROGRAM LAUNCHER      LAUNCHER: launch/local

Peak memory as the system saw it (VmHWM), within 15 %, without a teacher and with SDA; files as they lie on the disk;
steps and evaluations as the log has them. A plan writes nothing. Ranks that are not there are planned for as those that
are."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import tiny

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))

BOUND = 0.15  # of the measured peak: shared pages of libraries, which VmHWM counts whole, and pages of files
# Large enough that the program itself is a small part: 12.7 M parameters.
NEW = ["model.path=", "model.vocab=model/vocab.txt", "model.hidden=512", "model.layers=4", "model.heads=8",
       "model.ffn=2048", "model.positions=32"]
COMMON = ["run.dir=run", "batch.size=4", "batch.lanes=4", "train.steps=6", "train.epochs=3", "eval.every=4"]
SETTINGS = {
    "base": [*NEW, *COMMON],
    "sda": [*NEW, *COMMON, "teacher.method=sda", "teacher.window=2", "checkpoint.finished=true"],
}
SMALL = [*NEW, *COMMON, "model.hidden=192", "model.layers=2", "teacher.method=sda", "teacher.window=3",
         "eval.keep_logits=true", "eval.means=true"]
PARTS = ["program", "parameters", "moments", "past", "gradient", "activations", "evaluation", "snapshots"]


def check(good, text):
    if not good:
        sys.exit(f"FAIL {text}")
    print(f"ok   {text}")


def near(found, expected, share):
    return abs(found - expected) <= share * expected


def plan(command, settings, *options):
    output = subprocess.run([*command, "train", "config.yaml", *settings, "--plan", "--json", *options],
                            capture_output=True, text=True, check=False)
    if output.returncode != 0:
        sys.exit(f"FAIL plan {' '.join(settings)}: {output.stderr}")
    return json.loads(output.stdout)


def peak_of(program, settings):
    """Bytes of a training's VmHWM."""
    with open("train.err", "w", encoding="utf-8") as messages, subprocess.Popen(
            [program, "train", "config.yaml", *settings], stdout=subprocess.DEVNULL, stderr=messages) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if status != 0:
        sys.exit(f"FAIL train {' '.join(settings)}: {Path('train.err').read_text(encoding='utf-8')}")
    return usage.ru_maxrss * 1024


def bytes_of(pattern):
    return sum(path.stat().st_size for path in Path("run").glob(pattern))


def check_files(name, made):
    disk = made["disk"]
    result = bytes_of("model/model.safetensors") + bytes_of("variants/*/model.safetensors")
    check(near(disk["result"], result, 0.02), f"{name}: weights of {result} bytes, planned {disk['result']}")
    one = max((path.stat().st_size for path in Path("run/checkpoints").glob("*.h5")), default=None)
    if one is not None:
        check(near(disk["checkpoint"], one, 0.05), f"{name}: a checkpoint of {one} bytes, planned {disk['checkpoint']}")


def check_log(name, made):
    rows = [json.loads(line) for line in Path("run/log.jsonl").read_text(encoding="utf-8").splitlines()]
    steps = [row["step"] for row in rows if "loss" in row and "eval" not in row]
    evaluations = {row["step"] for row in rows if "eval" in row}
    check(made["steps"] == len(steps), f"{name}: {len(steps)} steps")
    check(made["evaluations"] == len(evaluations), f"{name}: {len(evaluations)} evaluations")


def check_training(program, name, settings):
    made = plan([program], settings)
    check(not Path("run").exists(), f"{name}: a plan writes nothing")
    check(sum(made["memory"][part] for part in PARTS) <= made["memory"]["peak"] + len(PARTS),
          f"{name}: the peak holds all parts")
    check(made["seconds"]["step"] > 0 and made["seconds"]["whole"] > made["seconds"]["evaluation"] > 0,
          f"{name}: seconds of a step, an evaluation, and all")
    measured = peak_of(program, settings)
    if b"__asan_init" not in Path(program).read_bytes():
        check(near(made["memory"]["peak"], measured, BOUND),
              f"{name}: peak {measured / 1e6:.0f} MB, planned {made['memory']['peak'] / 1e6:.0f} MB")
    check_log(name, made)
    check_files(name, made)
    subprocess.run(["rm", "-r", "run"], check=True)


def check_imagined(program, launcher, name, settings, nodes):
    """Two ranks, and two that are not there."""
    there = plan([launcher, "-n", "2"], settings)
    imagined = plan([program], settings, "--ranks", "2", "--nodes", str(nodes))
    check(there["ranks"] == imagined["ranks"] == 2 and there["nodes"] == imagined["nodes"] == nodes,
          f"{name}: two ranks on {nodes} node(s)")
    check(imagined["seconds"]["step"] is None and imagined["seconds"]["steps_tried"] == 0,
          f"{name}: nothing is tried for ranks that are not there")
    for part in PARTS[1:]:
        found, expected = imagined["memory"][part], there["memory"][part]
        check(near(found, expected, 0.03), f"{name}: {part} of {expected} bytes, imagined {found}")
    check(there["disk"] == imagined["disk"], f"{name}: the same files")


def check_study(program):
    """Each arm as its training alone; of two arms the larger one."""
    Path("s.yaml").write_text("study: {dir: study, ranks_per_trial: 2}\nbase: {file: config.yaml}\n"
                              "axes: {seed.init: 0..2}\n"
                              "arms: {plain: {}, sda: {teacher: {method: sda, window: 3}}}\n", encoding="utf-8")
    output = subprocess.run([program, "study", "plan", "s.yaml", "--json"], capture_output=True, text=True, check=False)
    check(output.returncode == 0 and not Path("study").exists(), f"study plan writes nothing {output.stderr}")
    found = json.loads(output.stdout)
    check([(arm["arm"], arm["cells"]) for arm in found["arms"]] == [("plain", 3), ("sda", 3)], "cells of each arm")
    check(found["memory"]["peak"] == max(arm["memory"]["peak"] for arm in found["arms"]), "the largest arm")
    alone = plan([program], ["teacher.method=sda", "teacher.window=3"], "--ranks", "2")
    for part in PARTS[1:]:
        check(found["arms"][1]["memory"][part] == alone["memory"][part], f"sda: {part} as of a training")


def check_refusals(program):
    for arguments, expected in [(["--nodes", "2"], "--nodes goes with --ranks"),
                                (["--ranks", "0"], "--ranks is '0', expected a whole number from 1"),
                                (["--ranks", "2", "--nodes", "3"], "3 nodes for 2 ranks"),
                                (["--ranks", "99"], "99 ranks and batch.lanes=4"),
                                (["--ranks", "70000"], "each up to 65536"),
                                (["--keys"], "expected one of --plan"),
                                (["data.train=nowhere.tsv"], "nowhere.tsv")]:
        output = subprocess.run([program, "train", "config.yaml", "--plan", *arguments], capture_output=True,
                                text=True, check=False)
        check(output.returncode == 1 and expected in output.stderr and output.stdout == "",
              f"{' '.join(arguments)}: {output.stderr.strip().splitlines()[-1:]}")
    output = subprocess.run([program, "train", "config.yaml", "--json"], capture_output=True, text=True, check=False)
    check(output.returncode == 1 and "go with --plan" in output.stderr, "--json without --plan")


def main():
    program, launcher = (str(Path(path).resolve()) for path in sys.argv[1:3])
    os.environ["AUTODIDACT_PROGRAM"] = program
    with tempfile.TemporaryDirectory() as work:
        tiny.write_all(Path(work))
        os.chdir(work)
        for name, settings in SETTINGS.items():
            check_training(program, name, settings)
        cached = plan([program], ["data.cache=cache"])
        check(cached["train"] > 0 and not Path("cache").exists(), "no cache is made")
        check_imagined(program, launcher, "shared", SMALL, 1)
        check_imagined(program, launcher, "apart", [*SMALL, "comm.shared=false"], 2)
        check_study(program)
        check_refusals(program)
        text = subprocess.run([program, "train", "config.yaml", "--plan"], capture_output=True, text=True, check=True)
        check("memory " in text.stdout and " in all" in text.stdout, "text for people")
        os.chdir("/")


if __name__ == "__main__":
    main()
