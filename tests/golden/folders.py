#!/usr/bin/env python3
"""Tiny model folders of every architecture, the same bytes wherever they are made: config.json, model.safetensors,
vocab.txt and tokenizer_config.json. Python's standard library alone.

    folders.py FOLDER [--head] [ARCHITECTURE ...]     writes FOLDER/ARCHITECTURE for each, or for all

A line of ARCHITECTURES has what one is made of; the names are the model_type of its config.json. For tests of the
program and as a small model to try things with."""

import argparse
import json
import struct
from pathlib import Path

HIDDEN, HEADS, FFN, LAYERS, POSITIONS, EMBEDDING = 24, 3, 70, 2, 32, 10
CLASSES = ("a", "b", "c")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
VOCABULARY = (*SPECIAL, *(f"w{i}" for i in range(59)))


def draw(state):
    """Knuth's linear congruential generator (MMIX), the high bits."""
    state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
    return state, state >> 33


def matrix(name, rows, columns):
    return {f"{name}.weight": [rows, columns], f"{name}.bias": [rows]}


def norm(name, width):
    return {f"{name}.weight": [width], f"{name}.bias": [width]}


def embeddings(types=0, width=HIDDEN, first=0):
    shapes = {"embeddings.word_embeddings.weight": [len(VOCABULARY), width],
              "embeddings.position_embeddings.weight": [POSITIONS + first, width]}
    shapes |= {"embeddings.token_type_embeddings.weight": [types, width]} if types else {}
    return shapes | norm("embeddings.LayerNorm", width)


BERT_LAYER = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
              "attention.output.LayerNorm", "intermediate.dense", "output.dense", "output.LayerNorm")
DISTILBERT_LAYER = ("attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin", "sa_layer_norm",
                    "ffn.lin1", "ffn.lin2", "output_layer_norm")
MPNET_LAYER = ("attention.attn.q", "attention.attn.k", "attention.attn.v", "attention.attn.o", "attention.LayerNorm",
               "intermediate.dense", "output.dense", "output.LayerNorm")


def post_norm_layers(start, names):
    """All layers: names of query, key, value, output, norm, up, down, norm."""
    shapes = {}
    for layer in range(LAYERS):
        *square, first, up, down, second = (f"{start}{layer}.{name}" for name in names)
        for name in square:
            shapes |= matrix(name, HIDDEN, HIDDEN)
        shapes |= norm(first, HIDDEN) | matrix(up, FFN, HIDDEN) | matrix(down, HIDDEN, FFN) | norm(second, HIDDEN)
    return shapes


def xlnet_layers():
    shapes, head = {}, HIDDEN // HEADS
    for layer in range(LAYERS):
        attention, ffn = f"layer.{layer}.rel_attn", f"layer.{layer}.ff"
        shapes |= {f"{attention}.{name}": [HIDDEN, HEADS, head] for name in "qkvor"}
        shapes |= {f"{attention}.r_{name}_bias": [HEADS, head] for name in "wrs"}
        shapes |= {f"{attention}.seg_embed": [2, HEADS, head]} | norm(f"{attention}.layer_norm", HIDDEN)
        shapes |= matrix(f"{ffn}.layer_1", FFN, HIDDEN) | matrix(f"{ffn}.layer_2", HIDDEN, FFN)
        shapes |= norm(f"{ffn}.layer_norm", HIDDEN)
    return shapes


def bert_config(kind, first=0, pad_token_id=0, **more):
    return {"architectures": [f"{kind}Model"], "hidden_size": HIDDEN, "num_attention_heads": HEADS,
            "intermediate_size": FFN, "num_hidden_layers": LAYERS, "vocab_size": len(VOCABULARY),
            "max_position_embeddings": POSITIONS + first, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
            "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, "pad_token_id": pad_token_id, **more}


def roberta(kind):
    """The padding token of the vocabulary has number 0, so positions begin at 1."""
    return (bert_config(kind, 1, type_vocab_size=1, layer_norm_eps=1e-5), "roberta.",
            embeddings(1, first=1) | post_norm_layers("encoder.layer.", BERT_LAYER), ROBERTA_HEAD)


POOLED_HEAD = matrix("classifier", len(CLASSES), HIDDEN)
ROBERTA_HEAD = matrix("classifier.dense", HIDDEN, HIDDEN) | matrix("classifier.out_proj", len(CLASSES), HIDDEN)

# Config.json but for model_type, the prefix of the encoder's tensors, their shapes, and those of a classifier.
ARCHITECTURES = {
    "bert": (bert_config("Bert", type_vocab_size=2), "bert.",
             embeddings(2) | post_norm_layers("encoder.layer.", BERT_LAYER) | matrix("pooler.dense", HIDDEN, HIDDEN),
             POOLED_HEAD),
    "roberta": roberta("Roberta"),
    "xlm-roberta": roberta("XLMRoberta"),
    "camembert": roberta("Camembert"),
    "electra": (bert_config("Electra", type_vocab_size=2, embedding_size=EMBEDDING), "electra.",
                embeddings(2, EMBEDDING) | matrix("embeddings_project", HIDDEN, EMBEDDING)
                | post_norm_layers("encoder.layer.", BERT_LAYER), ROBERTA_HEAD),
    "distilbert": ({"architectures": ["DistilBertModel"], "dim": HIDDEN, "n_heads": HEADS, "hidden_dim": FFN,
                    "n_layers": LAYERS, "vocab_size": len(VOCABULARY), "max_position_embeddings": POSITIONS,
                    "activation": "gelu", "dropout": 0.1, "attention_dropout": 0.1, "seq_classif_dropout": 0.2,
                    "pad_token_id": 0, "sinusoidal_pos_embds": False}, "distilbert.",
                   embeddings() | post_norm_layers("transformer.layer.", DISTILBERT_LAYER),
                   matrix("pre_classifier", HIDDEN, HIDDEN) | matrix("classifier", len(CLASSES), HIDDEN)),
    "mpnet": (bert_config("MPNet", 2, pad_token_id=1, relative_attention_num_buckets=32), "mpnet.",
              embeddings(first=2) | post_norm_layers("encoder.layer.", MPNET_LAYER)
              | {"encoder.relative_attention_bias.weight": [32, HEADS]}, ROBERTA_HEAD),
    "xlnet": ({"architectures": ["XLNetModel"], "d_model": HIDDEN, "n_head": HEADS, "d_inner": FFN, "n_layer": LAYERS,
               "d_head": HIDDEN // HEADS, "vocab_size": len(VOCABULARY), "ff_activation": "gelu", "attn_type": "bi",
               "dropout": 0.1, "summary_type": "last", "summary_use_proj": True, "summary_activation": "tanh",
               "summary_last_dropout": 0.2, "layer_norm_eps": 1e-12, "pad_token_id": 0}, "transformer.",
              {"word_embedding.weight": [len(VOCABULARY), HIDDEN], "mask_emb": [1, 1, HIDDEN]} | xlnet_layers(),
              matrix("sequence_summary.summary", HIDDEN, HIDDEN) | matrix("logits_proj", len(CLASSES), HIDDEN)),
}

# The class token stands last.
LAST = ("xlnet",)


def is_norm(name):
    return "norm" in name.lower() and name.endswith("weight")


def safetensors(shapes):
    """The bytes of a file. Values are multiples of 1/1024 up to 1/8, those of norms about 1: exact anywhere."""
    header, data, state = {"__metadata__": {"format": "pt"}}, b"", 20021034
    for name, shape in shapes.items():
        count, values = 1, []
        for size in shape:
            count *= size
        for _ in range(count):
            state, number = draw(state)
            values.append((number % 257 - 128) / 1024 + (1.0 if is_norm(name) else 0.0))
        begin = len(data)
        data += struct.pack(f"<{count}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, len(data)]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def tensors(name, head=False):
    """Shapes by their names in a file."""
    _, prefix, encoder, classifier = ARCHITECTURES[name]
    return {prefix + tensor: shape for tensor, shape in encoder.items()} | (classifier if head else {})


def config(name, head=False):
    settings = {"model_type": name, **ARCHITECTURES[name][0]}
    if head:
        settings["architectures"] = [settings["architectures"][0].replace("Model", "ForSequenceClassification")]
        settings["id2label"] = {str(i): label for i, label in enumerate(CLASSES)}
    return settings


def template(*pieces):
    return [{"SpecialToken" if name in SPECIAL else "Sequence": {"id": name, "type_id": kind}} for name, kind in pieces]


def pipeline(vocabulary=VOCABULARY):
    """A tokenizer.json: BERT's own but for the place of the class token."""
    special = {name: {"id": name, "ids": [vocabulary.index(name)], "tokens": [name]} for name in ("[SEP]", "[CLS]")}
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
            "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                           "strip_accents": None, "lowercase": True},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": {"type": "TemplateProcessing", "special_tokens": special,
                               "single": template(("A", 0), ("[SEP]", 0), ("[CLS]", 2)),
                               "pair": template(("A", 0), ("[SEP]", 0), ("B", 1), ("[SEP]", 1), ("[CLS]", 2))},
            "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                      "max_input_chars_per_word": 100, "vocab": {token: i for i, token in enumerate(vocabulary)}}}


def write_tokenizer(folder, name, vocabulary=VOCABULARY):
    """WordPiece, with the class token where a model of the type `name` reads it."""
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    kind = "TokenizersBackend" if name in LAST else "BertTokenizer"
    settings = {"tokenizer_class": kind, "do_lower_case": True}
    if name in LAST:
        settings |= {"padding_side": "left"} | {f"{token[1:-1].lower()}_token": token for token in SPECIAL}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings) + "\n")
    if name in LAST:
        (folder / "tokenizer.json").write_text(json.dumps(pipeline(vocabulary), indent=2) + "\n")


def write(folder, name, head=False, vocabulary=VOCABULARY):
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config(name, head), indent=2) + "\n")
    (folder / "model.safetensors").write_bytes(safetensors(tensors(name, head)))
    write_tokenizer(folder, name, vocabulary)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--head", action="store_true", help="with a classifier for the classes a, b, c")
    parser.add_argument("folder", type=Path)
    parser.add_argument("architecture", nargs="*", choices=[[], *ARCHITECTURES], default=[])
    options = parser.parse_args()
    for name in options.architecture or ARCHITECTURES:
        write(options.folder / name, name, options.head)


if __name__ == "__main__":
    main()
