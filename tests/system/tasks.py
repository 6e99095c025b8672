#!/usr/bin/env python3
"""Several tasks at once, in a folder of tiny.py: the same bits on other ranks and after a kill, scores that predictions
and labels give by themselves, one task of a run alone, a study, and lists that are refused.

    tasks.py    AD_PROGRAM is the program, AD_SOURCE the sources. Python's standard library only"""

import csv
import json
import os
import random
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import tiny

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))

PROGRAM, SOURCE = os.environ["AD_PROGRAM"], Path(os.environ["AD_SOURCE"])
PAIRS = ["same", "other", "none"]
NAME = "tiny:classification:2,pairs:classification:3"
TASKS = {"tiny": tiny.CLASSES, "pairs": PAIRS}
KEYS = ["data.descriptor=tiny.yaml,pairs.yaml", "data.folder=data,", "batch.lanes=8", "train.epochs=3",
        "model.dropout=0.2", "model.head=new"]
SDA = ["teacher.method=sda", "teacher.window=3", "checkpoint.every=2", "eval.keep_logits=true"]


def run(*arguments, code=0):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != code:
        sys.exit(f"{' '.join(map(str, arguments))}: exit code {done.returncode}, expected {code}\n{done.stderr}")
    return done


def train(name, *keys, code=0):
    return run("train", "config.yaml", f"run.dir={name}", *KEYS, *keys, code=code)


def expect(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: found {found}, expected {expected}")


def write_pairs():
    draw = random.Random(5)
    for split, count in (("train", 19), ("dev", 7), ("test", 9)):
        with open(f"pairs-{split}.csv", "w", encoding="ascii", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["first", "second", "label"])
            for _ in range(count):
                first = draw.choice(tiny.WORDS[:12])
                label = draw.randrange(3)
                rows.writerow([first, first if label == 0 else "film plot" if label == 2 else "good", PAIRS[label]])
    splits = "".join(f"  {split}: {{file: pairs-{split}.csv}}\n" for split in ("train", "dev", "test"))
    Path("pairs.yaml").write_text("title: Pairs\nformat: csv\nheader: true\nclasses: [same, other, none]\n"
                                  f"columns: {{text: first, pair: second, label: label}}\nsplits:\n{splits}")


def labels_of(task, split):
    if task == "tiny":
        rows = Path(f"data/{split}.tsv").read_text().splitlines()[1:]
        return [tiny.CLASSES[int(row.split("\t")[1])] for row in rows]
    with open(f"pairs-{split}.csv", encoding="ascii", newline="") as file:
        return [row["label"] for row in csv.DictReader(file)]


def check_bits():
    """On three and eight ranks, and killed on two and continued on one."""
    train("whole", *SDA)
    for ranks in (3, 8):
        done = subprocess.run([SOURCE / "launch/local", "-n", str(ranks), "train", "config.yaml", f"run.dir=r{ranks}",
                               *KEYS, *SDA], capture_output=True, text=True, check=False)
        expect(f"{ranks} ranks: {done.stderr}", done.returncode, 0)
    subprocess.run([SOURCE / "launch/local", "-n", "2", "train", "config.yaml", "run.dir=killed", *KEYS, *SDA,
                    "--inject=kill@7"], capture_output=True, check=False)
    if not list(Path("killed/checkpoints").glob("*.h5")) or Path("killed/result.json").exists():
        sys.exit("the run was not killed behind a checkpoint")
    train("killed", *SDA)
    for name in ("r3", "r8", "killed"):
        for file in ("log.jsonl", "result.json", "model/model.safetensors", "variants/teacher/model.safetensors"):
            same = Path(name, file).read_bytes() == Path("whole", file).read_bytes()
            expect(f"{name}/{file} is that of one rank", same, True)
    run("verify", "whole", "--replay", 4)
    shutil.rmtree("r8")


def check_log():
    """Each step is of one task; an epoch has all batches of both."""
    rows = [json.loads(line) for line in Path("whole/log.jsonl").read_text().splitlines()]
    steps = [row for row in rows if "chain" in row]
    expect("steps", len(steps), 3 * (3 + 3))
    for epoch in (1, 2, 3):
        of = [row for row in steps if row["epoch"] == epoch]
        for task, sizes in (("tiny", [8, 8, 8]), ("pairs", [3, 8, 8])):
            expect(f"batches of {task}", sorted(row["examples"] for row in of if row["task"] == task), sizes)
    order = [list(map(int, line.split()[1:])) for line in run("order", "config.yaml", *KEYS).stdout.splitlines()]
    expect("examples of the first epoch", sorted(sum(order[:6], [])), list(range(24 + 19)))
    for ids, row in zip(order, steps):
        expect("the task of a step", {"tiny" if i < 24 else "pairs" for i in ids}, {row["task"]})


def error_of(source, task, split):
    told = ["--data", split, "--task", task]
    predicted = run("predict", source, *told).stdout.split("\n")[:-1]
    labels = labels_of(task, split)
    expect(f"predictions of {task}", len(predicted), len(labels))
    return sum(one != other for one, other in zip(predicted, labels)) / len(labels)


def check_scores():
    """By predictions and labels; `eval` of all tasks and of each says the same."""
    dev = json.loads(Path("whole/result.json").read_text())["dev"]
    errors = {task: error_of("whole", task, "dev") for task in TASKS}
    for task, error in errors.items():
        expect(f"dev {task}.error", abs(dev[f"{task}.error"] - error) < 1e-12, True)
    expect("the mean of errors", abs(dev["error"] - sum(errors.values()) / 2) < 1e-12, True)
    both = json.loads(run("eval", "whole", "--data", "test", "--json").stdout)
    for task in TASKS:
        one = json.loads(run("eval", "whole", "--data", "test", "--task", task, "--json").stdout)
        for score in ("error", "accuracy", "macro_f1", "matthews", "loss"):
            expect(f"test {task}.{score}", both[f"{task}.{score}"], one[score])
    if "pairs error" not in run("eval", "whole", "--data", "test").stdout:
        sys.exit("eval does not print the scores of each task")


def tensor(folder, name):
    data = Path(folder, "model.safetensors").read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    begin, end = json.loads(data[8:8 + size])[name]["data_offsets"]
    return data[8 + size + begin:8 + size + end]


def check_one_task():
    """An ordinary folder of one head; a training on one task keeps it."""
    run("export", "whole", "--out", "exported", "--task", "pairs")
    config = json.loads(Path("exported/config.json").read_text())
    expect("classes", config["id2label"], {str(i): name for i, name in enumerate(PAIRS)})
    expect("other keys", "autodidact_tasks" in config, False)
    rows = len(tiny.CLASSES) * tiny.HIDDEN * 4
    expect("rows of the classifier", tensor("exported", "classifier.weight"),
           tensor("whole/model", "classifier.weight")[rows:])
    texts = [line.replace(",", "\t").rsplit("\t", 1)[0] for line in Path("pairs-test.csv").read_text().splitlines()[1:]]
    Path("texts.txt").write_text("\n".join(texts) + "\n")
    alone = run("predict", "exported", "--data", "texts.txt", "--logits").stdout
    expect("logits", run("predict", "whole", "--data", "test", "--task", "pairs", "--logits").stdout, alone)
    expect("logits of the folder", run("predict", "whole/model", "--data", "texts.txt", "--task", "pairs",
                                       "--logits").stdout, alone)
    done = run("train", "config.yaml", "run.dir=after", "data.descriptor=pairs.yaml", "data.folder=",
               "model.path=whole/model", "model.head=keep", "optim.lr=0", "train.steps=1")
    if "of several tasks the head of that name is taken" not in done.stderr:
        sys.exit(f"train does not say which head it keeps:\n{done.stderr}")
    expect("the head that is kept", tensor("after/model", "classifier.weight"), tensor("exported", "classifier.weight"))
    run("train", "config.yaml", "run.dir=again", *KEYS, "model.path=whole/model", "model.head=keep", "optim.lr=0",
        "train.steps=1")
    expect("all heads", tensor("again/model", "classifier.weight"), tensor("whole/model", "classifier.weight"))


def check_kinds():
    """Classes and numbers together: the scores of numbers from predictions and labels."""
    for split, count in (("train", 21), ("dev", 8), ("test", 9)):
        rows = [(text, text.split().count("film") + 0.5 * label) for label, text in tiny.rows(count, 40 + count)]
        Path(f"marks-{split}.csv").write_text("text,mark\n" + "".join(f"{text},{mark}\n" for text, mark in rows))
    splits = "".join(f"  {split}: {{file: marks-{split}.csv}}\n" for split in ("train", "dev", "test"))
    Path("marks.yaml").write_text("title: Marks\ntask: regression\nformat: csv\nheader: true\n"
                                  f"columns: {{text: text, label: mark}}\nsplits:\n{splits}")
    train("kinds", "data.descriptor=marks.yaml,tiny.yaml", "data.folder=,data", *SDA)
    found = json.loads(run("eval", "kinds", "--data", "test", "--json").stdout)
    told = list(map(float, run("predict", "kinds", "--data", "test", "--task", "marks").stdout.split()))
    marks = [float(line.rsplit(",", 1)[1]) for line in Path("marks-test.csv").read_text().splitlines()[1:]]
    error = sum((one - other) ** 2 for one, other in zip(told, marks)) / len(marks)
    expect("marks.mse", abs(found["marks.mse"] - error) < 1e-6, True)
    expect("the mean loss", abs(found["loss"] - (found["marks.mse"] + found["tiny.loss"]) / 2) < 1e-12, True)
    run("export", "kinds", "--out", "numbers", "--task", "marks")
    expect("problem_type", json.loads(Path("numbers/config.json").read_text())["problem_type"], "regression")
    run("train", "config.yaml", "run.dir=marks", "data.descriptor=marks.yaml", "data.folder=", "optim.lr=0",
        "model.path=kinds/model", "model.head=keep", "train.steps=1")
    expect("the head that is kept", tensor("marks/model", "classifier.weight"), tensor("numbers", "classifier.weight"))
    run("report", "kinds", "--out", "report-kinds")
    run("verify", "kinds")


def check_file_of_sets():
    """The descriptor that a run keeps is one for others: the same bits."""
    shutil.copy("whole/descriptor.yaml", "sets.yaml")
    train("sets", *SDA, "data.descriptor=sets.yaml")
    expect("the log", Path("sets/log.jsonl").read_bytes(), Path("whole/log.jsonl").read_bytes())


def check_other_commands():
    for arguments in (["inspect", "whole"], ["inspect", "whole/model"], ["report", "whole", "--out", "report"],
                      ["runs", "."], ["diff", "whole", "r3"], ["data", "config.yaml", *KEYS],
                      ["train", "config.yaml", "run.dir=planned", *KEYS, "--plan"]):
        run(*arguments)
    if "dev.pairs.error" not in run("runs", ".").stdout:
        sys.exit("runs does not list the scores of each task")
    shutil.copytree("data", "moved")
    run("eval", "whole", "--data", "moved/test.tsv", "--task", "tiny")


def check_study():
    Path("study.yaml").write_text(
        "study: {dir: study, result: test.pairs.error}\nbase: config.yaml\naxes: {seed.order: 0..2}\n"
        "arms:\n  alone: {data: {descriptor: pairs.yaml, folder: ''}}\n"
        "  both: {data: {descriptor: 'tiny.yaml,pairs.yaml', folder: 'data,'}}\n")
    run("study", "run", "study.yaml")
    report = run("study", "report", "study.yaml").stdout
    if "test pairs.error" not in report:
        sys.exit(f"the report does not name the result:\n{report}")
    for path in Path("study/records").glob("*"):
        for record in map(json.loads, path.read_text().splitlines()):
            if "majority" in record:
                expect("share of the most frequent class", record["majority"],
                       {split: max(map(labels_of("pairs", split).count, PAIRS)) / len(labels_of("pairs", split))
                        for split in ("dev", "test")})


def check_refusals():
    """Message by message; nothing is left behind."""
    shutil.copy("pairs.yaml", "other.yaml")
    Path("empty.csv").write_text("first,second,label\n")
    Path("nodev.yaml").write_text(Path("pairs.yaml").read_text().replace("  dev: {file: pairs-dev.csv}\n", ""))
    Path("sub").mkdir()
    shutil.copy("pairs.yaml", "sub/pairs.yaml")
    Path(f"{'x' * 50}.yaml").write_text(Path("pairs.yaml").read_text())
    damaged = json.loads(Path("whole/model/config.json").read_text())
    shutil.copytree("whole/model", "wrong")
    damaged["autodidact_tasks"][0]["labels"].pop()
    Path("wrong/config.json").write_text(json.dumps(damaged))
    shutil.copytree("whole/model", "odd")
    damaged["autodidact_tasks"][0]["labels"] = "negative"
    Path("odd/config.json").write_text(json.dumps(damaged))
    rows = [
        (["data.descriptor=tiny.yaml,nothing"], 'no data set "nothing"'),
        (["data.descriptor=tiny.yaml,sets.yaml"], "sets.yaml has several data sets, expected one in a list"),
        (["data.descriptor=sets.yaml", "data.folder=data"], "data.folder is 'data', 1 item, expected 2"),
        (["data.descriptor=tiny.yaml,"], "expected a name or a path in each place"),
        (["data.descriptor=pairs.yaml,sub/pairs.yaml"], 'tasks 1 and 2 both have the name "pairs"'),
        ([f"data.descriptor=tiny.yaml,{'x' * 50}.yaml"], "of 50 bytes, expected 1 to 47"),
        (["data.descriptor=" + ",".join(["tiny.yaml"] * 9), "data.folder="], "9 tasks at once, expected 1 to 8"),
        (["data.folder=data"], "data.folder is 'data', 1 item, expected 2"),
        (["data.train=a,b,c"], "data.train is 'a,b,c', 3 items, expected 2"),
        (["data.train=,empty.csv"], "empty.csv: no rows found"),
        (["data.train=,none.csv"], "none.csv"),
        (["data.task=,unheard"], "unheard"),
        (["data.descriptor=tiny.yaml,nodev.yaml"], "the data set nodev has no dev split"),
        (["data.temperature=0"], "data.temperature is '0', expected a number from 0.01"),
        (["run.metric=macro_f1"],
         f"run.metric is 'macro_f1', expected a score of the task {NAME}: error, tiny.error"),
        (["run.metric=none.error"], "run.metric is 'none.error'"),
        (["train.class_weights=balanced"], "train.class_weights is 'balanced' with several tasks, expected it with"),
        (["data.hold_out=3"], "all data sets have a dev split already"),
        (["model.path=wrong"], "has 4 labels together, expected 5 as id2label has"),
        (["model.path=odd"], 'autodidact_tasks is'),
        (["data.descriptor=other.yaml", "data.folder=", "model.path=whole/model", "model.head=keep"],
         "it has heads for tiny, pairs, none for other"),
    ]
    for keys, message in rows:
        done = subprocess.run([PROGRAM, "train", "config.yaml", "run.dir=new", *KEYS, *keys], capture_output=True,
                              text=True, check=False)
        if not 1 <= done.returncode < 99 or message not in done.stderr or Path("new").exists():
            sys.exit(f"{keys}: exit code {done.returncode}, expected the message '{message}'\n{done.stderr}")
    commands = [
        (["eval", "whole", "--data", "test", "--task", "none"], "the task is 'none', expected one of: tiny, pairs"),
        (["eval", "whole", "--data", "data/test.tsv"], "expected one of them (--task)"),
        (["eval", "after", "--data", "test", "--task", "tiny"], "the task is 'tiny', expected the only one, pairs"),
        (["predict", "whole", "--data", "test"], "a model of several tasks, expected --task with one of: tiny, pairs"),
        (["predict", "whole/model", "--text", "good"], "expected --task with one of: tiny, pairs"),
        (["predict", "whole/model", "--text", "good", "--task", "none"], "it has heads for tiny, pairs, none for none"),
        (["predict", "whole", "--text", "good", "--task", "pairs"], "trained on pairs"),
        (["export", "whole", "--out", "out", "--task", "none"], "expected one of: tiny, pairs"),
        (["export", "whole", "--tensorboard", "out", "--task", "tiny"], "--task is for --out"),
    ]
    for arguments, message in commands:
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False)
        if not 1 <= done.returncode < 99 or message not in done.stderr:
            sys.exit(f"{arguments}: exit code {done.returncode}, expected the message '{message}'\n{done.stderr}")


def main():
    write_pairs()
    check_bits()
    check_log()
    check_scores()
    check_one_task()
    check_file_of_sets()
    check_kinds()
    check_other_commands()
    check_study()
    check_refusals()


if __name__ == "__main__":
    main()
