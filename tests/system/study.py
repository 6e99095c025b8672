#!/usr/bin/env python3
"""What tests/mpi/study.sh does besides starting jobs. Python's standard library only.

    study.py write NAME KEY=VALUE ...   NAME.yaml: 4 x 4 seeds x 2 arms, in the folder NAME; keys of the study or, with
                                        a dot, of its base
    study.py single NAME PROGRAM KEY=VALUE ...   the same trainings one by one, in single/, by `train`
    study.py kill NAME PID SEED         once some more cells are done and others are under way: kills one rank of mpirun
                                        PID, or all of them (the seed draws), and waits until all and mpirun are gone
    study.py wait NAME COUNT            waits until so many cells are done
    study.py note NAME [more]           what was finished has not been touched, and some cells are not; writes down
                                        which runs are finished, and when; `more`: there are more of them than last time
    study.py lost NAME CELL ...         writes down which checkpoints these cells have, whose job has just been killed
    study.py check NAME                 every cell is there once, with the bits of single/, none was done twice
    study.py states NAME ARM=STATE ...  what became of the cells of each arm
    study.py summary NAME PROGRAM       means and deviations that `study status` gives are those of its cells
    study.py test NAME PROGRAM          scores on test are those of `eval`"""

import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from patience import until

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))

STUDY = """study: {{name: {name}, dir: {name}, failed: never, {keys}}}
base: {{file: config.yaml, model.head: new, {base}}}
axes: {{seed.init: 0..3, seed.order: [0, 5, 6, 9]}}
arms:
  plain: {{}}
  sda: {{teacher: {{method: sda, window: 3}}, run.result: teacher}}
"""
BASE = {"train.epochs": "8", "model.dropout": "0.1", "checkpoint.every": "4", "eval.every": "5"}
ARMS = {"plain": [], "sda": ["teacher.method=sda", "teacher.window=3", "run.result=teacher"]}
CELLS = [(arm, init, order) for arm in ARMS for init in range(4) for order in (0, 5, 6, 9)]
FILES = ["log.jsonl", "result.json", "model/model.safetensors"]


def records(name):
    """All lines of the table."""
    lines = []
    for path in sorted(Path(name, "records").glob("*.jsonl")):
        text = path.read_text()
        lines += [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
    return lines


def done(name):
    return [line for line in records(name) if line["state"] == "done"]


def wait_for(name, count):
    for _ in range(24000):
        if len(done(name)) >= count:
            return
        time.sleep(0.005)
    sys.exit(f"study.py: {name}: not {count} cells done within two minutes")


def children(pid):
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:
            continue
        if int(text[text.rindex(")") + 2:].split()[1]) == pid:
            found.append(int(path.parent.name))
    return found


def write(name, *keys):
    pairs = [key.split("=") for key in keys]
    base = BASE | {key: value for key, value in pairs if "." in key}
    text = {"keys": [pair for pair in pairs if "." not in pair[0]], "base": base.items()}
    Path(f"{name}.yaml").write_text(STUDY.format(name=name,
                                                 **{k: ", ".join(map(": ".join, v)) for k, v in text.items()}))


def train_alone(program, cell, keys):
    arm, init, order = cell
    base = [f"{key}={value}" for key, value in BASE.items() if not key.startswith("checkpoint.")]
    subprocess.run([program, "train", "config.yaml", f"run.dir=single/{arm}-{init}-{order}", "model.head=new",
                    f"seed.init={init}", f"seed.order={order}", *base, *ARMS[arm], *keys],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def single(name, program, *keys):
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda cell: train_alone(program, cell, keys), CELLS))


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except OSError:
        return False


def stop(ranks):
    for rank in ranks:
        try:
            os.kill(rank, signal.SIGSTOP)
        except ProcessLookupError:
            pass


def wait_for_end(name, mpirun, ranks):
    """mpirun wakes those that it has not seen die and ends them seconds later. A fast machine finishes the whole table
    in that time: once two more cells are finished they stand still again, until they are killed. mpirun sometimes
    misses that there are none left, and is ended then."""
    enough = len(finished(name)) + 2

    def ended():
        if len(finished(name)) >= enough:
            stop(filter(is_alive, ranks))
        return not any(map(is_alive, ranks))

    if not until(60, ended):
        sys.exit(f"study.py: of the ranks {ranks} some live long after others were killed")
    if not until(15, lambda: not is_alive(mpirun)):
        os.kill(mpirun, signal.SIGTERM)
        if not until(15, lambda: not is_alive(mpirun)):
            sys.exit("study.py: mpirun does not end, all its ranks being gone")


def kill(name, pid, seed):
    draw = random.Random(int(seed))
    # A run may be finished and not yet in the table, if its rank was killed in between.
    wait_for(name, max(len(done(name)), len(finished(name))) + draw.randint(1, 3))
    time.sleep(draw.random() * 0.05)
    # The launcher's first children are commands that it asks something.
    mpirun, ranks = max(((child, children(child)) for child in children(int(pid))), key=lambda found: len(found[1]))
    if len(ranks) != 8:
        sys.exit(f"study.py: mpirun has {len(ranks)} children, expected 8")
    # All stand still while one looks, and until mpirun wakes those that are left: so there is something left to lose
    # however busy the machine is.
    stop(ranks)
    finished_now, held = len(done(name)), len(list(Path(name, "leases").glob("*")))
    if finished_now + 8 >= len(CELLS) or held == 0:
        sys.exit(f"study.py: {name}: {finished_now} cells are finished and {held} under way, too late for a kill")
    victims = ranks if draw.random() < 0.4 else [draw.choice(ranks)]
    for rank in victims:
        os.kill(rank, signal.SIGKILL)
    print(f"{name}: {len(victims)} of 8 ranks killed with {finished_now} cells finished and {held} held")
    wait_for_end(name, mpirun, ranks)


def finished(name):
    return {str(p.parent): [p.stat().st_mtime_ns, p.stat().st_ino] for p in Path(name, "runs").glob("*/result.json")}


def saved_steps(name):
    """Step of the newest checkpoint of each run that is to go on from one: a run killed after its result still has
    some."""
    steps = {}
    for path in Path(name, "runs").glob("*/checkpoints/step-*.h5"):
        run, step = path.parent.parent, int(path.stem.split("-")[1])
        if not (run / "result.json").exists():
            steps[str(run)] = max(step, steps.get(str(run), 0))
    return steps


def note(name, more=""):
    path = Path(f"{name}.noted")
    before = json.loads(path.read_text()) if path.exists() else {"runs": {}, "saved": []}
    now = finished(name)
    for run, stamp in before["runs"].items():
        if now.get(run) != stamp:
            sys.exit(f"study.py: {run} was finished and has been written again")
    count = len(before["runs"])
    if not count + bool(more) <= len(now) < len(CELLS) or len(done(name)) >= len(CELLS):
        sys.exit(f"study.py: {name}: {count} runs were finished, now {len(now)}: "
                 f"expected {'more' if more else 'no less'}, and not all")
    path.write_text(json.dumps({"runs": now, "saved": before["saved"] + [saved_steps(name)]}))


def lost(name, *cells):
    path = Path(f"{name}.noted")
    noted = json.loads(path.read_text())
    runs = {str(Path(name, "runs", cell)) for cell in cells}
    noted["saved"].append({run: step for run, step in saved_steps(name).items() if run in runs})
    path.write_text(json.dumps(noted))


def check_resumed(name, saved):
    """Each run that had a checkpoint when its job ended went on from it, or from a later one."""
    resumed = 0
    for run, step in saved.items():
        rows = [json.loads(line) for line in Path(run, "timing.jsonl").read_text().splitlines()]
        if max((row["resumed"] for row in rows if "resumed" in row), default=-1) < step:
            sys.exit(f"study.py: {run} had a checkpoint of step {step} and did not go on from it")
        resumed += 1
    return resumed


def check(name):
    stamps, noted = finished(name), json.loads(Path(f"{name}.noted").read_text())
    for run, stamp in noted["runs"].items():
        if stamps[run] != stamp:
            sys.exit(f"study.py: {run} was finished and has been written again")
    lines = {}
    for line in done(name):
        key = (line["arm"], int(line["axes"]["seed.init"]), int(line["axes"]["seed.order"]))
        if key in lines:
            sys.exit(f"study.py: {key} was done twice")
        lines[key] = line
    if set(lines) != set(CELLS) or len(stamps) != len(CELLS):
        sys.exit(f"study.py: {name}: {len(lines)} cells and {len(stamps)} runs, expected {len(CELLS)}")
    for (arm, init, order), line in lines.items():
        alone, run = Path(f"single/{arm}-{init}-{order}"), Path(name, "runs", line["cell"])
        for file in FILES:
            if (alone / file).read_bytes() != (run / file).read_bytes():
                sys.exit(f"study.py: {run / file} differs from {alone / file}")
        if line["result"] != json.loads((alone / "result.json").read_text()):
            sys.exit(f"study.py: the table's result of {line['cell']} is not that of {alone}")
        if (run / "checkpoints").exists():
            sys.exit(f"study.py: {run} is finished and keeps checkpoints")
    left = list(Path(name, "leases").iterdir())
    if left:
        sys.exit(f"study.py: {left[0]} is left")
    resumed = sum(check_resumed(name, saved) for saved in noted["saved"])
    if resumed == 0:
        sys.exit(f"study.py: {name}: no run had a checkpoint when a job ended")
    print(f"{name}: {len(lines)} cells with the bits of single runs, none done twice, "
          f"{resumed} times one went on from a checkpoint")


def states(name, *expected):
    last = {}
    for line in sorted(records(name), key=lambda line: line["at"]):
        last[(line["arm"], json.dumps(line["axes"]))] = line["state"]
    for pair in expected:
        arm, state = pair.split("=")
        found = [s for (a, _), s in last.items() if a == arm]
        if found != [state] * 2:
            sys.exit(f"study.py: {arm} is {found}, expected {state} twice")


def summary(name, program):
    out = json.loads(subprocess.run([program, "study", "status", f"{name}.yaml", "--json"], check=True,
                                    capture_output=True, text=True).stdout)
    for arm in [*out["arms"], out["all"]]:
        results = [cell["result"] for cell in out["cells"] if arm is out["all"] or cell["arm"] == arm["name"]]
        for key, value in [("mean", statistics.mean(results)), ("sd", statistics.stdev(results))]:
            if not abs(arm[key] - value) <= 1e-14:
                sys.exit(f"study.py: {key} of {arm['name']} is {arm[key]}, expected {value}")


def test(name, program):
    for line in done(name):
        run = Path(name, "runs", line["cell"])
        out = subprocess.run([program, "eval", str(run), "--data", "test", "--json"], check=True, capture_output=True,
                             text=True).stdout
        found = json.loads(out)
        if {key: found[key] for key in line["test"]} != line["test"]:
            sys.exit(f"study.py: {run}: {line['test']} in the table, eval says {out}")
        if not (run / "logits/test.h5").exists():
            sys.exit(f"study.py: {run} has no logits/test.h5")


if __name__ == "__main__":
    actions = {"write": write, "single": single, "kill": kill, "note": note, "lost": lost, "check": check,
               "states": states, "summary": summary, "test": test,
               "wait": lambda name, count: wait_for(name, int(count))}
    if len(sys.argv) < 3 or sys.argv[1] not in actions:
        sys.exit(__doc__)
    actions[sys.argv[1]](*sys.argv[2:])
