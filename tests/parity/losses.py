#!/usr/bin/env python3
"""Reference numbers from PyTorch for class weights, label smoothing and labels that are probabilities:
tests/parity/data/losses.h5.

    losses.py            writes the file
    losses.py --check    computes everything again and compares it with the stored file

Needs what reference.py needs, and its files; the C test (tests/unit/test_loss.c) needs the stored files only.
torch.nn.functional.cross_entropy(logits, labels, weight, label_smoothing) in float64, its default mean: by the weights
of the labels; where these are probabilities it is over the rows. balanced is scikit-learn's compute_class_weight.

  rows/NAME/...      given logits [N,C] float32: labels [N] uint32, weights [C] (float64; ones where there are none),
                     loss float64, gradient [N,C] float64; attribute smoothing
  soft/NAME/...      the same with targets [N,C] float32 in place of labels; some rows of them are a single class
  balanced/...       labels [N] uint32, weights [C] float64
  MODEL/...          on weights and batch of encoder-MODEL.h5: attribute smoothing, weights [C], loss, gradient/NAME
                     float32 (17 bits)
  MODEL/RUN/...      20 steps on its trajectory's batches and optimizer with these weights and smoothing, RUN being
                     plain, or sda (mean of 3 past students, weight 3): loss, distance [20] float64, moved float32 as
                     in reference.py
  MODEL/soft/RUN/... the same with MODEL/soft/targets [N,C] float32 in place of the labels
"""

import h5py
import numpy as np
import sklearn.utils.class_weight
import torch

import reference

PATH = reference.DATA / "losses.h5"
MODELS = {"cls-tanh": (0.1, [0.5, 2.75]), "pooler-relu": (0.25, [1.5, 0.25, 3.0, 1.0, 0.75])}
RUNS = (reference.Run("plain", "sda", 1, weight=0.0), reference.Run("sda", "sda", 3))


def criterion(weights, smoothing):
    def loss(logits, labels):
        return torch.nn.functional.cross_entropy(logits, labels, weight=torch.tensor(weights, dtype=torch.float64),
                                                 label_smoothing=smoothing)
    return loss


def rows():
    """Among the logits equal ones, and such as leave no probability to a class."""
    random = np.random.RandomState(11)
    for name, classes, count, smoothing, weights in (
            ("weights", 3, 9, 0.0, [0.2, 1.0, 5.5]), ("smoothing", 4, 7, 0.1, [1.0] * 4),
            ("both", 5, 12, 0.3, [1.5, 0.25, 3.0, 1.0, 0.75]), ("two", 2, 6, 0.9, [1e-3, 40.0]),
            ("one-row", 2, 1, 0.05, [7.0, 0.5])):
        logits = reference.round_to(2.0 * random.standard_normal((count, classes)), reference.WEIGHT_BITS)
        if count > 3:
            logits[0] = logits[0, 0]
            logits[1] *= 50.0
            logits[2, 0] += 300.0
        labels = random.randint(0, classes, count)
        given = torch.from_numpy(logits).double().requires_grad_()
        loss = criterion(weights, smoothing)(given, torch.from_numpy(labels))
        loss.backward()
        yield f"rows/{name}", smoothing, {"logits": logits, "labels": labels.astype(np.uint32),
                                          "weights": np.array(weights), "loss": np.float64(loss.item()),
                                          "gradient": given.grad.numpy()}


def draw_targets(random, count, classes):
    """Rows of probabilities, among them a single class and equal ones."""
    targets = random.dirichlet(np.full(classes, 0.7), count).astype(np.float32)
    targets[0] = np.eye(classes, dtype=np.float32)[classes - 1]
    if count > 1:
        targets[1] = 1.0 / classes
    return targets


def soft_rows():
    random = np.random.RandomState(12)
    for name, classes, count, smoothing, weights in (
            ("plain", 3, 9, 0.0, [1.0] * 3), ("weights", 4, 7, 0.0, [0.2, 1.0, 5.5, 0.7]),
            ("smoothing", 2, 8, 0.1, [1.0] * 2), ("both", 5, 12, 0.3, [1.5, 0.25, 3.0, 1.0, 0.75]),
            ("one-row", 2, 1, 0.0, [1.0] * 2)):
        logits = reference.round_to(2.0 * random.standard_normal((count, classes)), reference.WEIGHT_BITS)
        if count > 3:
            logits[2] *= 50.0
            logits[3, 0] += 300.0
        targets = draw_targets(random, count, classes)
        given = torch.from_numpy(logits).double().requires_grad_()
        loss = criterion(weights, smoothing)(given, torch.from_numpy(targets).double())
        loss.backward()
        yield f"soft/{name}", smoothing, {"logits": logits, "targets": targets, "weights": np.array(weights),
                                          "loss": np.float64(loss.item()), "gradient": given.grad.numpy()}


def run_numbers(case, drawn, compute, labels, loss_of):
    data = {}
    with h5py.File(reference.path_of("encoder", case), "r") as file:
        batches = file["trajectory/batches"][()]
    for run in RUNS:
        past, steps = reference.distilled_steps(run, reference.create_model(case, drawn), compute, labels, batches,
                                                reference.LEARNING_RATE, loss_of)
        moved = [(value - past[0][name]).numpy().ravel() for name, value in past[-1].items()
                 if reference.compared_at_end(name, value)]
        data |= {f"{run.name}/loss": np.array(steps["loss"]), f"{run.name}/distance": np.array(steps["distance"]),
                 f"{run.name}/moved": reference.round_to(np.concatenate(moved), reference.GRADIENT_BITS)}
    return data


def model_numbers(case, smoothing, weights):
    random = np.random.RandomState(case.seed)
    drawn = reference.draw_weights(reference.create_model(case), random)
    ids, types, labels = reference.draw_batch(case, random)
    loss_of = criterion(weights, smoothing)

    def compute(model, batch):
        return reference.forward(model, ids, types, batch)

    model = reference.create_model(case, drawn)
    loss = loss_of(compute(model, range(len(ids))), torch.from_numpy(labels))
    data = {"weights": np.array(weights), "loss": np.float64(loss.item())}
    data |= {f"gradient/{name}": value for name, value in reference.gradients(model, loss).items()}
    data |= run_numbers(case, drawn, compute, labels, loss_of)
    targets = draw_targets(np.random.RandomState(13), len(ids), len(weights))
    soft = run_numbers(case, drawn, compute, targets.astype(np.float64), loss_of)
    return data | {"soft/targets": targets} | {f"soft/{key}": value for key, value in soft.items()}


def compute_all():
    """Attributes and datasets."""
    attributes, data = {}, {}
    groups = [*rows(), *soft_rows()]
    for case in reference.CASES:
        if case.name in MODELS:
            smoothing, weights = MODELS[case.name]
            groups.append((case.name, smoothing, model_numbers(case, smoothing, weights)))
    for name, smoothing, values in groups:
        attributes[f"{name}@smoothing"] = np.float64(smoothing)
        data |= {f"{name}/{key}": value for key, value in values.items()}
    labels = np.repeat([0, 1, 2, 3], [5, 17, 1, 40])
    data["balanced/labels"] = labels.astype(np.uint32)
    data["balanced/weights"] = sklearn.utils.class_weight.compute_class_weight("balanced", classes=np.arange(4),
                                                                               y=labels)
    return attributes, data


if __name__ == "__main__":
    reference.make_or_check(__doc__, [(PATH, compute_all)])
