#!/usr/bin/env python3
"""Reference numbers from PyTorch for the encoder with bfloat16 operands: tests/parity/data/bfloat16.h5.

    bfloat16.py            writes the file
    bfloat16.py --check    computes everything again and compares it with the stored file

Needs torch, transformers, h5py and numpy. The C test (tests/unit/test_parity.c) needs the stored file only.

Models, weights and batches are those of reference.py and encoders.py, and so is everything but the products of linear
layers: their operands are rounded to bfloat16, forward and backward. The classifier alone is as it was. Sums are
float64, so a number near the middle of two bfloat16 numbers may be rounded the other way in float32. Schema:

  NAME/logits           [B,C] float64
  NAME/ce/gradient/...  float32, as in encoder-NAME.h5"""

import argparse
import re
import sys

import numpy as np
import torch
import transformers

import encoders
import reference

CHOSEN = ("pooler-gelu", "cls-tanh", "roberta", "electra-odd", "distilbert-odd", "mpnet", "xlnet-odd")
# modules whose outputs are kept for the backward
KEPT = re.compile(r"(\.(query|key|value)|[qkv]_lin|attn\.[qkv]|intermediate\.dense|ffn\.lin1|ff\.layer_1)$")
einsum, linear = torch.einsum, torch.nn.Linear.forward


def rounded(values):
    return values.float().bfloat16().double()


class Product(torch.autograd.Function):
    """y = x w^T of [..., in] and [out, in]."""

    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return rounded(x) @ rounded(w).T

    @staticmethod
    def backward(ctx, dy):
        x, w = ctx.saved_tensors
        rows = rounded(dy).reshape(-1, dy.shape[-1])
        return rounded(dy) @ rounded(w), rows.T @ rounded(x).reshape(-1, x.shape[-1])


def kept(y):
    return y + (rounded(y) - y).detach()


def linear_rounded(module, x):
    if getattr(module, "is_classifier", False):
        return linear(module, x)
    y = Product.apply(x, module.weight)
    y = y if module.bias is None else y + module.bias
    return kept(y) if getattr(module, "is_kept", False) else y


def einsum_rounded(equation, x, *others):
    """XLNet's projections; its attention is as it was."""
    w = others[0] if others else None
    if equation == "ibh,hnd->ibnd":
        y = Product.apply(x, w.reshape(w.shape[0], -1).T).reshape(*x.shape[:2], *w.shape[1:])
        return y if getattr(w, "is_relative", False) else kept(y)
    if equation == "ibnd,hnd->ibh":
        return Product.apply(x.reshape(*x.shape[:2], -1), w.reshape(w.shape[0], -1))
    return einsum(equation, x, *others)


def mark(model):
    """What is kept; XLNet's weights of distances, whose products are not; the last linear layer of the head."""
    for name, module in model.named_modules():
        module.is_kept = KEPT.search(name) is not None
    for name, parameter in model.named_parameters():
        parameter.is_relative = name.endswith("rel_attn.r")
    list(module for module in model.modules() if isinstance(module, torch.nn.Linear))[-1].is_classifier = True


def compute_bert(case):
    random = np.random.RandomState(case.seed)
    weights = reference.draw_weights(reference.create_model(case), random)
    ids, types, labels = reference.draw_batch(case, random)
    model = reference.create_model(case, weights)
    mark(model)
    logits = reference.forward(model, ids, types, range(len(ids)))
    loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels))
    return logits, reference.gradients(model, loss)


def compute_other(case):
    random = np.random.RandomState(case.seed)
    weights = encoders.draw_weights(encoders.create_model(case), random)
    model = encoders.create_model(case, weights)
    mark(model)
    ids, texts, labels = encoders.draw_batch(case, model, random)
    logits = encoders.forward(case, model, ids, texts, range(len(ids)))
    loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels))
    return logits, encoders.gradients(case, model, loss)


def compute():
    """The attributes (none) and the datasets of the file."""
    data = {}
    for cases, make in ((reference.CASES, compute_bert), (encoders.CASES, compute_other)):
        for case in (case for case in cases if case.name in CHOSEN):
            logits, gradients = make(case)
            data[f"{case.name}/logits"] = logits.detach().numpy()
            data |= {f"{case.name}/ce/gradient/{name}": value for name, value in gradients.items()}
    return {}, data


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the stored file instead of writing it")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    torch.nn.Linear.forward, torch.einsum = linear_rounded, einsum_rounded
    path = reference.DATA / "bfloat16.h5"
    if arguments.check:
        sys.exit(0 if reference.check(path, *compute()) else 1)
    reference.write(path, *compute())


if __name__ == "__main__":
    main()
