#!/usr/bin/env python3
"""Reference numbers from PyTorch and transformers for the encoder, and for self-distillation on it:
tests/parity/data/encoder-*.h5, distillation-*.h5.

    reference.py            writes the files
    reference.py --check    computes everything again and compares it with the stored files

live.py, beside it, compares the program with transformers on weights of real size.

Needs torch, transformers, h5py and numpy. The C tests (tests/unit/test_parity.c, test_trajectory.c,
test_distillation.c) need the stored files only.

Everything is computed in float64 from float32 weights, dropout off, examples padded to the longest and masked. The
weights are drawn from numpy's RandomState (whose streams never change) with standard deviation 0.2, ten times BERT's,
layer norms included, so that no gradient is tiny. To keep the files small, weights are rounded to 8 significant bits
before they are used, and gradients to 17 after they are computed (at most 2^-17 = 8e-6 relative, where 1e-4 is asked
for).

Letters: B examples, T tokens without padding, H hidden, C classes. Schema of encoder-*.h5 (one model, one batch):

  attributes         hidden heads ffn layers vocab positions types classes (integers), layer_norm_eps, activation
                     (Hugging Face's hidden_act), classifier ("pooler" or "cls": on the bare [CLS] state)
  ids, types   [T]   uint32: token ids and segments of the examples, one after another
  lengths      [B]   uint32: tokens of each example
  labels       [B]   uint32
  logits       [B,C] float64
  weights/NAME       float32, as Hugging Face names and shapes it, without "bert."
  ce/loss            float64: mean cross entropy over the batch
  ce/gradient/NAME   float32 (computed in float64, rounded to 17 bits): its gradient
  ce/products  [B,B] float64: dot products of the gradients of the examples' own cross entropies
  distill/teacher_logits [B,C] float32: a constant, not the output of a model
  distill/weight     float64: w in loss = mean cross entropy + w * MSE(logits, teacher logits), the MSE being the mean
                     over B and C
  distill/loss       float64
  distill/gradient/NAME  float32, likewise: its gradient
  trajectory/batches [20,4] uint32: the examples of each step, as numbers in [0,B)
  trajectory/loss, norm, lr [20] float64: mean cross entropy before the update, gradient norm before clipping, learning
                     rate of 20 steps of torch.optim.AdamW (lr 1e-3, betas 0.9, 0.999, eps 1e-8, decay 0.01 but none
                     on biases and layer norms), clip_grad_norm_ 1.0, get_linear_schedule_with_warmup (4 of 20 steps)
  trajectory/products [20,4,4] float64: as ce/products, of the examples of each step
  trajectory/final/NAME float32: vectors and classifier.weight after the last step (biases of keys left out: Adam makes
                     steps of full size even of rounding errors)

Schema of distillation-*.h5, on weights, batch and optimizer of the encoder-*.h5 of the same name; w and loss as above,
"distance" being what w multiplies:

  weight             float64: w
  sda/..., sdv/...   the teacher being the mean of 3 past students' parameters (Xu et al. 2020, equation 6), or of their
                     logits (equation 7): loss, distance, target [B,C] float64 (the teacher's logits), gradient/NAME.
                     Past student k = 1, 2, 3 is the weights plus, at place i of each tensor,
                     (((7 + 2 k) i + 11 k) mod 33 - 16) / 128, added in float32
  rdrop/first, second [B,C] float32, loss, distance, gradient/first, gradient/second [B,C] float64: R-Drop (Liang et al.
                     2021, as in its authors' code: half of both cross entropies, plus w times half of both divergences)
                     on given logits, three rows of which are equal or far apart
  rdrop/encoder/...  logits [2 B,C], loss, distance, gradient/NAME: the same of an encoder whose second pass reads, for
                     example b, the tokens of example (b + 1) mod B, as the passes would be equal without dropout
  run/NAME/...       20 steps as above (and the same batches), each with a teacher of its own past. Attributes method,
                     window (0: all), every, lag, weight, ramp, start, decay: as in autodidact/learn/teacher.h. loss,
                     distance (0 where not computed), weight [20] float64; for WHAT of student, teacher (of the step to
                     come; for SDV the mean of its students), window, run: moved/WHAT float32 (17 bits), how far the
                     tensors of trajectory/final have come, or their mean has, one after another in the model's order

The gradient of a key bias is zero for every loss: it adds the same number, query . bias, to all scores of a softmax
row. PyTorch computes about 1e-17 for it; the script checks that and stores exact zeros.
"""

import argparse
import copy
import dataclasses
import pathlib
import sys

import h5py
import numpy as np
import torch
import transformers

DATA = pathlib.Path(__file__).resolve().parent / "data"
STEPS, WARMUP, BATCH, LEARNING_RATE, CLIP = 20, 4, 4, 1e-3, 1.0
DISTILL_WEIGHT = 0.7
WEIGHT_BITS, GRADIENT_BITS = 8, 17
PAST = 3


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


@dataclasses.dataclass(frozen=True)
class Run:
    """Settings of a teacher; those of the same name in autodidact/learn/teacher.h."""
    name: str
    method: str
    window: int
    every: int = 1
    lag: int = 1
    weight: float = 3.0
    ramp: float = 0.0
    start: int = 1
    decay: float = 0.0


RUNS = (
    Run("sda", "sda", 3),
    Run("sda-lag0", "sda", 3, lag=0),
    Run("sda-all", "sda", 0, every=2, ramp=0.3, start=4),
    Run("sdv", "sdv", 2),
    Run("sdv-lag0", "sdv", 3, every=2, lag=0, ramp=0.25),
    Run("ema", "ema", 1, decay=0.9),
    Run("ema-lag0", "ema", 1, every=3, lag=0, start=3, decay=0.75),
)
DISTILLED = ("cls-tanh", "pooler-relu")


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


def products(model, ids, types, labels, chosen):
    """Dot products of the gradients of the examples' cross entropies: of any part of a batch they tell the gradient's
    norm."""
    rows = []
    for i in chosen:
        model.zero_grad()
        torch.nn.functional.cross_entropy(forward(model, ids, types, [i]), torch.from_numpy(labels[[i]])).backward()
        rows.append(np.concatenate([parameter.grad.numpy().ravel() for parameter in model.parameters()]))
    return np.stack(rows) @ np.stack(rows).T


def create_optimizer(model, rate=LEARNING_RATE):
    plain = [p for n, p in model.named_parameters() if n.endswith("bias") or "norm" in n.lower()]
    decayed = [p for n, p in model.named_parameters() if not (n.endswith("bias") or "norm" in n.lower())]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}],
                                  lr=rate, betas=(0.9, 0.999), eps=1e-8)
    return optimizer, transformers.get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)


def compared_at_end(name, parameter):
    """Adam makes steps of full size even of rounding errors, which a key bias has alone."""
    return (parameter.dim() == 1 or name == "classifier.weight") and not name.endswith("self.key.bias")


def trajectory(case, weights, ids, types, labels, random):
    model = create_model(case, weights)
    optimizer, schedule = create_optimizer(model)
    batches = np.stack([random.permutation(len(ids))[:BATCH] for _ in range(STEPS)]).astype(np.uint32)
    rows = {"loss": [], "norm": [], "lr": [], "products": []}
    for batch in batches:
        rows["products"].append(products(model, ids, types, labels, batch))
        loss = torch.nn.functional.cross_entropy(forward(model, ids, types, batch), torch.from_numpy(labels[batch]))
        optimizer.zero_grad()
        loss.backward()
        rows["lr"].append(schedule.get_last_lr()[0])
        rows["norm"].append(torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP).item())
        rows["loss"].append(loss.item())
        optimizer.step()
        schedule.step()
    final = {name: value.numpy().astype(np.float32) for name, value in named_parameters(model).items()
             if compared_at_end(name, value)}
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
    data["ce/products"] = products(model, ids, types, labels, range(len(ids)))
    data |= trajectory(case, weights, ids, types, labels, random)
    sizes = ("hidden", "heads", "ffn", "layers", "vocab", "positions", "types", "classes")
    attributes = {key: np.uint32(getattr(case, key)) for key in sizes}
    attributes |= {"layer_norm_eps": np.float64(case.layer_norm_eps), "activation": case.activation,
                   "classifier": case.classifier}
    return attributes, data


def named_parameters(model):
    return {bare(name): parameter.detach().clone() for name, parameter in model.named_parameters()}


def mean_of(students):
    return {name: sum(student[name] for student in students) / len(students) for name in students[0]}


def logits_of(model, parameters, compute, batch):
    """Logits of a teacher: no gradient. `model` is lent for it."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(parameters[bare(name)])
        return compute(model, batch)


def past_student(weights, k):
    """The weights a little elsewhere, the same bits in any language."""
    moved = {}
    for name, values in weights.items():
        places = np.arange(values.size, dtype=np.int64).reshape(values.shape)
        step = (((7 + 2 * k) * places + 11 * k) % 33 - 16).astype(np.float32) / np.float32(128.0)
        moved[bare(name)] = torch.from_numpy(values + step).double()
    return moved


def r_drop(first, second, target, weight):
    """The loss and the divergence, by the functions that its authors' code calls."""
    functional = torch.nn.functional
    p, q = functional.log_softmax(first, dim=-1), functional.log_softmax(second, dim=-1)
    divergence = 0.5 * (functional.kl_div(p, q, log_target=True, reduction="batchmean")
                        + functional.kl_div(q, p, log_target=True, reduction="batchmean"))
    ce = 0.5 * (functional.cross_entropy(first, target) + functional.cross_entropy(second, target))
    return ce + weight * divergence, divergence


def r_drop_logits(case, target, random):
    """Loss and gradient at given logits: among them equal rows, and such as leave no probability to a class."""
    drawn = [round_to(2.0 * random.standard_normal((len(target), case.classes)), WEIGHT_BITS) for _ in range(2)]
    drawn[1][0] = drawn[0][0]
    drawn[0][1] *= 50.0
    drawn[1][2, 0] += 300.0
    first, second = (torch.from_numpy(logits).double().requires_grad_() for logits in drawn)
    loss, divergence = r_drop(first, second, target, DISTILL_WEIGHT)
    loss.backward()
    return {"rdrop/first": drawn[0], "rdrop/second": drawn[1], "rdrop/loss": np.float64(loss.item()),
            "rdrop/distance": np.float64(divergence.item()), "rdrop/gradient/first": first.grad.numpy(),
            "rdrop/gradient/second": second.grad.numpy()}


def students_of(run, time):
    """The numbers of the past students that the teacher of step `time` (from 0) is made of, oldest first."""
    entered = [tau for tau in range(time + 1) if tau % run.every == 0 and tau <= time - run.lag]
    return entered if run.method == "ema" or run.window == 0 else entered[-run.window:]


def teacher_of(run, students):
    """Its parameters; SDV, whose logits are averaged, has none: the mean is only compared at the end."""
    if run.method != "ema":
        return mean_of(students)
    average = students[0]
    for student in students[1:]:
        average = {name: run.decay * average[name] + (1.0 - run.decay) * student[name] for name in average}
    return average


def weight_of(run, step):
    """Of step `step`, from 1."""
    if step < run.start:
        return 0.0
    rise = int(np.ceil(run.ramp * STEPS))
    return run.weight * min(1.0, (step - run.start + 1) / rise) if rise else run.weight


def distilled_steps(run, model, compute, labels, batches, rate, loss_of=torch.nn.functional.cross_entropy):
    """Trains with a teacher that is made anew in each step, from all the past students; compute(model, batch) gives
    logits. The students, one more than steps, and the rows of loss, distance and weight."""
    optimizer, schedule = create_optimizer(model, rate)
    past, rows = [named_parameters(model)], {"loss": [], "distance": [], "weight": []}
    other = copy.deepcopy(model)
    for time, batch in enumerate(batches):
        chosen = students_of(run, time)
        weight = weight_of(run, time + 1) if chosen else 0.0
        logits = compute(model, batch)
        ce, distance = loss_of(logits, torch.from_numpy(labels[batch])), torch.zeros(())
        if weight > 0.0:
            students = [past[tau] for tau in chosen]
            asked = students if run.method == "sdv" else [teacher_of(run, students)]
            target = torch.stack([logits_of(other, each, compute, batch) for each in asked]).mean(dim=0)
            distance = torch.nn.functional.mse_loss(logits, target)
        optimizer.zero_grad()
        (ce + weight * distance).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        schedule.step()
        past.append(named_parameters(model))
        for key, value in (("loss", ce.item()), ("distance", distance.item()), ("weight", weight)):
            rows[key].append(value)
    return past, rows


def distilled_run(run, model, compute, labels, batches):
    past, rows = distilled_steps(run, model, compute, labels, batches, LEARNING_RATE)
    entered = [tau for tau in range(STEPS + 1) if tau % run.every == 0]
    ends = {"student": past[-1], "teacher": teacher_of(run, [past[tau] for tau in students_of(run, STEPS)]),
            "window": mean_of([past[tau] for tau in (entered[-run.window:] if run.window else entered)]),
            "run": mean_of(past[1:])}
    data = {f"run/{run.name}/{key}": np.array(row) for key, row in rows.items()}
    for what, parameters in ends.items():
        moved = [(value - past[0][name]).numpy().ravel() for name, value in parameters.items()
                 if compared_at_end(name, value)]
        data[f"run/{run.name}/moved/{what}"] = round_to(np.concatenate(moved), GRADIENT_BITS)
    return data


def compute_distillation(case):
    """Attributes and datasets of one distillation-*.h5; an attribute of a group is GROUP@NAME."""
    random = np.random.RandomState(case.seed)
    weights = draw_weights(create_model(case), random)
    ids, types, labels = draw_batch(case, random)
    everyone, target = range(len(ids)), torch.from_numpy(labels)
    students = [past_student(weights, k + 1) for k in range(PAST)]
    model = create_model(case, weights)

    def compute(model, batch):
        return forward(model, ids, types, batch)

    logits, lent = compute(model, everyone), create_model(case)
    ce = torch.nn.functional.cross_entropy(logits, target)
    data = {"weight": np.float64(DISTILL_WEIGHT)}
    for kind, asked in (("sda", [mean_of(students)]), ("sdv", students)):
        taught = torch.stack([logits_of(lent, each, compute, everyone) for each in asked]).mean(dim=0)
        distance = torch.nn.functional.mse_loss(logits, taught)
        loss = ce + DISTILL_WEIGHT * distance
        data |= {f"{kind}/loss": np.float64(loss.item()), f"{kind}/distance": np.float64(distance.item()),
                 f"{kind}/target": taught.numpy()}
        data |= {f"{kind}/gradient/{name}": value for name, value in gradients(model, loss).items()}
    other = forward(model, ids, types, [(b + 1) % len(ids) for b in everyone])
    loss, divergence = r_drop(logits, other, target, DISTILL_WEIGHT)
    data |= {"rdrop/encoder/logits": torch.cat([logits, other]).detach().numpy(),
             "rdrop/encoder/loss": np.float64(loss.item()), "rdrop/encoder/distance": np.float64(divergence.item())}
    data |= {f"rdrop/encoder/gradient/{name}": value for name, value in gradients(model, loss).items()}
    random = np.random.RandomState(100 + case.seed)
    data |= r_drop_logits(case, target, random)
    with h5py.File(path_of("encoder", case), "r") as file:
        batches = file["trajectory/batches"][()]
    attributes = {}
    for run in RUNS:
        attributes |= {f"run/{run.name}@{key}": value
                       for key, value in dataclasses.asdict(run).items() if key != "name"}
        data |= distilled_run(run, create_model(case, weights), compute, labels, batches)
    return attributes, data


def path_of(kind, case):
    return DATA / f"{kind}-{case.name}.h5"


def files():
    """(path, function that gives attributes and datasets) of all files."""
    for case in CASES:
        yield path_of("encoder", case), lambda case=case: compute(case)
    for case in CASES:
        if case.name in DISTILLED:
            yield path_of("distillation", case), lambda case=case: compute_distillation(case)


def stored(value):
    """An attribute as it is stored. Fixed-length text: the plainest type to read from C."""
    return np.bytes_(value) if isinstance(value, str) else value


def write(path, attributes, data):
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        for key, value in data.items():
            packed = {"compression": 9, "shuffle": True, "chunks": value.shape} if value.size >= 256 else {}
            file.create_dataset(key, data=value, **packed)
        for key, value in attributes.items():
            group, _, name = key.rpartition("@")
            file[group or "/"].attrs[name] = stored(value)
    for key in data:
        if key.endswith("/loss") and data[key].ndim == 1:
            print(f"  {key}: {data[key][0]:.4f} to {data[key][-1]:.4f}")
    print(f"{path.name}: {path.stat().st_size} bytes")


def without_nan(found, expected):
    """Both without what is no number in both: a score that is undefined is expected to be so."""
    numbers = found.dtype.kind == "f"
    undefined = np.isnan(found) & np.isnan(expected) if numbers else np.zeros(np.shape(found), dtype=bool)
    return np.asarray(found)[~undefined], np.asarray(expected)[~undefined]


def relative(got, expected):
    scale = np.linalg.norm(expected)
    difference = np.linalg.norm(np.asarray(got, dtype=np.float64) - np.asarray(expected, dtype=np.float64))
    return difference / scale if scale > 0 else difference


def check(path, attributes, data):
    """Inputs must be equal; what PyTorch computes, within 1e-5: another machine may sum in another order and so round a
    gradient's 17th bit the other way."""
    bad, found = [], []
    with h5py.File(path, "r") as file:
        file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
        bad += sorted(set(found) ^ set(data))
        for key, value in attributes.items():
            group, _, name = key.rpartition("@")
            if file[group or "/"].attrs[name] != stored(value):
                bad.append(f"attribute {key}")
        for key in set(found) & set(data):
            computed = (key.endswith(("logits", "loss", "norm", "lr", "distance", "/target", "/products"))
                        and key != "distill/teacher_logits"
                        or any(part in key for part in ("/gradient/", "/final/", "/moved/")))
            same = file[key].dtype == data[key].dtype and file[key].shape == data[key].shape
            error = relative(*without_nan(file[key][()], data[key])) if same else np.inf
            if not error <= (1e-5 if computed else 0.0):
                bad.append(f"{key} (relative difference {error})")
    print(f"{path.name}: {len(data)} datasets, " + ("equal" if not bad else "DIFFERENT: " + ", ".join(bad)))
    return not bad


def make_or_check(text, pairs):
    """The command of a script with the help `text`: makes or checks files, (path, what computes its content) each."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the stored files instead of writing them")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    DATA.mkdir(exist_ok=True)
    if arguments.check:
        sys.exit(0 if all([check(path, *make()) for path, make in pairs]) else 1)
    for path, make in pairs:
        write(path, *make())


if __name__ == "__main__":
    make_or_check(__doc__, files())
