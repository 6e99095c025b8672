#!/usr/bin/env python3
"""Compares the program with PyTorch and transformers on weights of real size.

    live.py MODEL_DIR PROGRAM

MODEL_DIR as `launch/get-model minilm-l6` prints it, or any folder of an architecture that the program knows
(tests/golden/folders.py makes tiny ones); PROGRAM the autodidact to test. First the logits of `PROGRAM predict`; then
20 steps of `PROGRAM train` without dropout, plain and with teachers (SDA, SDV, EMA): loss and distance of each step;
then the folder that a training leaves, with a head of the program's and with the paper's. PyTorch computes in float64.
Exit code 0 where all is within the tolerances, which are printed."""

import inspect
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import safetensors.torch
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


def load(folder, **more):
    return transformers.AutoModelForSequenceClassification.from_pretrained(folder, attn_implementation="eager", **more)


def encode(tokenizer, model, texts, pairs=None, **more):
    """What the model reads. A tokenizer may tell two texts apart for a model that has one type of token, or none."""
    inputs = tokenizer(texts, pairs, return_tensors="pt", return_token_type_ids=True, **more)
    if ("token_type_ids" not in inspect.signature(model.forward).parameters
            or getattr(model.config, "type_vocab_size", 2) < 2):
        inputs.pop("token_type_ids", None)
    return inputs


def most_words(model_folder):
    """Of a text that surely fits."""
    config = transformers.AutoConfig.from_pretrained(model_folder)
    positions = getattr(config, "max_position_embeddings", 512)
    return min(60, positions // 2 - 8) if positions > 0 else 60  # XLNet says -1: it has no limit


def draw_texts(vocabulary, count, random, most=60):
    """Texts of 1 to `most` words, whole ones of the vocabulary and a few that must be split; every third one a pair."""
    words = [word for word in vocabulary if word.isascii() and word.isalpha() and len(word) > 2]
    words = words or [word for word in vocabulary if word.isalnum()]
    texts = []
    for number in range(count):
        chosen = [words[i] for i in random.randint(0, len(words), 1 + number * (most - 1) // max(1, count - 1))]
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


def predicted(program, model_folder, texts, classes):
    """The logits of `predict`."""
    with tempfile.TemporaryDirectory() as folder:
        # One example a line, a tab between the texts of a pair.
        path = pathlib.Path(folder) / "texts.tsv"
        path.write_text("".join("\t".join(text) + "\n" for text in texts))
        lines = call(program, "predict", model_folder, "--data", path, "--logits").splitlines()
    if len(lines) != len(texts):
        sys.exit(f"{program}: {len(lines)} lines of output, expected one for each of {len(texts)} examples")
    # The class, then the logits, separated by tabs.
    got = np.array([[float(field) for field in line.split("\t")[1:]] for line in lines])
    if got.shape != (len(texts), classes):
        sys.exit(f"{program}: {got.shape[1]} logits, expected {classes}")
    return got


def compare_folder(what, program, folder, model, tokenizer, texts):
    """Both sides' logits of the same texts: the program reads the folder, `model` is the same in PyTorch."""
    got = predicted(program, folder, texts, model.config.num_labels)
    model = model.double().eval()
    with torch.no_grad():
        expected = np.stack([model(**encode(tokenizer, model, *text)).logits[0].numpy() for text in texts])
    whole = relative(got, expected)
    worst = max(relative(g, e) for g, e in zip(got, expected))
    print(f"{what}: {len(texts)} examples, {model.config.num_labels} classes: logits differ by {whole:.2e} relative, "
          f"allowed {LOGITS_TOLERANCE:.0e} (worst example {worst:.2e})")
    return bool(whole <= LOGITS_TOLERANCE)


def compare_logits(model_folder, program, count=64, classes=5):
    """Gives the weights of model_folder a random head, has both sides compute the logits of the same texts."""
    torch.manual_seed(0)
    tokenizer = transformers.AutoTokenizer.from_pretrained(model_folder)
    model = load(model_folder, num_labels=classes)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not name.startswith(f"{model.base_model_prefix}."):
                parameter.normal_(0.0, 0.2)
    texts = draw_texts(sorted(tokenizer.get_vocab()), count, np.random.RandomState(0), most_words(model_folder))
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder) / "model"
        shutil.copytree(model_folder, folder, ignore=shutil.ignore_patterns("*.safetensors*", "config.json"))
        model.save_pretrained(folder)
        return compare_folder("random head", program, folder, model, tokenizer, texts)


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
    tokenizer = transformers.AutoTokenizer.from_pretrained(model_folder)
    drawn = draw_texts(sorted(tokenizer.get_vocab()), EXAMPLES, np.random.RandomState(1), most_words(model_folder))
    texts, labels = [" ".join(text) for text in drawn], np.arange(EXAMPLES) % 3
    good = True
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "drawn.yaml").write_text(DESCRIPTOR)
        (folder / "train.tsv").write_text("text\tlabel\n"
                                          + "".join(f"{t}\t{'abc'[c]}\n" for t, c in zip(texts, labels)))
        train(program, folder, model_folder, "start", "train.steps=1", "optim.lr=0")
        for run in RUNS:
            model = load(folder / "start" / "model").double().eval()
            inputs = encode(tokenizer, model, texts, padding=True)
            rows = distilled_steps(run, model, lambda student, _: student(**inputs).logits, labels,
                                   [np.arange(EXAMPLES)] * STEPS, RATE)[1]
            good &= compare_run(run, train(program, folder, model_folder, run.name, *settings_of(run)), rows)
        left = folder / "plain" / "model"
        good &= compare_folder("what a training leaves", program, left, load(left),
                               transformers.AutoTokenizer.from_pretrained(left), drawn)
        train(program, folder, model_folder, "cls", "train.steps=2", "model.classifier=cls")
        good &= compare_bare(folder / "cls" / "model", program, drawn)
    return good


def compare_bare(folder, program, texts):
    """The paper's head, which transformers has no class for: its encoder, and the classifier from the file."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    encoder = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager").double().eval()
    weights = safetensors.torch.load_file(folder / "model.safetensors")
    weight, bias = (weights[name].double() for kind in ("weight", "bias") for name in weights
                    if name.endswith((f"classifier.{kind}", f"out_proj.{kind}", f"logits_proj.{kind}")))
    place = -1 if encoder.config.model_type == "xlnet" else 0
    with torch.no_grad():
        expected = np.stack([(encoder(**encode(tokenizer, encoder, *text)).last_hidden_state[0, place] @ weight.T
                              + bias).numpy() for text in texts])
    error = relative(predicted(program, folder, texts, len(bias)), expected)
    print(f"classifier on the bare state: logits differ by {error:.2e} relative, allowed {LOGITS_TOLERANCE:.0e}")
    return bool(error <= LOGITS_TOLERANCE)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    sys.exit(0 if all([compare_logits(*sys.argv[1:]), compare_training(*sys.argv[1:])]) else 1)


if __name__ == "__main__":
    main()
