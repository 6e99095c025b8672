#!/usr/bin/env python3
"""Reference numbers from transformers for masked-language heads: tests/parity/data/masked-NAME.h5.

    masked_lm.py            writes the files
    masked_lm.py --check    computes everything again and compares it with the stored files

Needs torch, transformers, h5py and numpy. The C test (tests/unit/test_masked_lm.c) needs the stored files only.

Every model is transformers' own ...ForMaskedLM with tied weights, drawn and computed as in encoders.py: in float64,
dropout off, texts one by one, padding inside some where the program leaves its embedding out. Some tokens of a text are
read, of some texts none. Schema, beside `config`, `ids`, `types`, `lengths`, `labels` (zeros) and `weights/NAME` of
encoders.py:

  read          [M] uint32   numbers of the tokens that the head reads, among those of all texts
  word          [M] uint32   the word that is right there
  logits        [M,V] float64
  loss          float64      mean cross entropy over M
  gradient/NAME              float32
  bfloat16/logits, bfloat16/gradient/NAME   the same with operands rounded as in bfloat16.py, the last product's too"""

import functools

import numpy as np
import torch
import transformers

import bfloat16
import encoders
import reference
from encoders import Case, bare, bert_sizes, distilbert_sizes
from reference import GRADIENT_BITS, WEIGHT_BITS, round_to

WIDE = 1024 + 70  # two blocks of words

CASES = (
    Case("bert", 41, "Bert", bert_sizes(16, 2, 20, 2, WIDE, 20, pad_token_id=None), 1, types=True),
    Case("bert-odd", 42, "Bert", bert_sizes(27, 3, 31, 1, 41, 20, hidden_act="gelu_new", layer_norm_eps=1e-5,
                                            pad_token_id=None), 1, types=True),
    Case("roberta", 43, "Roberta", bert_sizes(24, 3, 40, 2, 41, 22, type_vocab_size=1, layer_norm_eps=1e-5), 1),
    Case("roberta-odd", 44, "XLMRoberta",
         bert_sizes(15, 3, 37, 1, 37, 26, type_vocab_size=1, pad_token_id=5, hidden_act="gelu_new"), 1),
    Case("distilbert", 45, "DistilBert", distilbert_sizes(24, 3, 40, 2, 41, 20, activation="relu"), 1, "k_lin.bias"),
    Case("mpnet", 46, "MPNet", bert_sizes(24, 3, 40, 2, 41, 22, layer_norm_eps=1e-5), 1, "attn.k.bias"),
    Case("electra", 47, "Electra", bert_sizes(24, 3, 40, 2, 41, 20, embedding_size=10, hidden_act="relu"), 1,
         types=True),
)


def named_parameters(model):
    """Each once. A tied weight has the name of the word embedding, which may come second."""
    for name, parameter in model.named_parameters():
        words = parameter is model.get_input_embeddings().weight
        yield (f"{model.base_model_prefix}.embeddings.word_embeddings.weight" if words else name), parameter


def draw_weights(model, random):
    weights = {}
    for name, parameter in named_parameters(model):
        values = 0.2 * random.standard_normal(tuple(parameter.shape)) + (1.0 if encoders.is_norm(name) else 0.0)
        weights[name] = round_to(values, WEIGHT_BITS)
    return weights


def create_model(case, weights=None):
    config = getattr(transformers, f"{case.kind}Config")(**case.sizes, **encoders.COMMON)
    config.architectures = [f"{case.kind}ForMaskedLM"]
    model = getattr(transformers, config.architectures[0])(config).double().eval()
    if weights is not None:
        with torch.no_grad():
            for name, parameter in named_parameters(model):
                parameter.copy_(torch.from_numpy(weights[name]))
    return model


def draw_batch(case, model, random):
    """Token ids, the texts they are of, and of each text the tokens that are read."""
    padded = model.config.pad_token_id is not None
    ids, texts, read = [], [], []
    for number, length in enumerate(case.lengths):
        tokens = random.randint(0, case.sizes["vocab_size"], length)
        if padded:
            tokens[tokens == model.config.pad_token_id] += 1
            if number % 4 == 0:
                tokens[length // 3] = tokens[length // 2] = model.config.pad_token_id
        segments = np.zeros(length, dtype=np.int64)
        if case.pairs and number % 3 != 0:
            segments[random.randint(1, length):] = 1
        ids.append(tokens)
        texts.append(segments)
        read.append(np.flatnonzero(random.random_sample(length) < 0.3) if number % 5 != 1 else np.array([], dtype=int))
    return ids, texts, read


def logits_of(case, model, ids, texts, read):
    rows = []
    for i, chosen in enumerate(read):
        if len(chosen) > 0:
            rows.append(encoders.forward(case, model, ids, texts, [i])[0, torch.from_numpy(chosen)])
    return torch.cat(rows)


def gradients(case, model, loss):
    model.zero_grad()
    loss.backward()
    named = {bare(model, name): parameter.grad.numpy().copy() for name, parameter in named_parameters(model)}
    for name, gradient in named.items():
        if encoders.is_key_bias(case, name):
            assert np.linalg.norm(gradient) < 1e-12, name
            gradient[:] = 0.0
        else:
            assert np.linalg.norm(gradient) > 1e-4, f"{name}: a gradient that tests nothing"
    return {name: round_to(gradient, GRADIENT_BITS) for name, gradient in named.items()}


def compute_once(case, model, ids, texts, read, words, prefix):
    logits = logits_of(case, model, ids, texts, read)
    loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(words))
    data = {f"{prefix}logits": logits.detach().numpy()}
    data |= {f"{prefix}gradient/{name}": value for name, value in gradients(case, model, loss).items()}
    return loss, data


def compute(case):
    """The attributes and the datasets (path to array) of one file."""
    random = np.random.RandomState(case.seed)
    weights = draw_weights(create_model(case), random)
    model = create_model(case, weights)
    ids, texts, read = draw_batch(case, model, random)
    begin = np.cumsum((0, *case.lengths))
    flat = np.concatenate([begin[i] + chosen for i, chosen in enumerate(read)])
    words = random.randint(0, case.sizes["vocab_size"], len(flat))
    loss, data = compute_once(case, model, ids, texts, read, words, "")
    bfloat16.mark(model)
    for module in model.modules():
        module.is_classifier = False
    torch.nn.Linear.forward = bfloat16.linear_rounded
    data |= compute_once(case, model, ids, texts, read, words, "bfloat16/")[1]
    torch.nn.Linear.forward = bfloat16.linear
    data |= {"ids": np.concatenate(ids).astype(np.uint32), "types": np.concatenate(texts).astype(np.uint32),
             "lengths": np.array(case.lengths, dtype=np.uint32), "labels": np.zeros(len(ids), dtype=np.uint32),
             "read": flat.astype(np.uint32), "word": words.astype(np.uint32), "loss": np.float64(loss.item())}
    data |= {f"weights/{bare(model, name)}": value for name, value in weights.items()}
    config = model.config
    config.dtype = None
    return {"config": config.to_json_string()}, data


if __name__ == "__main__":
    reference.make_or_check(__doc__, [(reference.path_of("masked", case), functools.partial(compute, case))
                                      for case in CASES])
