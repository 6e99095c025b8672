#!/usr/bin/env python3
"""Reference numbers for regression from SciPy, scikit-learn, PyTorch and transformers: tests/parity/data/regression.h5.

    regression.py            writes the file
    regression.py --check    computes everything again and compares it with the stored file

Needs what reference.py needs, its files, SciPy and scikit-learn; the C test (tests/unit/test_regression.c) needs the
stored files only. C is the number of targets.

  scores/NAME/...    labels, predictions [N,C] float32; pearson, spearman (scipy.stats.pearsonr, spearmanr, the mean
                     over the targets; 0 where a side is constant), r2 (r2_score), mse (mean_squared_error) float64
  rows/NAME/...      given logits [N,C] and labels [N,C] float32: loss, gradient [N,C] float64 (torch's mse_loss)
  rdrop/NAME/...     first, second, labels [N,C] float32, weight: R-Drop as its authors' code has it for regression:
                     half of both squared errors, plus weight times the squared error between the two outputs:
                     loss, distance, gradient/first, gradient/second [N,C] float64
  C/...              BertForSequenceClassification with problem_type "regression" and C targets, on weights and batch of
                     encoder-pooler-relu.h5 (of its classifier the first C rows): labels [B,C] float32, logits [B,C]
                     float64, loss (the model's own), gradient/NAME float32 (17 bits)
  C/RUN/...          20 steps on its trajectory's batches and optimizer, RUN being plain, or sda (mean of 3 past
                     students, weight 3): loss, distance [20] float64, moved float32 as in reference.py
"""

import h5py
import numpy as np
import scipy.stats
import sklearn.metrics
import torch

import reference

PATH = reference.DATA / "regression.h5"
CASE = next(case for case in reference.CASES if case.name == "pooler-relu")
TARGETS = (1, 2)
RUNS = (reference.Run("plain", "sda", 1, weight=0.0), reference.Run("sda", "sda", 3))
WEIGHT = 0.7


def correlation(function, labels, predictions):
    if np.ptp(labels) == 0.0 or np.ptp(predictions) == 0.0:
        return 0.0
    return float(function(labels, predictions)[0])


def scores():
    random = np.random.RandomState(21)

    def noisy(count, targets, noise):
        labels = random.uniform(0.0, 5.0, (count, targets))
        return labels, labels + noise * random.standard_normal((count, targets))

    tied, near = np.round(noisy(300, 1, 0.0)[0]), noisy(64, 1, 1e-3)
    for name, (labels, predictions) in {
            "one": noisy(500, 1, 0.8), "three": noisy(200, 3, 1.5), "near": near, "reversed": (near[0], -near[1]),
            "tied-labels": (tied, tied + random.standard_normal(tied.shape)),
            "tied-both": (tied, np.round(tied + random.standard_normal(tied.shape))),
            "perfect": (tied, tied), "constant-labels": (np.full((9, 1), 0.1), noisy(9, 1, 1.0)[1]),
            "constant-predictions": (noisy(11, 1, 1.0)[0], np.full((11, 1), 0.7)),
            "constant-right": (np.full((5, 1), 0.3), np.full((5, 1), 0.3)),
            "large": tuple(1e30 * values for values in noisy(40, 2, 1.0)),
            "shifted": tuple(1e4 + values for values in noisy(100, 1, 0.5)), "two-rows": noisy(2, 1, 1.0),
            "zeros": (np.array([[0.0], [-0.0], [1.0], [2.0]]), np.array([[0.5], [0.25], [-0.0], [0.0]])),
    }.items():
        given = [values.astype(np.float32) for values in (labels, predictions)]
        x, y = (values.astype(np.float64) for values in given)
        yield f"scores/{name}", {
            "labels": given[0], "predictions": given[1],
            "pearson": np.mean([correlation(scipy.stats.pearsonr, a, b) for a, b in zip(x.T, y.T)]),
            "spearman": np.mean([correlation(scipy.stats.spearmanr, a, b) for a, b in zip(x.T, y.T)]),
            "r2": np.float64(sklearn.metrics.r2_score(x, y)),
            "mse": np.float64(sklearn.metrics.mean_squared_error(x, y))}


def rows():
    random = np.random.RandomState(22)
    for name, count, targets in (("one", 9, 1), ("four", 7, 4), ("one-row", 1, 2)):
        logits, labels = (reference.round_to(3.0 * random.standard_normal((count, targets)), 12) for _ in range(2))
        labels[0] = logits[0]
        logits[-1] *= 1000.0
        given = torch.from_numpy(logits).double().requires_grad_()
        loss = torch.nn.functional.mse_loss(given, torch.from_numpy(labels).double())
        loss.backward()
        yield f"rows/{name}", {"logits": logits, "labels": labels, "loss": np.float64(loss.item()),
                               "gradient": given.grad.numpy()}


def drops():
    random = np.random.RandomState(23)
    mse = torch.nn.functional.mse_loss
    for name, count, targets in (("one", 8, 1), ("three", 5, 3)):
        drawn = [reference.round_to(2.0 * random.standard_normal((count, targets)), 12) for _ in range(3)]
        drawn[1][0] = drawn[0][0]
        first, second = (torch.from_numpy(values).double().requires_grad_() for values in drawn[:2])
        labels, distance = torch.from_numpy(drawn[2]).double(), mse(first, second)
        loss = 0.5 * (mse(first, labels) + mse(second, labels)) + WEIGHT * distance
        loss.backward()
        yield f"rdrop/{name}", {"first": drawn[0], "second": drawn[1], "labels": drawn[2], "weight": np.float64(WEIGHT),
                                "loss": np.float64(loss.item()), "distance": np.float64(distance.item()),
                                "gradient/first": first.grad.numpy(), "gradient/second": second.grad.numpy()}


def create(weights, targets):
    """The model whose classifier has the first rows of the case's."""
    config = reference.create_model(CASE).config
    config.num_labels, config.problem_type = targets, "regression"
    model = reference.transformers.BertForSequenceClassification(config).double().eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            values = weights[name]
            parameter.copy_(torch.from_numpy(values[:targets] if name.startswith("classifier") else values))
    return model


def model_numbers(targets):
    random = np.random.RandomState(CASE.seed)
    weights = reference.draw_weights(reference.create_model(CASE), random)
    ids, types, _ = reference.draw_batch(CASE, random)
    labels = reference.round_to(2.0 * np.random.RandomState(40 + targets).standard_normal((len(ids), targets)), 12)

    def compute(model, batch):
        return reference.forward(model, ids, types, batch)

    def loss_of(logits, given):
        return torch.nn.functional.mse_loss(logits, given.double())

    model = create(weights, targets)
    logits = compute(model, range(len(ids)))
    loss = loss_of(logits, torch.from_numpy(labels))
    own = transformers_loss(model, ids[0], types[0], labels[0])
    assert abs(own - loss_of(logits[:1], torch.from_numpy(labels[:1])).item()) < 1e-12 * (1.0 + own)
    data = {"labels": labels, "logits": logits.detach().numpy(), "loss": np.float64(loss.item())}
    data |= {f"gradient/{name}": value for name, value in reference.gradients(model, loss).items()}
    with h5py.File(reference.path_of("encoder", CASE), "r") as file:
        batches = file["trajectory/batches"][()]
    for run in RUNS:
        past, steps = reference.distilled_steps(run, create(weights, targets), compute, labels, batches,
                                                reference.LEARNING_RATE, loss_of)
        moved = [(value - past[0][name]).numpy().ravel() for name, value in past[-1].items()
                 if reference.compared_at_end(name, value)]
        data |= {f"{run.name}/loss": np.array(steps["loss"]), f"{run.name}/distance": np.array(steps["distance"]),
                 f"{run.name}/moved": reference.round_to(np.concatenate(moved), reference.GRADIENT_BITS)}
    return data


def transformers_loss(model, ids, types, labels):
    """The loss that the model itself computes of one example."""
    return model(input_ids=torch.from_numpy(ids)[None], token_type_ids=torch.from_numpy(types)[None],
                 labels=torch.from_numpy(labels).double()[None]).loss.item()


def compute_all():
    groups = [*scores(), *rows(), *drops(), *((str(targets), model_numbers(targets)) for targets in TARGETS)]
    return {}, {f"{name}/{key}": np.asarray(value) for name, values in groups for key, value in values.items()}


if __name__ == "__main__":
    reference.make_or_check(__doc__, [(PATH, compute_all)])
