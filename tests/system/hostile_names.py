#!/usr/bin/env python3
"""Names that hold control characters reach no terminal and no report as such, whatever file they stand in.

    hostile_names.py PROGRAM    every command, in a folder of its own

Names of classes, tensors, tokens, arms, folders, keys and values hold escape sequences, line ends, C1 controls, marks
of direction, and bytes that are no UTF-8. A command's output, and what a report writes, must hold none of them, and
most must show the escaped name. Python's standard library only."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

import tiny

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))

INLINE = "\x1b]0;n\a\x1b[2J\b\x7f\u009b31m\u202e\u2066\ufeff\u200b\u00ad\U000e0041"  # may stand in a line of any file
NASTY = INLINE + "\r\n\u0085\u2028\t"
SHOWN = [r"\\(x1b|u001B)\[2J", r"\\u202e"]  # what people see of either: patterns
BROKEN = b"\x9b31m\xff\x1b[31m"  # no UTF-8
CLASSES = [NASTY + "no", NASTY + "yes"]
ARMS = ["plain", INLINE, "'quoted' first", "100 %d %s %n", "=1+1", "@sum", "-a", "é ‘ü’"]
FORMULA = tuple("=+-@\t\r")

failed = 0


def raw(text):
    """The first character that a terminal may take for a command, or that hides or turns what stands beside it."""
    for c in text:
        kind = unicodedata.category(c)
        if c not in "\n\t\u200c\u200d" and kind in ("Cc", "Cf", "Zl", "Zp", "Cs"):
            return f"U+{ord(c):04X} in {text[max(0, text.index(c) - 60):][:120]!r}"
    return None


def check(name, data, shown=()):
    """Bytes that people are shown; patterns that must stand in them."""
    global failed
    try:
        text = data.decode("utf-8")
        found = raw(text) or next((f"does not show /{part}/: {text[-600:]!r}"
                                   for part in shown if not re.search(part, text)), None)
    except UnicodeDecodeError as error:
        found = str(error)
    if found:
        failed += 1
        print(f"FAIL {name}: {found}")
    return not found


def quoted(text):
    """As YAML."""
    return '"' + "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in text) + '"'


class Commands:
    def __init__(self, program):
        self.program = program

    def __call__(self, name, *command, code=0, shown=SHOWN, environment=None, feed=b""):
        global failed
        done = subprocess.run([self.program, *command], input=feed, capture_output=True, timeout=120, check=False,
                              env={**os.environ, **(environment or {})})
        if done.returncode != code:
            failed += 1
            print(f"FAIL {name}: exit code {done.returncode}, expected {code}: {done.stderr!r}")
        check(name, done.stdout + b"\n" + done.stderr, shown)
        return done.stdout


def write_inputs():
    tiny.write_all(Path("."))
    words = [*tiny.VOCABULARY[:-1], INLINE.replace("\ufeff", "")]
    Path("model/vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8", newline="")
    labels = {str(i): name for i, name in enumerate(CLASSES)}
    config = tiny.model_config(id2label=labels, label2id={name: int(i) for i, name in labels.items()})
    Path("model/config.json").write_text(json.dumps(config))
    tensors = dict(tiny.tensors())
    Path("named.safetensors").write_bytes(tiny.safetensors({NASTY: ([2], [1.0, 2.0])}))
    Path("model/model.safetensors").write_bytes(tiny.safetensors({**tensors, NASTY: ([2], [1.0, 2.0])}))
    Path("data").rename(INLINE)
    text = tiny.descriptor(classes=[quoted(name) for name in CLASSES]).replace("title: tiny", "title: " + quoted(NASTY))
    text = text.replace('"0": negative, "1": positive', f'"0": {quoted(CLASSES[0])}, "1": {quoted(CLASSES[1])}')
    Path("tiny.yaml").write_text(text, encoding="utf-8")
    Path("config.yaml").write_text(tiny.CONFIG.replace("folder: data", "folder: " + quoted(INLINE)), encoding="utf-8")


def runs(command):
    """Everything that works, on runs in folders with such names."""
    a, b = "a" + NASTY, "b" + NASTY
    data = f"{INLINE}/test.tsv"
    keys = ["eval.keep_logits=true", "checkpoint.finished=true", "snapshot.every=2"]
    command("train", "train", "config.yaml", f"run.dir={a}", *keys)
    command("train again", "train", "config.yaml", f"run.dir={a}", *keys, code=1)
    command("another train", "train", "config.yaml", f"run.dir={b}", "seed.order=1")
    for more in ([], ["--json"]):
        command(f"eval {more}", "eval", a, "--data", data, *more, shown=[])
        command(f"vote {more}", "eval", a, b, "--data", data, "--vote", *more, shown=[])
    command("average", "eval", a, b, "--data", data, "--average", "--out", "mean" + NASTY)
    out = command("predict", "predict", a, "--data", data)
    lines = out.decode().split("\n")
    if len(lines) != 9 or not all(line.endswith(("\\tno", "\\tyes")) for line in lines[:-1]):
        sys.exit(f"predict: not one line for each of 8 rows: {out!r}")
    command("predict --logits", "predict", "model", "--data", data, "--logits")
    for name in ("data", "order"):
        command(name, name, "config.yaml", shown=SHOWN if name == "data" else [])
    command("diff", "diff", a, b, code=1)
    command("verify", "verify", a)
    command("export", "export", a, "--out", "exported" + NASTY)
    for path in (a, "model", "exported" + NASTY, "named.safetensors"):
        command(f"inspect {path!r}", "inspect", path)
    for path in sorted(Path(a).rglob("*.*")):
        other = path.name in ("descriptor.yaml", "inputs.json", "files.jsonl", "vocab.txt", "special_tokens_map.json",
                              "tokenizer_config.json")
        command(f"inspect {path.name}", "inspect", str(path), code=1 if other else 0)
    feed = ("good " + INLINE + " film\n").encode()
    command("tokenize", "tokenize", "--model", "model", "--tokens", feed=feed, shown=[])
    command("tokenize a token", "tokenize", "--model", "model", "--tokens", feed=INLINE.encode(), shown=[])
    command("doctor", "doctor", environment={"AUTODIDACT_DATASETS": NASTY})


def refusals(command):
    """What is refused, by messages that name it."""
    bad = {"a key": f"{quoted(NASTY)}: 1\n", "a value": f"run: {{select: {quoted(NASTY)}}}\n",
           "a descriptor": f"run: {{dir: x}}\ndata: {{descriptor: {quoted(NASTY)}}}\n",
           "a model": f"run: {{dir: x}}\ndata: {{descriptor: tiny.yaml}}\nmodel: {{path: {quoted(NASTY)}}}\n",
           "a doubled key": f"run:\n  {quoted(NASTY)}: 1\n  {quoted(NASTY)}: 1\n",
           "raw bytes": INLINE + ": 1\n"}
    for name, text in bad.items():
        Path(f"{INLINE}.yaml").write_text(text, encoding="utf-8")
        for kind in ("train", "data"):
            command(f"{kind}, {name}", kind, f"{INLINE}.yaml", code=1)
    for argument in (f"{NASTY}=1", f"run.select={NASTY}", NASTY, f"--{NASTY}", b"run.dir=" + BROKEN, BROKEN + b"=1",
                     b"--" + BROKEN):
        command(f"train {argument!r}", "train", "config.yaml", argument, code=1,
                shown=[r"\\x1b|no UTF-8"])
    for name in ("train", "eval", "predict", "tokenize", "data", "diff", "verify", "inspect", "export"):
        more = {"eval": ["--data", BROKEN], "predict": ["--data", BROKEN], "tokenize": ["--model", BROKEN],
                "diff": [BROKEN], "export": ["--out", "x"]}.get(name, [])
        command(f"{name} of what is not there", name, BROKEN, *more, code=1, shown=[r"\\xff\\x1b"])
        command(f"{name} --option", name, b"--" + BROKEN, code=1, shown=[r"\\xff\\x1b"])
    command("an unknown command", NASTY, code=1)
    command("an unknown study command", "study", NASTY, code=1)
    for name, text in {"label": f"sentence\tlabel\na film\t{INLINE}\n",
                       "column": f"sentence\t{INLINE}\na film\t1\n"}.items():
        Path(INLINE, "train.tsv").rename("kept")
        Path(INLINE, "train.tsv").write_text(text, encoding="utf-8")
        command(f"data, a {name}", "data", "config.yaml", code=1)
        Path("kept").replace(Path(INLINE, "train.tsv"))
    for name, text in {"json": f'{{"{INLINE}": 1}}', "jsonl": INLINE, "safetensors": INLINE, "h5": INLINE,
                       "yaml": f"{quoted(NASTY)}: 1"}.items():
        Path(f"{INLINE}.{name}").write_text(text, encoding="utf-8")
        command(f"inspect a bad {name}", "inspect", f"{INLINE}.{name}", code=1)
    model = Path("model/config.json").read_text()
    for changes in ({"hidden_act": NASTY}, {"model_type": NASTY}, {"layer_norm_eps": NASTY}):
        Path("model/config.json").write_text(json.dumps(json.loads(model) | changes))
        command(f"inspect, {list(changes)}", "inspect", "model", code=1)
    Path("model/config.json").write_text(model)


def study(command):
    """Reports have every arm's name and figure; in CSV no cell is a formula."""
    arms = "".join(f"  {quoted(name)}: {{optim.lr: {1 + i}e-3}}\n" for i, name in enumerate(ARMS))
    Path("study.yaml").write_text(f"study: {{name: {quoted(NASTY)}, dir: {quoted('study' + INLINE)}, failed: never}}\n"
                                  "base: {file: config.yaml, train.epochs: 1}\n"
                                  "axes: {seed.init: 0..1, seed.order: 0..1}\narms:\n" + arms)
    command("study run", "study", "run", "study.yaml", shown=[])
    command("study status", "study", "status", "study.yaml")
    command("study status --json", "study", "status", "study.yaml", "--json")
    command("study report", "study", "report", "study.yaml", "--out", "report" + INLINE)
    files = [path for path in Path("report" + INLINE).rglob("*") if path.is_file()]
    if not {".html", ".csv", ".json", ".txt"} <= {path.suffix for path in files}:
        sys.exit(f"study report: wrote only {[path.name for path in files]}")
    for path in files:
        check(path.name, path.read_bytes())
        if path.suffix == ".csv":
            rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines(keepends=True), strict=True))
            formulas = [cell for row in rows for cell in row
                        if cell.startswith(FORMULA) and not re.fullmatch(r"[-+]?[0-9.]+(e[-+]?[0-9]+)?", cell)]
            if formulas or len(set(map(len, rows))) > 1:
                sys.exit(f"{path.name}: formulas {formulas}, widths {set(map(len, rows))}")
    for path in Path("study" + INLINE, "records").glob("*.jsonl"):
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        lines[0] |= {"state": "failed", "status": "AD_EINPUT", "message": "read " + NASTY}
        lines[1]["arithmetic"] = NASTY
        path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
    command("study status, a failed cell", "study", "status", "study.yaml",
            shown=[r"failed: .*: read \\x1b", r"arithmetics: .*\\x1b"])
    page = next(path for path in files if path.suffix == ".html").read_text(encoding="utf-8")
    if page.count("<figure") != page.count("<svg") or page.count("<svg") < 3:
        sys.exit(f"study report: {page.count('<figure')} figures, {page.count('<svg')} drawn")
    figures = "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    for name in ("plain", "\\x1b[2J", "'quoted' first", "100 %d %s %n", "=1+1"):
        if name not in figures:
            sys.exit(f"study report: no figure names {name!r}")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    command = Commands(os.path.abspath(sys.argv[1]))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write_inputs()
        runs(command)
        refusals(command)
        study(command)
        os.chdir("/")
    print(f"names with control characters: {failed} failed" if failed
          else "ok   names with control characters, in every command")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
