#!/usr/bin/env python3
"""A tiny valid model, data set and configuration, made from nothing but Python's standard library.

    tiny.py FOLDER    writes FOLDER/model (a Hugging Face folder), FOLDER/data/*.tsv, FOLDER/tiny.yaml (the descriptor)
                      and FOLDER/config.yaml; train with `autodidact train config.yaml` inside FOLDER

The weights are random but the same each time. Tests import the functions."""

import json
import random
import struct
import sys
from pathlib import Path

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))

HIDDEN, HEADS, FFN, LAYERS, POSITIONS = 16, 2, 32, 2, 32
WORDS = ["good", "bad", "film", "plot", "the", "a", "is", "not", "very", "dull", "bright", "story", "##s",
         "##ly", ",", "."]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + WORDS
CLASSES = ["negative", "positive"]


def tensors(vocabulary=len(VOCABULARY), classes=len(CLASSES)):
    """{name: (shape, values)} of a BERT classifier, in the order of Hugging Face's file."""
    draw = random.Random(1)
    shapes = {
        "bert.embeddings.word_embeddings.weight": [vocabulary, HIDDEN],
        "bert.embeddings.position_embeddings.weight": [POSITIONS, HIDDEN],
        "bert.embeddings.token_type_embeddings.weight": [2, HIDDEN],
        "bert.embeddings.LayerNorm.weight": [HIDDEN],
        "bert.embeddings.LayerNorm.bias": [HIDDEN],
    }
    for layer in range(LAYERS):
        for name, rows, columns in [("attention.self.query", HIDDEN, HIDDEN), ("attention.self.key", HIDDEN, HIDDEN),
                                    ("attention.self.value", HIDDEN, HIDDEN),
                                    ("attention.output.dense", HIDDEN, HIDDEN),
                                    ("attention.output.LayerNorm", HIDDEN, 0), ("intermediate.dense", FFN, HIDDEN),
                                    ("output.dense", HIDDEN, FFN), ("output.LayerNorm", HIDDEN, 0)]:
            shapes[f"bert.encoder.layer.{layer}.{name}.weight"] = [rows, columns] if columns else [rows]
            shapes[f"bert.encoder.layer.{layer}.{name}.bias"] = [rows]
    shapes.update({"bert.pooler.dense.weight": [HIDDEN, HIDDEN], "bert.pooler.dense.bias": [HIDDEN],
                   "classifier.weight": [classes, HIDDEN], "classifier.bias": [classes]})
    result = {}
    for name, shape in shapes.items():
        count = shape[0] * (shape[1] if len(shape) == 2 else 1)
        if len(shape) == 2:
            values = [draw.gauss(0.0, 0.1) for _ in range(count)]
        else:
            values = [1.0 if name.endswith("LayerNorm.weight") else 0.0] * count
        result[name] = (shape, values)
    return result


def safetensors(content, types=None):
    """The bytes of a safetensors file with these tensors as F32; `types` gives some of them another dtype's name."""
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, (shape, values) in content.items():
        raw = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": (types or {}).get(name, "F32"), "shape": shape,
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def model_config(**changes):
    """config.json as Hugging Face writes it, with changes; a value of None leaves the key out."""
    config = {
        "architectures": ["BertForSequenceClassification"], "model_type": "bert", "hidden_size": HIDDEN,
        "num_attention_heads": HEADS, "intermediate_size": FFN, "num_hidden_layers": LAYERS,
        "vocab_size": len(VOCABULARY), "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12, "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1, "pad_token_id": 0,
        "id2label": {str(i): name for i, name in enumerate(CLASSES)},
        "label2id": {name: i for i, name in enumerate(CLASSES)},
    }
    config.update(changes)
    return {key: value for key, value in config.items() if value is not None}


def write_model(folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(model_config(), indent=2))
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n")
    (folder / "model.safetensors").write_bytes(safetensors(tensors()))


def rows(count, seed):
    """(label, text) pairs; the first word tells the class."""
    draw = random.Random(seed)
    result = []
    for _ in range(count):
        label = draw.randrange(2)
        words = ["good" if label else "bad"] + [draw.choice(WORDS[2:12]) for _ in range(draw.randrange(1, 9))]
        result.append((label, " ".join(words)))
    return result


def write_data(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, count) in enumerate([("train", 24), ("dev", 8), ("test", 8)]):
        lines = "".join(f"{text}\t{label}\n" for label, text in rows(count, number))
        (folder / f"{name}.tsv").write_text("sentence\tlabel\n" + lines)


def descriptor(form="tsv", layout=None, classes=CLASSES, suffix=None):
    """The text of a dataset descriptor for files train, dev, test with this suffix."""
    if layout is None:
        layout = ("header: true\ncolumns:\n  text: sentence\n  label: label\n"
                  "labels: {\"0\": negative, \"1\": positive}\n")
    suffix = f".{form}" if suffix is None else suffix
    splits = "".join(f"  {name}:\n    file: {name}{suffix}\n" for name in ("train", "dev", "test"))
    names = "".join(f"  - {name}\n" for name in classes)
    return (f"title: tiny\nsource: made by tests\nlicence: none\nformat: {form}\n"
            f"{layout}classes:\n{names}splits:\n{splits}")


CONFIG = """run:
  dir: run
model:
  path: model
data:
  descriptor: tiny.yaml
  folder: data
  max_tokens: 16
batch:
  size: 8
  lanes: 4
optim:
  lr: 1e-3
train:
  epochs: 1
"""


def write_all(folder):
    write_model(folder / "model")
    write_data(folder / "data")
    (folder / "tiny.yaml").write_text(descriptor())
    (folder / "config.yaml").write_text(CONFIG)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    write_all(Path(sys.argv[1]))
