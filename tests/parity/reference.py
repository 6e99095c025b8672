#!/usr/bin/env python3
"""Reference numbers from PyTorch and transformers for the encoder: tests/parity/data/encoder-*.h5.

    reference.py                            writes the files
    reference.py --check                    computes everything again and compares it with the stored files
    reference.py --live MODEL_DIR PROGRAM   compares `PROGRAM predict` with transformers on the weights of MODEL_DIR

Needs torch, transformers, h5py and numpy. The C test (tests/unit/test_parity.c) needs the stored files only.

Everything is computed in float64 from float32 weights, dropout off, examples padded to the longest and masked. The
weights are drawn from numpy's RandomState (whose streams never change) with standard deviation 0.2, ten times BERT's,
layer norms included, so that no gradient is tiny. To keep the files small, weights are rounded to 8 significant bits
before they are used, and gradients to 17 after they are computed (at most 2^-17 = 8e-6 relative, where 1e-4 is asked
for).

Letters: B examples, T tokens without padding, H hidden, C classes. Schema of a file (one model, one batch):

  attributes         hidden heads ffn layers vocab positions types classes (integers), layer_norm_eps, activation
                     (Hugging Face's hidden_act), classifier ("pooler" or "cls": on the bare [CLS] state)
  ids, types   [T]   uint32: token ids and segments of the examples, one after another
  lengths      [B]   uint32: tokens of each example
  labels       [B]   uint32
  logits       [B,C] float64
  weights/NAME       float32, as Hugging Face names and shapes it, without "bert."
  ce/loss            float64: mean cross entropy over the batch
  ce/gradient/NAME   float32 (computed in float64, rounded to 17 bits): its gradient
  distill/teacher_logits [B,C] float32: a constant, not the output of a model
  distill/weight     float64: w in loss = mean cross entropy + w * MSE(logits, teacher logits), the MSE being the mean
                     over B and C
  distill/loss       float64
  distill/gradient/NAME  float32, likewise: its gradient
  trajectory/batches [20,4] uint32: the examples of each step, as numbers in [0,B)
  trajectory/loss, norm, lr [20] float64: mean cross entropy before the update, gradient norm before clipping, learning
                     rate of 20 steps of torch.optim.AdamW (lr 1e-3, betas 0.9, 0.999, eps 1e-8, decay 0.01 but none
                     on biases and layer norms), clip_grad_norm_ 1.0, get_linear_schedule_with_warmup (4 of 20 steps)
  trajectory/final/NAME float32: vectors and classifier.weight after the last step (biases of keys left out: Adam makes
                     steps of full size even of rounding errors)

The gradient of a key bias is zero for every loss: it adds the same number, query . bias, to all scores of a softmax
row. PyTorch computes about 1e-17 for it; the script checks that and stores exact zeros.
"""

import argparse
import dataclasses
import pathlib
import shutil
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import torch
import transformers

DATA = pathlib.Path(__file__).resolve().parent / "data"
STEPS, WARMUP, BATCH, LEARNING_RATE, CLIP = 20, 4, 4, 1e-3, 1.0
DISTILL_WEIGHT = 0.7
WEIGHT_BITS, GRADIENT_BITS = 8, 17


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    seed: int
    hidden: int
    heads: int
    ffn: int
    layers: int
    vocab: int
    positions: int
    types: int
    classes: int
    activation: str
    classifier: str
    layer_norm_eps: float
    pairs: bool
    lengths: tuple


# Heads of 8, 9 (all sizes odd), 4, 32 (as MiniLM) and 64 columns (as BERT); one to three layers; lengths to 20, and 70.
UNEVEN = (7, 2, 20, 13, 3, 16, 5, 11, 2, 19, 8)
CASES = (
    Case("pooler-gelu", 1, 32, 4, 64, 2, 97, 24, 2, 3, "gelu", "pooler", 1e-12, True, UNEVEN),
    Case("cls-tanh", 2, 27, 3, 51, 3, 61, 20, 2, 2, "gelu_new", "cls", 1e-12, False, UNEVEN),
    Case("pooler-relu", 3, 20, 5, 28, 1, 53, 20, 2, 5, "relu", "pooler", 1e-5, True, UNEVEN),
    Case("cls-wide", 4, 64, 2, 24, 1, 43, 72, 1, 4, "gelu", "cls", 1e-12, False, (2, 70, 33, 17, 64)),
    Case("pooler-bert-head", 5, 64, 1, 20, 1, 41, 24, 2, 2, "gelu", "pooler", 1e-12, True, UNEVEN),
)


class ClassifierOnState(torch.nn.Module):
    """A linear classifier on the last hidden state of [CLS]."""

    def __init__(self, config):
        super().__init__()
        self.bert = transformers.BertModel(config, add_pooling_layer=False)
        self.classifier = torch.nn.Linear(config.hidden_size, config.num_labels)

    def forward(self, **inputs):
        states = self.bert(**inputs).last_hidden_state
        return transformers.modeling_outputs.SequenceClassifierOutput(logits=self.classifier(states[:, 0]))


def bare(name):
    return name.removeprefix("bert.")


def round_to(values, bits):
    """float32 of that many significant bits."""
    mantissa, exponent = np.frexp(values)
    return np.ldexp(np.round(mantissa * 2.0**bits), exponent - bits).astype(np.float32)


def draw_weights(model, random):
    """Float32 weights by name, in the order of the model's own list."""
    weights = {}
    for name, parameter in model.named_parameters():
        values = 0.2 * random.standard_normal(tuple(parameter.shape))
        if name.endswith("LayerNorm.weight"):
            values += 1.0
        weights[name] = round_to(values, WEIGHT_BITS)
    return weights


def create_model(case, weights=None):
    config = transformers.BertConfig(
        vocab_size=case.vocab, hidden_size=case.hidden, num_hidden_layers=case.layers, num_attention_heads=case.heads,
        intermediate_size=case.ffn, hidden_act=case.activation, max_position_embeddings=case.positions,
        type_vocab_size=case.types, layer_norm_eps=case.layer_norm_eps, num_labels=case.classes,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, classifier_dropout=0.0, attn_implementation="eager")
    kind = transformers.BertForSequenceClassification if case.classifier == "pooler" else ClassifierOnState
    model = kind(config).double().eval()
    if weights is not None:
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(torch.from_numpy(weights[name]))
    return model


def draw_batch(case, random):
    """Token ids (never 0, padding, whose row PyTorch leaves out of the gradient), segments, labels."""
    ids = [random.randint(1, case.vocab, length) for length in case.lengths]
    types = [np.zeros(length, dtype=np.int64) for length in case.lengths]
    if case.pairs:
        for number, segments in enumerate(types):
            if number % 3 != 0:  # every third example stays a single text
                segments[random.randint(1, len(segments)):] = 1
    return ids, types, random.randint(0, case.classes, len(case.lengths))


def forward(model, ids, types, chosen):
    longest = max(len(ids[i]) for i in chosen)
    inputs = {key: torch.zeros(len(chosen), longest, dtype=torch.long)
              for key in ("input_ids", "token_type_ids", "attention_mask")}
    for row, i in enumerate(chosen):
        inputs["input_ids"][row, :len(ids[i])] = torch.from_numpy(ids[i])
        inputs["token_type_ids"][row, :len(ids[i])] = torch.from_numpy(types[i])
        inputs["attention_mask"][row, :len(ids[i])] = 1
    return model(**inputs).logits


def gradients(model, loss):
    model.zero_grad()
    loss.backward(retain_graph=True)  # a second loss of the same forward follows
    named = {bare(name): parameter.grad.numpy().copy() for name, parameter in model.named_parameters()}
    for name, gradient in named.items():
        norm = np.linalg.norm(gradient)
        if name.endswith("self.key.bias"):
            assert norm < 1e-12 * np.linalg.norm(named[name.replace("key", "query")]), name
            gradient[:] = 0.0
        else:
            assert norm > 1e-4, f"{name}: a gradient of norm {norm} tests nothing"
    return {name: round_to(gradient, GRADIENT_BITS) for name, gradient in named.items()}


def trajectory(case, weights, ids, types, labels, random):
    model = create_model(case, weights)
    plain = [p for n, p in model.named_parameters() if n.endswith("bias") or "LayerNorm" in n]
    decayed = [p for n, p in model.named_parameters() if not (n.endswith("bias") or "LayerNorm" in n)]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}],
                                  lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
    batches = np.stack([random.permutation(len(ids))[:BATCH] for _ in range(STEPS)]).astype(np.uint32)
    rows = {"loss": [], "norm": [], "lr": []}
    for batch in batches:
        loss = torch.nn.functional.cross_entropy(forward(model, ids, types, batch), torch.from_numpy(labels[batch]))
        optimizer.zero_grad()
        loss.backward()
        rows["lr"].append(schedule.get_last_lr()[0])
        rows["norm"].append(torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP).item())
        rows["loss"].append(loss.item())
        optimizer.step()
        schedule.step()
    final = {bare(name): parameter.detach().numpy().astype(np.float32) for name, parameter in model.named_parameters()
             if (parameter.dim() == 1 or bare(name) == "classifier.weight") and not name.endswith("self.key.bias")}
    return {"trajectory/batches": batches, **{f"trajectory/{key}": np.array(row) for key, row in rows.items()},
            **{f"trajectory/final/{name}": value for name, value in final.items()}}


def compute(case):
    """The attributes and the datasets (path to array) of one file."""
    random = np.random.RandomState(case.seed)
    weights = draw_weights(create_model(case), random)
    ids, types, labels = draw_batch(case, random)
    teacher = round_to(random.standard_normal((len(ids), case.classes)), WEIGHT_BITS)
    target, constant = torch.from_numpy(labels), torch.from_numpy(teacher).double()
    model = create_model(case, weights)
    logits = forward(model, ids, types, range(len(ids)))
    ce = torch.nn.functional.cross_entropy(logits, target)
    distill = ce + DISTILL_WEIGHT * torch.nn.functional.mse_loss(logits, constant)
    data = {
        "ids": np.concatenate(ids).astype(np.uint32),
        "types": np.concatenate(types).astype(np.uint32),
        "lengths": np.array(case.lengths, dtype=np.uint32),
        "labels": labels.astype(np.uint32),
        "logits": logits.detach().numpy(),
        "ce/loss": np.float64(ce.item()),
        "distill/loss": np.float64(distill.item()),
        "distill/weight": np.float64(DISTILL_WEIGHT),
        "distill/teacher_logits": teacher,
    }
    data |= {f"weights/{bare(name)}": value for name, value in weights.items()}
    for kind, loss in (("ce", ce), ("distill", distill)):
        data |= {f"{kind}/gradient/{name}": value for name, value in gradients(model, loss).items()}
    data |= trajectory(case, weights, ids, types, labels, random)
    sizes = ("hidden", "heads", "ffn", "layers", "vocab", "positions", "types", "classes")
    attributes = {key: np.uint32(getattr(case, key)) for key in sizes}
    attributes |= {"layer_norm_eps": np.float64(case.layer_norm_eps), "activation": case.activation,
                   "classifier": case.classifier}
    return attributes, data


def path_of(case):
    return DATA / f"encoder-{case.name}.h5"


def write(case):
    attributes, data = compute(case)
    with h5py.File(path_of(case), "w", libver=("v110", "v110")) as file:
        for key, value in attributes.items():
            # Fixed-length text: the plainest type to read from C.
            file.attrs[key] = np.bytes_(value) if isinstance(value, str) else value
        for key, value in data.items():
            packed = {"compression": 9, "shuffle": True, "chunks": value.shape} if value.size >= 256 else {}
            file.create_dataset(key, data=value, **packed)
    print(f"{path_of(case).name}: {path_of(case).stat().st_size} bytes, loss {data['ce/loss']:.4f}, "
          f"trajectory {data['trajectory/loss'][0]:.4f} to {data['trajectory/loss'][-1]:.4f}")


def relative(got, expected):
    scale = np.linalg.norm(expected)
    difference = np.linalg.norm(np.asarray(got, dtype=np.float64) - np.asarray(expected, dtype=np.float64))
    return difference / scale if scale > 0 else difference


def check(case):
    """Inputs must be equal; what PyTorch computes, within 1e-5: another machine may sum in another order and so round a
    gradient's 17th bit the other way."""
    attributes, data = compute(case)
    bad = []
    with h5py.File(path_of(case), "r") as file:
        stored = []
        file.visititems(lambda name, item: stored.append(name) if isinstance(item, h5py.Dataset) else None)
        bad += sorted(set(stored) ^ set(data))
        for key, value in attributes.items():
            if file.attrs[key] != (np.bytes_(value) if isinstance(value, str) else value):
                bad.append(f"attribute {key}")
        for key in set(stored) & set(data):
            computed = (key == "logits" or key.endswith(("loss", "norm", "lr"))
                        or "/gradient/" in key or "/final/" in key)
            same = file[key].dtype == data[key].dtype and file[key].shape == data[key].shape
            error = relative(file[key][()], data[key]) if same else np.inf
            if not error <= (1e-5 if computed else 0.0):
                bad.append(f"{key} (relative difference {error})")
    print(f"{path_of(case).name}: {len(data)} datasets, " + ("equal" if not bad else "DIFFERENT: " + ", ".join(bad)))
    return not bad


def live_texts(vocabulary, count, random):
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


def live(model_folder, program, count=64, classes=5, tolerance=2e-5):
    """Gives the weights of model_folder a random head, has both sides compute the logits of the same texts."""
    torch.manual_seed(0)
    tokenizer = transformers.BertTokenizer.from_pretrained(model_folder)
    model = transformers.BertForSequenceClassification.from_pretrained(model_folder, num_labels=classes,
                                                                       attn_implementation="eager")
    with torch.no_grad():
        model.classifier.weight.normal_(0.0, 0.2)
        model.classifier.bias.normal_(0.0, 0.2)
    texts = live_texts(sorted(tokenizer.get_vocab()), count, np.random.RandomState(0))
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        model.save_pretrained(folder / "model")
        shutil.copy(pathlib.Path(model_folder) / "vocab.txt", folder / "model")
        # One example a line, a tab between the texts of a pair.
        (folder / "texts.tsv").write_text("".join("\t".join(text) + "\n" for text in texts))
        command = [program, "predict", str(folder / "model"), "--data", str(folder / "texts.tsv"), "--logits"]
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if run.returncode != 0:
            sys.exit(f"{' '.join(command)}: exit code {run.returncode}")
    lines = run.stdout.splitlines()
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
    print(f"{count} examples, {classes} classes: logits differ by {whole:.2e} relative, allowed {tolerance:.0e} "
          f"(worst example {worst:.2e})")
    return bool(whole <= tolerance)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--check", action="store_true", help="compare with the stored files instead of writing them")
    group.add_argument("--live", nargs=2, metavar=("MODEL_DIR", "PROGRAM"), help="compare a program with transformers")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    if arguments.live:
        sys.exit(0 if live(*arguments.live) else 1)
    if arguments.check:
        sys.exit(0 if all([check(case) for case in CASES]) else 1)
    DATA.mkdir(exist_ok=True)
    for case in CASES:
        write(case)


if __name__ == "__main__":
    main()
