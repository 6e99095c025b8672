#!/usr/bin/env python3
"""Reference numbers from PyTorch for several tasks at once: tests/parity/data/heads.h5.

    heads.py            writes the file
    heads.py --check    computes everything again and compares it with the stored file

Needs what reference.py needs, and its files; the C test (tests/unit/test_tasks.c) needs the stored files only. One BERT
with two heads, each a torch.nn.Linear of its own: the first has the classifier's first three rows of
encoder-pooler-relu.h5, the second its last two. Examples with even numbers are the first task's, with labels modulo 3,
the others the second's, modulo 2. A step's batch is of one task. The gradient of the other head is zero and not
missing, zero_grad(set_to_none=False), so that Adam's moments of it decay.

  tasks        [20] uint32: the task of each step: as ad_order_create_tasks draws them with seed 5, 12 and 8 of them
  batches      [20,4] uint32: examples
  labels       [N] uint32: of its own task, of each example
  RUN/...      20 steps with reference.py's optimizer, RUN being plain, sda (mean of 3 past students, weight 3) or sdv
               (of 2): loss, distance [20] float64, moved float32 as in reference.py; classifier.weight and .bias are
               those of both heads, one behind the other
"""

import functools

import numpy as np
import torch
import transformers

import reference

PATH = reference.DATA / "heads.h5"
MODEL, HEADS = "pooler-relu", (3, 2)
TASKS = (1, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0)
RUNS = (reference.Run("plain", "sda", 1, weight=0.0), reference.Run("sda", "sda", 3), reference.Run("sdv", "sdv", 2))


class SeveralTasks(torch.nn.Module):
    """An encoder with its pooler, and a classifier for each task."""

    def __init__(self, whole: transformers.BertForSequenceClassification):
        super().__init__()
        self.bert = whole.bert
        self.heads = torch.nn.ModuleList(torch.nn.Linear(whole.config.hidden_size, count).double() for count in HEADS)
        begin = 0
        with torch.no_grad():
            for head, count in zip(self.heads, HEADS):
                head.weight.copy_(whole.classifier.weight[begin:begin + count])
                head.bias.copy_(whole.classifier.bias[begin:begin + count])
                begin += count
        self.task = None

    def forward(self, **inputs):
        logits = self.heads[self.task](self.bert(**inputs).pooler_output)
        return transformers.modeling_outputs.SequenceClassifierOutput(logits=logits)


def create_optimizer(model, rate=reference.LEARNING_RATE, original=reference.create_optimizer):
    optimizer, schedule = original(model, rate)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.zero_grad = functools.partial(optimizer.zero_grad, set_to_none=False)
    return optimizer, schedule


def as_one_classifier(named):
    """The parameters by the names of a model with one classifier."""
    joined = {name: value for name, value in named.items() if not name.startswith("heads.")}
    for part in ("weight", "bias"):
        joined[f"classifier.{part}"] = torch.cat([named[f"heads.{t}.{part}"] for t in range(len(HEADS))])
    return joined


def compute_all():
    case = next(case for case in reference.CASES if case.name == MODEL)
    random = np.random.RandomState(case.seed)
    drawn = reference.draw_weights(reference.create_model(case), random)
    ids, types, labels = reference.draw_batch(case, random)
    task_of = np.arange(len(ids)) % 2
    own = np.where(task_of == 0, labels % HEADS[0], labels % HEADS[1])
    random = np.random.RandomState(23)
    batches = np.stack([random.permutation(np.flatnonzero(task_of == task))[:reference.BATCH] for task in TASKS])

    def compute(model, batch):
        model.task = task_of[batch[0]]
        return reference.forward(model, ids, types, batch)

    reference.create_optimizer = create_optimizer
    data = {"tasks": np.array(TASKS, dtype=np.uint32), "batches": batches.astype(np.uint32),
            "labels": own.astype(np.uint32)}
    for run in RUNS:
        model = SeveralTasks(reference.create_model(case, drawn))
        past, steps = reference.distilled_steps(run, model, compute, own, batches, reference.LEARNING_RATE)
        first, last = as_one_classifier(past[0]), as_one_classifier(past[-1])
        moved = [(value - first[name]).numpy().ravel() for name, value in last.items()
                 if reference.compared_at_end(name, value)]
        data |= {f"{run.name}/loss": np.array(steps["loss"]), f"{run.name}/distance": np.array(steps["distance"]),
                 f"{run.name}/moved": reference.round_to(np.concatenate(moved), reference.GRADIENT_BITS)}
    return {}, data


if __name__ == "__main__":
    reference.make_or_check(__doc__, [(PATH, compute_all)])
