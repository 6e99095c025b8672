#!/usr/bin/env python3
"""Reference numbers for multi-label classification from scikit-learn, PyTorch and transformers:
tests/parity/data/multi_label.h5.

    multi_label.py            writes the file
    multi_label.py --check    computes everything again and compares it with the stored file

Needs what reference.py needs, and its files, and scikit-learn; the C test (tests/unit/test_multi_label.c) needs the
stored files only. Labels [N,C] are uint32, 1 where the example has the class.

  scores/NAME/...    logits [N,C] float32, labels; best (float64): the threshold with the largest micro F1 among 0.5
                     and the means of neighbouring probabilities, nearest to 0.5; best_f1: the largest micro F1 of any
                     cut between logits. At the threshold `threshold`: micro_f1, macro_f1 (f1_score, the latter over
                     the classes that occur among labels or predictions), exact (accuracy_score). map, average_precision
                     [C]: average_precision_score, NaN for a class that no example has, and their mean without these
  rows/NAME/...      given logits [N,C] float32 and labels: loss, gradient [N,C] float64 (BCEWithLogitsLoss)
  rdrop/NAME/...     first, second [N,C] float32: distance (half of both Kullback-Leibler divergences of the Bernoulli
                     variables, torch.distributions; the mean over N and C), gradient/first, gradient/second [N,C]
  ensemble/...       logits [K,N,C] float32 of K models, labels: probability [N,C], the mean of the K; loss
                     (binary_cross_entropy of it), map
  model/...          BertForSequenceClassification with problem_type "multi_label_classification", on weights and batch
                     of encoder-pooler-relu.h5: labels, logits [B,C], loss (the model's own), gradient/NAME float32 (17
                     bits)
  model/RUN/...      20 steps on its trajectory's batches and optimizer, RUN being plain, or sda (mean of 3 past
                     students, weight 3): loss, distance [20] float64, moved float32 as in reference.py
"""

import warnings

import h5py
import numpy as np
import sklearn.metrics
import torch

import reference

PATH = reference.DATA / "multi_label.h5"
CASE = next(case for case in reference.CASES if case.name == "pooler-relu")
RUNS = (reference.Run("plain", "sda", 1, weight=0.0), reference.Run("sda", "sda", 3))
bce = torch.nn.functional.binary_cross_entropy_with_logits


def sigmoid(logits):
    return torch.sigmoid(torch.from_numpy(logits).double()).numpy()


def best_threshold(logits, labels):
    """The threshold, and the largest micro F1 by the precision-recall curve of all cells together."""
    values = np.unique(sigmoid(logits))
    candidates = [0.5, *((values[1:] + values[:-1]) / 2), values[0] / 2]
    scored = [(sklearn.metrics.f1_score(labels.ravel(), (sigmoid(logits) >= t).ravel(), zero_division=0), t)
              for t in candidates]
    best = max(f1 for f1, _ in scored)
    precision, recall, _ = sklearn.metrics.precision_recall_curve(labels.ravel(), logits.ravel())
    curve = np.max(2 * precision * recall / np.maximum(precision + recall, 1e-300))
    return min((t for f1, t in scored if f1 == best), key=lambda t: abs(t - 0.5)), curve if labels.any() else 0.0


def scores():
    random = np.random.RandomState(31)

    def noisy(count, classes, share, noise):
        labels = (random.random_sample((count, classes)) < share).astype(np.uint32)
        return labels, 3.0 * labels - 2.0 + noise * random.standard_normal((count, classes))

    labels, logits = noisy(60, 4, 0.3, 2.0)
    for name, (labels, logits), threshold in (
            ("five", noisy(200, 5, 0.3, 2.0), 0.5), ("five-low", noisy(200, 5, 0.3, 2.0), 0.2),
            ("words", noisy(80, 40, 0.1, 1.5), 0.35), ("thirty-one", noisy(30, 31, 0.5, 1.0), 0.5),
            ("thirty-two", noisy(30, 32, 0.9, 1.0), 0.6), ("tied", (labels, np.round(logits)), 0.5),
            ("few", noisy(300, 6, 0.03, 1.0), 0.5), ("perfect", (labels, 4.0 * labels - 3.0), 0.5),
            ("reversed", (labels, 3.0 - 4.0 * labels), 0.5), ("all", (np.ones_like(labels), logits), 0.5),
            ("none", (np.zeros_like(labels), logits), 0.5),
            ("none-right", (np.zeros_like(labels), -10.0 - logits), 0.5),
            ("absent", (labels * [1, 0, 1, 0], logits), 0.4), ("zero", (labels, 0.0 * logits), 0.5),
            ("one-row", noisy(1, 3, 0.5, 2.0), 0.5), ("large", (labels, 60.0 * logits), 0.5)):
        logits, labels = logits.astype(np.float32), labels.astype(np.uint32)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn warns of each degenerate case
            predictions = (sigmoid(logits) >= threshold).astype(np.uint32)
            there = np.flatnonzero(labels.any(axis=0) | predictions.any(axis=0))
            ranked = np.array([sklearn.metrics.average_precision_score(y, z) if y.any() else np.nan
                               for y, z in zip(labels.T, logits.T)])
            best, best_f1 = best_threshold(logits, labels)
            yield f"scores/{name}", {
                "logits": logits, "labels": labels, "threshold": np.float64(threshold), "best": np.float64(best),
                "best_f1": np.float64(best_f1), "average_precision": ranked,
                "map": np.nanmean(ranked) if labels.any() else np.float64(np.nan),
                "micro_f1": sklearn.metrics.f1_score(labels, predictions, average="micro", zero_division=0),
                "macro_f1": sklearn.metrics.f1_score(labels, predictions, labels=there, average="macro",
                                                     zero_division=0) if there.size else np.float64(np.nan),
                "exact": sklearn.metrics.accuracy_score(labels, predictions)}


def rows():
    random = np.random.RandomState(32)
    for name, count, classes in (("three", 9, 3), ("forty", 6, 40), ("one-row", 1, 2)):
        logits = reference.round_to(3.0 * random.standard_normal((count, classes)), reference.WEIGHT_BITS)
        labels = random.randint(0, 2, (count, classes)).astype(np.uint32)
        logits[0, 0] = 0.0
        logits[-1] *= 100.0
        given = torch.from_numpy(logits).double().requires_grad_()
        loss = bce(given, torch.from_numpy(labels.astype(np.float64)))
        loss.backward()
        yield f"rows/{name}", {"logits": logits, "labels": labels, "loss": np.float64(loss.item()),
                               "gradient": given.grad.numpy()}


def drops():
    random = np.random.RandomState(33)
    for name, count, classes in (("two", 8, 2), ("seven", 5, 7)):
        drawn = [reference.round_to(2.0 * random.standard_normal((count, classes)), reference.WEIGHT_BITS)
                 for _ in range(2)]
        drawn[1][0] = drawn[0][0]
        drawn[0][1] *= 4.0
        first, second = (torch.from_numpy(values).double().requires_grad_() for values in drawn)
        p, q = (torch.distributions.Bernoulli(logits=values) for values in (first, second))
        distance = 0.5 * (torch.distributions.kl_divergence(p, q) + torch.distributions.kl_divergence(q, p)).mean()
        distance.backward()
        yield f"rdrop/{name}", {"first": drawn[0], "second": drawn[1], "distance": np.float64(distance.item()),
                                "gradient/first": first.grad.numpy(), "gradient/second": second.grad.numpy()}


def ensemble():
    random = np.random.RandomState(34)
    labels = random.randint(0, 2, (50, 4)).astype(np.uint32)
    logits = reference.round_to(2.0 * labels - 1.0 + 2.0 * random.standard_normal((3, 50, 4)), reference.WEIGHT_BITS)
    logits[:, 0] = 40.0 * np.sign(logits[:, 0])  # a probability that a double rounds to 1
    mean = sigmoid(logits).mean(axis=0)
    loss = torch.nn.functional.binary_cross_entropy(torch.from_numpy(mean[1:]),
                                                    torch.from_numpy(labels[1:].astype(np.float64)))
    return "ensemble", {"logits": logits, "labels": labels, "probability": mean, "loss": np.float64(loss.item()),
                        "map": sklearn.metrics.average_precision_score(labels[1:], mean[1:], average="macro")}


def create(weights):
    model = reference.create_model(CASE, weights)
    model.config.problem_type = "multi_label_classification"
    return model


def model_numbers():
    random = np.random.RandomState(CASE.seed)
    weights = reference.draw_weights(reference.create_model(CASE), random)
    ids, types, _ = reference.draw_batch(CASE, random)
    labels = np.random.RandomState(41).randint(0, 2, (len(ids), CASE.classes)).astype(np.uint32)

    def compute(model, batch):
        return reference.forward(model, ids, types, batch)

    def loss_of(logits, given):
        return bce(logits, given.double())

    model = create(weights)
    logits = compute(model, range(len(ids)))
    loss = loss_of(logits, torch.from_numpy(labels))
    own = model(input_ids=torch.from_numpy(ids[0])[None], token_type_ids=torch.from_numpy(types[0])[None],
                labels=torch.from_numpy(labels[:1].astype(np.float64))).loss.item()
    assert abs(own - loss_of(logits[:1], torch.from_numpy(labels[:1])).item()) < 1e-12
    data = {"labels": labels, "logits": logits.detach().numpy(), "loss": np.float64(loss.item())}
    data |= {f"gradient/{name}": value for name, value in reference.gradients(model, loss).items()}
    with h5py.File(reference.path_of("encoder", CASE), "r") as file:
        batches = file["trajectory/batches"][()]
    for run in RUNS:
        past, steps = reference.distilled_steps(run, create(weights), compute, labels, batches,
                                                reference.LEARNING_RATE, loss_of)
        moved = [(value - past[0][name]).numpy().ravel() for name, value in past[-1].items()
                 if reference.compared_at_end(name, value)]
        data |= {f"{run.name}/loss": np.array(steps["loss"]), f"{run.name}/distance": np.array(steps["distance"]),
                 f"{run.name}/moved": reference.round_to(np.concatenate(moved), reference.GRADIENT_BITS)}
    return "model", data


def compute_all():
    groups = [*scores(), *rows(), *drops(), ensemble(), model_numbers()]
    return {}, {f"{name}/{key}": np.asarray(value) for name, values in groups for key, value in values.items()}


if __name__ == "__main__":
    reference.make_or_check(__doc__, [(PATH, compute_all)])
