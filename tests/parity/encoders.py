#!/usr/bin/env python3
"""Reference numbers from transformers for the architectures beside BERT: tests/parity/data/encoder-NAME.h5.

    encoders.py            writes the files
    encoders.py --check    computes everything again and compares it with the stored files

Needs torch, transformers, h5py and numpy. The schema is that of reference.py, and the same C tests read the files
(tests/support/encoder_fixture.h lists them), with these differences:

  config           attribute in place of the sizes: the text of config.json as transformers writes it
  buckets    [8193] uint32, of models with a bias by distance: transformers' bucket of the distances -4096 to 4096
  types      [T]   the text that a token is of, 0 or 1, whatever types the model has

Every model is transformers' own ...ForSequenceClassification on weights drawn as there, in float64, dropout off. Texts
are computed one by one, so nothing is padded. Some have the padding token inside: its embedding has no gradient, and in
some models it has a position of its own."""

import dataclasses
import functools

import numpy as np
import torch
import transformers

import reference
from reference import (BATCH, CLIP, DISTILL_WEIGHT, GRADIENT_BITS, LEARNING_RATE, STEPS, UNEVEN, WARMUP, WEIGHT_BITS,
                       round_to)

FARTHEST = 4096
COMMON = {"attn_implementation": "eager"}


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    seed: int
    kind: str  # what the names of transformers' classes begin with
    sizes: dict
    classes: int
    key_bias: str = "self.key.bias"  # the end of names of tensors whose gradient is zero; "": there are none
    pairs: bool = True
    types: bool = False  # the model reads which text a token is of
    last_type: int = 0  # above 0: texts are padded on the left, in batches, and the last token has this type
    unread: str = ""  # a tensor that the model does not read
    lengths: tuple = UNEVEN


def bert_sizes(hidden, heads, ffn, layers, vocab, positions, **more):
    return {"hidden_size": hidden, "num_attention_heads": heads, "intermediate_size": ffn,
            "num_hidden_layers": layers, "vocab_size": vocab, "max_position_embeddings": positions, **more}


def distilbert_sizes(hidden, heads, ffn, layers, vocab, positions, **more):
    return {"dim": hidden, "n_heads": heads, "hidden_dim": ffn, "n_layers": layers, "vocab_size": vocab,
            "max_position_embeddings": positions, **more}


def xlnet_sizes(hidden, heads, ffn, layers, vocab, **more):
    return {"d_model": hidden, "n_head": heads, "d_inner": ffn, "n_layer": layers, "vocab_size": vocab, **more}


XLNET = {"key_bias": "", "types": True, "last_type": 2, "unread": "mask_emb"}

# Two sizes of each, the second with odd ones; the longest text fills the table of positions.
CASES = (
    Case("roberta", 21, "Roberta", bert_sizes(24, 3, 40, 2, 41, 22, type_vocab_size=1, layer_norm_eps=1e-5), 3),
    Case("roberta-odd", 22, "XLMRoberta",
         bert_sizes(15, 3, 37, 1, 37, 26, type_vocab_size=1, pad_token_id=5, hidden_act="gelu_new"), 2),
    Case("electra", 23, "Electra", bert_sizes(24, 3, 40, 2, 41, 20, embedding_size=10), 3, types=True),
    Case("electra-odd", 24, "Electra", bert_sizes(21, 7, 29, 1, 37, 20, embedding_size=33, pad_token_id=4), 5,
         types=True),
    Case("distilbert", 25, "DistilBert", distilbert_sizes(24, 3, 40, 2, 41, 20), 3, "k_lin.bias"),
    Case("distilbert-odd", 26, "DistilBert", distilbert_sizes(27, 9, 23, 1, 37, 20, activation="relu",
                                                              pad_token_id=3), 2, "k_lin.bias", pairs=False),
    Case("mpnet", 27, "MPNet", bert_sizes(24, 3, 40, 2, 41, 22, layer_norm_eps=1e-5), 3, "attn.k.bias"),
    # Distances of all buckets.
    Case("mpnet-odd", 28, "MPNet", bert_sizes(15, 5, 37, 3, 37, 142, relative_attention_num_buckets=33), 2,
         "attn.k.bias", lengths=(140, 37, 2, 1, 96, 9, 17, 64)),
    Case("xlnet", 31, "XLNet", xlnet_sizes(24, 3, 40, 2, 41), 3, **XLNET),
    Case("xlnet-odd", 32, "XLNet", xlnet_sizes(30, 3, 37, 1, 37, ff_activation="gelu_new", layer_norm_eps=1e-5), 2,
         lengths=(1, 70, 2, 33, 5, 64, 17, 3), **XLNET),
)


def create_model(case, weights=None):
    config = getattr(transformers, f"{case.kind}Config")(num_labels=case.classes, **case.sizes, **COMMON)
    model = getattr(transformers, f"{case.kind}ForSequenceClassification")(config).double().eval()
    if weights is not None:
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(torch.from_numpy(weights[name]))
    return model


def bare(model, name):
    return name.removeprefix(f"{model.base_model_prefix}.")


def is_norm(name):
    return "norm" in name.lower() and name.endswith("weight")


def draw_weights(model, random):
    weights = {}
    for name, parameter in model.named_parameters():
        values = 0.2 * random.standard_normal(tuple(parameter.shape)) + (1.0 if is_norm(name) else 0.0)
        weights[name] = round_to(values, WEIGHT_BITS)
    return weights


def draw_batch(case, model, random):
    """Token ids, the texts they are of, labels. Every fourth example has the padding token inside."""
    padding = model.config.pad_token_id
    ids = [random.randint(0, case.sizes["vocab_size"], length) for length in case.lengths]
    texts = [np.zeros(length, dtype=np.int64) for length in case.lengths]
    for number, (tokens, segments) in enumerate(zip(ids, texts)):
        tokens[tokens == padding] = padding + 1
        if number % 4 == 0:
            tokens[len(tokens) // 3] = tokens[len(tokens) // 2] = padding
        if case.pairs and number % 3 != 0:
            segments[random.randint(1, len(segments)):] = 1
    return ids, texts, random.randint(0, case.classes, len(case.lengths))


def left_padded(rows, length, value):
    return torch.stack([torch.cat([torch.full((length - len(row),), value), torch.from_numpy(row)]) for row in rows])


def forward_padded(case, model, ids, texts, chosen):
    """Logits of one batch; the types of padding are not those of any token."""
    length = max(len(ids[i]) for i in chosen)
    types = [np.append(texts[i][:-1], case.last_type) for i in chosen]
    return model(input_ids=left_padded([ids[i] for i in chosen], length, model.config.pad_token_id),
                 token_type_ids=left_padded(types, length, 3),
                 attention_mask=left_padded([np.ones(len(ids[i])) for i in chosen], length, 0.0)).logits


def forward(case, model, ids, texts, chosen):
    if case.last_type:
        return forward_padded(case, model, ids, texts, chosen)
    rows = []
    for i in chosen:
        inputs = {"input_ids": torch.from_numpy(ids[i])[None], "attention_mask": torch.ones(1, len(ids[i]))}
        if case.types:
            inputs["token_type_ids"] = torch.from_numpy(texts[i])[None]
        rows.append(model(**inputs).logits)
    return torch.cat(rows)


def is_key_bias(case, name):
    return case.key_bias != "" and name.endswith(case.key_bias)


def gradient_of(parameter):
    return (torch.zeros_like(parameter) if parameter.grad is None else parameter.grad).numpy()


def gradients(case, model, loss):
    model.zero_grad()
    loss.backward(retain_graph=True)  # a second loss of the same forward follows
    named = {bare(model, name): gradient_of(parameter).copy() for name, parameter in model.named_parameters()}
    for name, gradient in named.items():
        if is_key_bias(case, name):
            assert np.linalg.norm(gradient) < 1e-12, name
            gradient[:] = 0.0
        elif name != case.unread:
            assert np.linalg.norm(gradient) > 1e-4, f"{name}: a gradient that tests nothing"
    return {name: round_to(gradient, GRADIENT_BITS) for name, gradient in named.items()}


def products(case, model, ids, texts, labels, chosen):
    rows = []
    for i in chosen:
        model.zero_grad()
        loss = torch.nn.functional.cross_entropy(forward(case, model, ids, texts, [i]), torch.from_numpy(labels[[i]]))
        loss.backward()
        rows.append(np.concatenate([gradient_of(parameter).ravel() for parameter in model.parameters()]))
    return np.stack(rows) @ np.stack(rows).T


def is_plain(name):
    """Whether weight decay leaves it out, as transformers' Trainer does."""
    return "bias" in name or is_norm(name)


def trajectory(case, weights, ids, texts, labels, random):
    model = create_model(case, weights)
    groups = [{"params": [p for n, p in model.named_parameters() if is_plain(n) == plain],
               "weight_decay": 0.0 if plain else 0.01} for plain in (False, True)]
    optimizer = torch.optim.AdamW(groups, lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
    batches = np.stack([random.permutation(len(ids))[:BATCH] for _ in range(STEPS)]).astype(np.uint32)
    rows = {"loss": [], "norm": [], "lr": [], "products": []}
    for batch in batches:
        rows["products"].append(products(case, model, ids, texts, labels, batch))
        logits = forward(case, model, ids, texts, batch)
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels[batch]))
        optimizer.zero_grad()
        loss.backward()
        rows["lr"].append(schedule.get_last_lr()[0])
        rows["norm"].append(torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP).item())
        rows["loss"].append(loss.item())
        optimizer.step()
        schedule.step()
    final = {bare(model, name): value.detach().numpy().astype(np.float32) for name, value in model.named_parameters()
             if (value.dim() == 1 or name == "classifier.weight") and not is_key_bias(case, name)}
    return {"trajectory/batches": batches, **{f"trajectory/{key}": np.array(row) for key, row in rows.items()},
            **{f"trajectory/final/{name}": value for name, value in final.items()}}


def compute(case):
    """The attributes and the datasets (path to array) of one file."""
    random = np.random.RandomState(case.seed)
    weights = draw_weights(create_model(case), random)
    model = create_model(case, weights)
    ids, texts, labels = draw_batch(case, model, random)
    teacher = round_to(random.standard_normal((len(ids), case.classes)), WEIGHT_BITS)
    logits = forward(case, model, ids, texts, range(len(ids)))
    ce = torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels))
    distill = ce + DISTILL_WEIGHT * torch.nn.functional.mse_loss(logits, torch.from_numpy(teacher).double())
    data = {"ids": np.concatenate(ids).astype(np.uint32), "types": np.concatenate(texts).astype(np.uint32),
            "lengths": np.array(case.lengths, dtype=np.uint32), "labels": labels.astype(np.uint32),
            "logits": logits.detach().numpy(), "ce/loss": np.float64(ce.item()),
            "distill/loss": np.float64(distill.item()), "distill/weight": np.float64(DISTILL_WEIGHT),
            "distill/teacher_logits": teacher}
    data |= {f"weights/{bare(model, name)}": value for name, value in weights.items()}
    for kind, loss in (("ce", ce), ("distill", distill)):
        data |= {f"{kind}/gradient/{name}": value for name, value in gradients(case, model, loss).items()}
    encoder = getattr(model.base_model, "encoder", None)
    if hasattr(encoder, "relative_position_bucket"):
        buckets = encoder.relative_position_bucket(torch.arange(-FARTHEST, FARTHEST + 1))
        data["buckets"] = buckets.numpy().astype(np.uint32)
    data["ce/products"] = products(case, model, ids, texts, labels, range(len(ids)))
    data |= trajectory(case, weights, ids, texts, labels, random)
    config = model.config
    config.dtype = None
    return {"config": config.to_json_string()}, data


if __name__ == "__main__":
    reference.make_or_check(__doc__, [(reference.path_of("encoder", case), functools.partial(compute, case))
                                      for case in CASES])
