#!/usr/bin/env python3
"""Compares the program with PyTorch and transformers on weights of real size.

    live.py MODEL_DIR PROGRAM

MODEL_DIR as `launch/get-model minilm-l6` prints it, PROGRAM the autodidact to test. First the logits of `PROGRAM
predict`; then 20 steps of `PROGRAM train` without dropout, plain and with teachers (SDA, SDV, EMA): loss and distance
of each step. PyTorch computes in float64. Exit code 0 where all is within the tolerances, which are printed."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import torch
import transformers

from reference import STEPS, Run, distilled_steps, relative

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))

LOGITS_TOLERANCE = 2e-5
# Over 20 steps, of a loss; of a distance relative to the largest one of the run. Float32 gives 1e-5 and 2e-5.
LOSS_TOLERANCE, DISTANCE_TOLERANCE = 1e-4, 2e-4
EXAMPLES, RATE = 12, 1e-4
RUNS = (Run("plain", "none", 1, weight=0.0), Run("sda", "sda", 3), Run("sdv", "sdv", 2),
        Run("sda-all", "sda", 0, lag=0, every=2, ramp=0.3, start=4), Run("ema", "ema", 1, decay=0.9))
DESCRIPTOR = """title: drawn words
source: live.py
licence: none
format: tsv
header: true
columns: {text: text, label: label}
classes: [a, b, c]
splits:
  train: {file: train.tsv}
"""


def draw_texts(vocabulary, count, random):
    """Texts of 1 to 60 words, whole words of the vocabulary and a few that must be split; every third one a pair."""
    words = [word for word in vocabulary if word.isascii() and word.isalpha() and len(word) > 2]
    texts = []
    for number in range(count):
        chosen = [words[i] for i in random.randint(0, len(words), 1 + number * 59 // max(1, count - 1))]
        if number % 4 == 0:
            chosen.append(chosen[0] + words[random.randint(len(words))] + "s,")
        half = len(chosen) // 2 if number % 3 == 1 else 0
        parts = [part for part in (chosen[:half], chosen[half:]) if part]
        texts.append([" ".join(part).capitalize() + "." for part in parts])
    return texts


def call(*command):
    """What the program prints; ends where it fails."""
    run = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True, check=False)
    if run.returncode != 0:
        sys.exit(f"{' '.join(str(word) for word in command)}: exit code {run.returncode}\n{run.stderr}")
    return run.stdout


def compare_logits(model_folder, program, count=64, classes=5):
    """Gives the weights of model_folder a random head, has both sides compute the logits of the same texts."""
    torch.manual_seed(0)
    tokenizer = transformers.BertTokenizer.from_pretrained(model_folder)
    model = transformers.BertForSequenceClassification.from_pretrained(model_folder, num_labels=classes,
                                                                       attn_implementation="eager")
    with torch.no_grad():
        model.classifier.weight.normal_(0.0, 0.2)
        model.classifier.bias.normal_(0.0, 0.2)
    texts = draw_texts(sorted(tokenizer.get_vocab()), count, np.random.RandomState(0))
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        model.save_pretrained(folder / "model")
        shutil.copy(pathlib.Path(model_folder) / "vocab.txt", folder / "model")
        # One example a line, a tab between the texts of a pair.
        (folder / "texts.tsv").write_text("".join("\t".join(text) + "\n" for text in texts))
        lines = call(program, "predict", folder / "model", "--data", folder / "texts.tsv", "--logits").splitlines()
    if len(lines) != count:
        sys.exit(f"{program}: {len(lines)} lines of output, expected one for each of {count} examples")
    # The class, then the logits, separated by tabs.
    got = np.array([[float(field) for field in line.split("\t")[1:]] for line in lines])
    if got.shape != (count, classes):
        sys.exit(f"{program}: {got.shape[1]} logits, expected {classes}")
    model = model.double().eval()
    with torch.no_grad():
        expected = np.stack([model(**tokenizer(*text, return_tensors="pt")).logits[0].numpy() for text in texts])
    whole = relative(got, expected)
    worst = max(relative(g, e) for g, e in zip(got, expected))
    print(f"{count} examples, {classes} classes: logits differ by {whole:.2e} relative, allowed {LOGITS_TOLERANCE:.0e} "
          f"(worst example {worst:.2e})")
    return bool(whole <= LOGITS_TOLERANCE)


def train(program, folder, model_folder, name, *settings):
    """One run of the program, all examples in each batch; the rows of its log."""
    common = ["model.dropout=0", f"batch.size={EXAMPLES}", "batch.lanes=4", "batch.rounds=2", "optim.warmup=0.2"]
    (folder / "job.yaml").write_text(f"model: {{path: {model_folder}}}\n"
                                     f"data: {{descriptor: {folder}/drawn.yaml, folder: {folder}}}\n")
    call(program, "train", folder / "job.yaml", f"run.dir={folder / name}", *common, *settings)
    return [json.loads(line) for line in (folder / name / "log.jsonl").read_text().splitlines()]


def settings_of(run):
    return [f"train.steps={STEPS}", f"optim.lr={RATE}", f"teacher.method={run.method}",
            f"teacher.window={run.window or 'all'}", f"teacher.every={run.every}", f"teacher.lag={run.lag}",
            f"teacher.weight={run.weight}", f"teacher.ramp={run.ramp}", f"teacher.start={run.start}",
            f"teacher.decay={run.decay}"]


def compare_run(run, rows, expected):
    """The program's rows of a run against PyTorch's."""
    steps = [row for row in rows if "step" in row and "loss" in row and "chain" in row]
    if len(steps) != STEPS:
        sys.exit(f"{run.name}: {len(steps)} steps in the log, expected {STEPS}")
    loss = max(abs(row["loss"] - e) / e for row, e in zip(steps, expected["loss"]))
    computed = [row.get("distance") is not None for row in steps] == [weight > 0.0 for weight in expected["weight"]]
    largest = max(expected["distance"])
    distance = max(abs((row.get("distance") or 0.0) - e)
                   for row, e in zip(steps, expected["distance"])) / (largest or 1.0)
    print(f"{run.name}: loss {steps[0]['loss']:.4f} to {steps[-1]['loss']:.4f}, "
          f"differs by {loss:.2e} relative, allowed "
          f"{LOSS_TOLERANCE:.0e}; distance up to {largest:.2e}, differs by {distance:.2e} of it, allowed "
          f"{DISTANCE_TOLERANCE:.0e}" + ("" if computed else "; computed in other steps than it should be"))
    return bool(loss <= LOSS_TOLERANCE and distance <= DISTANCE_TOLERANCE and computed)


def compare_training(model_folder, program):
    """Each run of RUNS, from the same new head, which is read from a run that changes nothing."""
    tokenizer = transformers.BertTokenizer.from_pretrained(model_folder)
    drawn = draw_texts(sorted(tokenizer.get_vocab()), EXAMPLES, np.random.RandomState(1))
    texts, labels = [" ".join(text) for text in drawn], np.arange(EXAMPLES) % 3
    inputs = tokenizer(texts, return_tensors="pt", padding=True)
    good = True
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "drawn.yaml").write_text(DESCRIPTOR)
        (folder / "train.tsv").write_text("text\tlabel\n"
                                          + "".join(f"{t}\t{'abc'[c]}\n" for t, c in zip(texts, labels)))
        train(program, folder, model_folder, "start", "train.steps=1", "optim.lr=0")
        for run in RUNS:
            model = transformers.BertForSequenceClassification.from_pretrained(
                folder / "start" / "model", attn_implementation="eager", hidden_dropout_prob=0.0,
                attention_probs_dropout_prob=0.0, classifier_dropout=0.0).double().eval()
            rows = distilled_steps(run, model, lambda student, _: student(**inputs).logits, labels,
                                   [np.arange(EXAMPLES)] * STEPS, RATE)[1]
            good &= compare_run(run, train(program, folder, model_folder, run.name, *settings_of(run)), rows)
    return good


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    sys.exit(0 if all([compare_logits(*sys.argv[1:]), compare_training(*sys.argv[1:])]) else 1)


if __name__ == "__main__":
    main()
