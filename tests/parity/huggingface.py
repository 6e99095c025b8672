#!/usr/bin/env python3
"""Compares Hugging Face import and export with transformers itself. Needs torch, transformers, safetensors.

    huggingface.py fixture FOLDER    writes the small model that tests/unit/test_huggingface.c reads
    huggingface.py check PROGRAM     PROGRAM is the built test_huggingface: copies models with `PROGRAM copy IN OUT`,
                                     then compares tensors bit by bit, logits and token ids; exit code 1 on any
                                     difference
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertConfig, BertForSequenceClassification

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))

WORDS = ("[PAD] [UNK] [CLS] [SEP] [MASK] the a of to in cat dog tree river stone walks sleeps ##s ##ed ##ing run red "
         "green . , ! ? "
         "un ##able caf").split()
LABELS = ["animal", "plant", "stone"]
TEXTS = ["The cat sleeps.", "a red DOG walks, un-run!", "river of stones?", "unable trees", "Café zzz", "", "the " * 40]


def config(**changes):
    sizes = dict(vocab_size=len(WORDS), hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16,
                 max_position_embeddings=16, type_vocab_size=2, hidden_dropout_prob=0.125,
                 attention_probs_dropout_prob=0.25, layer_norm_eps=1e-12)
    sizes.update(changes)
    labels = sizes.pop("labels", LABELS)
    return BertConfig(**sizes, id2label=dict(enumerate(labels)), label2id={name: i for i, name in enumerate(labels)})


def write_tokenizer(folder, lower=True):
    with open(os.path.join(folder, "vocab.txt"), "w", encoding="utf-8") as out:
        out.write("".join(word + "\n" for word in WORDS))
    with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as out:
        json.dump({"do_lower_case": lower, "tokenizer_class": "BertTokenizer", "model_max_length": 16}, out)


def fixture(folder):
    """Values are a formula of name and index, exact in F32, F16 and BF16; the C test has the same formula."""
    model = BertForSequenceClassification(config())
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            index = torch.arange(tensor.numel(), dtype=torch.int64)
            values = ((index * 37 + sum(name.encode()) * 11) % 129 - 64).to(torch.float32) / 64
            tensor.copy_(values.reshape(tensor.shape))
    model.save_pretrained(folder)
    write_tokenizer(folder)


def random_model(folder, seed, dtype=torch.float32, **changes):
    torch.manual_seed(seed)
    model = BertForSequenceClassification(config(**changes))
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.add_(0.1 * torch.randn_like(tensor))
    model.to(dtype).save_pretrained(folder)
    write_tokenizer(folder)


def logits(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    batch = tokenizer(TEXTS, padding=True, truncation=True, max_length=16, return_tensors="pt")
    pairs = tokenizer(TEXTS, TEXTS[::-1], padding=True, truncation=True, max_length=16, return_tensors="pt")
    with torch.no_grad():
        return batch["input_ids"], pairs["input_ids"], model(**batch).logits, model(**pairs).logits, model.config


def compare(name, source, copy, failures):
    old, new = load_file(os.path.join(source, "model.safetensors")), load_file(os.path.join(copy, "model.safetensors"))
    if set(old) != set(new):
        failures.append(f"{name}: other tensors: {sorted(set(old) ^ set(new))}")
    for key in set(old) & set(new):
        exact = old[key].to(torch.float32)
        if new[key].dtype != torch.float32 or not torch.equal(exact.view(torch.int32), new[key].view(torch.int32)):
            failures.append(f"{name}: {key} differs")
    before, after = logits(source), logits(copy)
    for what, x, y in zip(("ids", "ids of pairs", "logits", "logits of pairs"), before[:4], after[:4]):
        if not torch.equal(x, y):
            failures.append(f"{name}: {what} differ")
    a, b = before[4], after[4]
    for key in ("id2label", "hidden_act", "hidden_dropout_prob", "attention_probs_dropout_prob", "layer_norm_eps",
                "num_hidden_layers", "num_attention_heads", "pad_token_id", "architectures"):
        if getattr(a, key) != getattr(b, key):
            failures.append(f"{name}: config {key} is {getattr(b, key)}, expected {getattr(a, key)}")
    wanted = a.hidden_dropout_prob if a.classifier_dropout is None else a.classifier_dropout
    if b.classifier_dropout != wanted:
        failures.append(f"{name}: classifier_dropout is {b.classifier_dropout}, expected {wanted}")


def check(program):
    cases = {"plain": {}, "two classes": dict(labels=["no", "yes"]), "f16": dict(dtype=torch.float16),
             "bf16": dict(dtype=torch.bfloat16), "tanh": dict(hidden_act="gelu_new"), "relu": dict(hidden_act="relu"),
             "dropout": dict(classifier_dropout=0.3, hidden_dropout_prob=0.0), "epsilon": dict(layer_norm_eps=1e-5),
             "five layers": dict(num_hidden_layers=5, hidden_size=12, num_attention_heads=3, intermediate_size=20),
             "other alphabets": dict(labels=["große", "日本", "\"quoted\" \\ /"])}
    failures = []
    with tempfile.TemporaryDirectory() as work:
        for seed, (name, changes) in enumerate(cases.items()):
            source, copy = os.path.join(work, f"in{seed}"), os.path.join(work, f"out{seed}")
            random_model(source, seed, **changes)
            subprocess.run([program, "copy", source, copy], check=True)
            compare(name, source, copy, failures)
        # The names of old files, and without the prefix: the same parameters.
        source, renamed, copy = (os.path.join(work, name) for name in ("in0", "renamed", "copy"))
        shutil.copytree(source, renamed)
        tensors = load_file(os.path.join(source, "model.safetensors"))
        save_file({key.removeprefix("bert.").replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"): value for key, value in tensors.items()},
            os.path.join(renamed, "model.safetensors"), metadata={"format": "pt"})
        subprocess.run([program, "copy", renamed, copy], check=True)
        compare("old names", source, copy, failures)
        # Shards as transformers writes them.
        sharded, copy = os.path.join(work, "sharded"), os.path.join(work, "unsharded")
        AutoModelForSequenceClassification.from_pretrained(source).save_pretrained(sharded, max_shard_size="2KB")
        assert len([name for name in os.listdir(sharded) if name.endswith(".safetensors")]) > 1
        write_tokenizer(sharded)
        subprocess.run([program, "copy", sharded, copy], check=True)
        compare("shards", source, copy, failures)
    for failure in failures:
        print(failure)
    print(f"{len(cases) + 2} models, {len(failures)} differences")
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "fixture":
        fixture(sys.argv[2])
    elif len(sys.argv) == 3 and sys.argv[1] == "check":
        sys.exit(check(os.path.abspath(sys.argv[2])))
    else:
        sys.exit(__doc__)
