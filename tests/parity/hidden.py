#!/usr/bin/env python3
"""Reference numbers from transformers for masked-language modelling: tests/parity/data/hidden-NAME.h5.

    hidden.py            writes the files
    hidden.py --check    computes everything again and compares it with the stored files

Needs torch, transformers, h5py and numpy. The C test (tests/unit/test_masked_training.c) needs the stored files only.

Twenty steps of transformers' ...ForMaskedLM in float64, dropout off, on weights drawn as in reference.py. Which tokens
a step hides, and by what, is computed here from docs/methods.md alone, with a Philox of its own (draws.py), and so is
the order of the examples. Each text is computed by itself, so nothing is padded. The loss is the mean over the hidden
tokens of the batch. Tokens 0 to 4 are special: [PAD], [UNK], [CLS], [SEP], [MASK].

  config             attribute: the text of config.json as transformers writes it
  lengths      [N]   uint32: tokens of each example; ids [T] uint32: one after another
  weights/NAME       float32: as in the files, without the encoder's prefix
  hidden       [20]  uint32: hidden tokens of each step
  evaluation/loss    float64: mean over the hidden tokens of an evaluation of all examples, before the first step
  evaluation/counts [2] uint32: these tokens, and those of them that have the largest logit
  trajectory/...     loss, norm, lr, final: as in reference.py, final of vectors alone"""

import dataclasses
import functools

import numpy as np
import torch
import transformers

import draws
import encoders
import reference
from reference import CLIP, LEARNING_RATE, STEPS, WARMUP

ROWS, BATCH, SHARE = 24, 5, 0.15
ORDER_SEED, HIDING_SEED = 5, 11
ORDER, HIDDEN = 2, 9  # streams of base/random.h
SPECIAL, CLS, SEP, MASK = 5, 2, 3, 4


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    seed: int
    kind: str
    sizes: dict


CASES = (
    Case("bert", 41, "Bert", encoders.bert_sizes(24, 3, 40, 2, 61, 40, layer_norm_eps=1e-12)),
    Case("roberta", 42, "Roberta", encoders.bert_sizes(24, 3, 40, 2, 61, 42, type_vocab_size=1, layer_norm_eps=1e-5,
                                                       pad_token_id=1)),
)


def words(seed, stream, substream, index, high=0):
    """The block of one counter."""
    return [int(w) for w in draws.philox(np.array([[index, high, substream, stream]], np.uint64), (seed, 0))[0]]


def below(bits, n):
    return bits * n >> 64


def order(epoch):
    """Fisher-Yates, the draw of place i being index i."""
    places = list(range(ROWS))
    for i in range(ROWS, 1, -1):
        w = words(ORDER_SEED, ORDER, epoch, i - 1)
        j = below(w[1] << 32 | w[0], i)
        places[i - 1], places[j] = places[j], places[i - 1]
    return places


def hide(ids, example, step, vocabulary, seed=HIDING_SEED):
    """The tokens that the model sees, and the places of the hidden ones. An evaluation's step and seed are 0."""
    seen, places = ids.copy(), []
    for place, token in enumerate(ids):
        w = words(seed, HIDDEN, step, place, example)
        if token < SPECIAL or w[0] >= int(SHARE * 2**32):
            continue
        places.append(place)
        if w[1] < int(0.8 * 2**32):
            seen[place] = MASK
        elif w[1] < int(0.9 * 2**32):
            seen[place] = SPECIAL + below(w[3] << 32 | w[2], vocabulary - SPECIAL)
    return seen, places


def create_model(case, weights=None):
    config = getattr(transformers, f"{case.kind}Config")(**case.sizes, **encoders.COMMON)
    model = getattr(transformers, f"{case.kind}ForMaskedLM")(config).double().eval()
    if weights is not None:
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(torch.from_numpy(weights[name]))
    return model


def batch_loss(model, texts, batch, step):
    """The mean over all hidden tokens, and their number."""
    total, count = 0.0, 0
    for example in batch:
        seen, places = hide(texts[example], example, step, model.config.vocab_size)
        if places:
            logits = model(input_ids=torch.from_numpy(seen)[None]).logits[0, places]
            labels = torch.from_numpy(texts[example][places])
            total = total + torch.nn.functional.cross_entropy(logits, labels, reduction="sum")
            count += len(places)
    assert count > 0
    return total / count, count


def evaluate(model, texts):
    """Mean loss over the hidden tokens of all texts, their number, and how many of them have the largest logit."""
    total, count, right = 0.0, 0, 0
    for example, text in enumerate(texts):
        seen, places = hide(text, example, 0, model.config.vocab_size, 0)
        if places:
            with torch.no_grad():
                logits = model(input_ids=torch.from_numpy(seen)[None]).logits[0, places]
            labels = torch.from_numpy(text[places])
            total += torch.nn.functional.cross_entropy(logits, labels, reduction="sum").item()
            right += (logits.argmax(1) == labels).sum().item()
            count += len(places)
    return total / count, count, right


def compute(case):
    random = np.random.RandomState(case.seed)
    weights = encoders.draw_weights(create_model(case), random)
    model = create_model(case, weights)
    lengths = random.randint(8, 33, ROWS)
    texts = [np.concatenate([[CLS], random.randint(1, case.sizes["vocab_size"], length - 2), [SEP]])
             for length in lengths]
    for text in texts:
        text[text == model.config.pad_token_id] = SPECIAL
    groups = [{"params": [p for n, p in model.named_parameters() if encoders.is_plain(n) == plain],
               "weight_decay": 0.0 if plain else 0.01} for plain in (False, True)]
    loss, count, right = evaluate(model, texts)
    evaluation = {"evaluation/loss": np.float64(loss), "evaluation/counts": np.array([count, right], dtype=np.uint32)}
    optimizer = torch.optim.AdamW(groups, lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
    rows = {"loss": [], "norm": [], "lr": [], "hidden": []}
    per_epoch = -(-ROWS // BATCH)
    for step in range(STEPS):
        at = step % per_epoch * BATCH
        loss, hidden = batch_loss(model, texts, order(step // per_epoch)[at:at + BATCH], step + 1)
        optimizer.zero_grad()
        loss.backward()
        rows["lr"].append(schedule.get_last_lr()[0])
        rows["norm"].append(torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP).item())
        rows["loss"].append(loss.item())
        rows["hidden"].append(hidden)
        optimizer.step()
        schedule.step()
    final = {encoders.bare(model, name): value.detach().numpy().astype(np.float32)
             for name, value in model.named_parameters() if value.dim() == 1 and not name.endswith("key.bias")}
    config = model.config
    config.dtype = None
    config.architectures = [f"{case.kind}ForMaskedLM"]
    data = {**evaluation, "lengths": lengths.astype(np.uint32), "ids": np.concatenate(texts).astype(np.uint32),
            **{f"weights/{encoders.bare(model, name)}": value for name, value in weights.items()},
            "hidden": np.array(rows.pop("hidden"), dtype=np.uint32),
            **{f"trajectory/{key}": np.array(row) for key, row in rows.items()},
            **{f"trajectory/final/{name}": value for name, value in final.items()}}
    return {"config": config.to_json_string()}, data


if __name__ == "__main__":
    reference.make_or_check(__doc__, [(reference.path_of("hidden", case), functools.partial(compute, case))
                                      for case in CASES])
