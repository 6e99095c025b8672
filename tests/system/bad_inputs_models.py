"""Rows of the table of bad inputs: folders of models of each architecture."""

import json
import re
import shutil
import sys
from pathlib import Path

import bad_inputs_rows
import tiny
from bad_inputs_rows import TRAIN, swap

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "golden"))
import folders  # noqa: E402

CONFIG, WEIGHTS = r"model/config\.json: ", r"model/model\.safetensors: "
ROWS = []
KEEP = [*TRAIN, "model.head=keep"]


def train(*arguments, **rest):
    bad_inputs_rows.train(*arguments, rows=ROWS, **rest)


def folder(name, change=None, head=False, **settings):
    """Replaces the model by a tiny one of this model_type, with these settings; None: the key is left out. `change`
    edits the shapes of the tensors in place."""
    def make(work):
        shutil.rmtree(work / "model")
        folders.write(work / "model", name, head)
        config, shapes = {**folders.config(name, head), **settings}, folders.tensors(name, head)
        if change is not None:
            change(shapes)
        (work / "model/config.json").write_text(json.dumps(config))
        (work / "model/model.safetensors").write_bytes(folders.safetensors(shapes))
    return make


def without(name):
    return lambda shapes: shapes.pop(name)


def changed(name, *shape):
    return lambda shapes: shapes.update({name: list(shape)})


def bad_key(row, name, key, value, expected):
    train(row, folder(name, **{key: value}), 1,
          rf"{CONFIG}{key} is {re.escape(json.dumps(value))}, expected {expected}")


# RoBERTa and its kin: positions begin behind that of padding.
bad_key("roberta-positions-few", "roberta", "max_position_embeddings", 1,
        r"more than 1: positions begin at pad_token_id \+ 1")
bad_key("camembert-pad-at-end", "camembert", "max_position_embeddings", 0, "an integer from 1")
bad_key("roberta-pad-none", "roberta", "pad_token_id", None, "a number: positions begin behind it")
bad_key("roberta-pad-text", "roberta", "pad_token_id", "<pad>", "an integer from 0 to below vocab_size 64")
bad_key("roberta-pad-negative", "roberta", "pad_token_id", -1, "an integer from 0")
bad_key("xlm-roberta-pad-high", "xlm-roberta", "pad_token_id", 64, "an integer from 0 to below vocab_size 64")
bad_key("roberta-relative", "roberta", "position_embedding_type", "relative_key", '"absolute"')
bad_key("roberta-activation", "roberta", "hidden_act", "mish", "gelu, gelu_new")
bad_key("roberta-dropout", "roberta", "classifier_dropout", 1, "a number from 0 to below 1")
bad_key("roberta-type-unknown", "roberta", "model_type", "roberta-prelayernorm", '"bert" or "roberta"')
train("roberta-pad-moved", folder("roberta", pad_token_id=40), 1,
      rf"{CONFIG}max_position_embeddings is 33, expected more than 41")
train("roberta-heads", folder("roberta", num_attention_heads=5), 1,
      rf"{CONFIG}hidden_size 24 is not a multiple of num_attention_heads 5")
train("roberta-table-short", folder("roberta", changed("roberta.embeddings.position_embeddings.weight", 10, 24)), 1,
      rf"{WEIGHTS}tensor roberta\.embeddings\.position_embeddings\.weight has shape \[10, 24\], but config\.json makes "
      r"it \[33, 24\]")
train("roberta-two-types", folder("roberta", type_vocab_size=2), 1,
      rf"{WEIGHTS}tensor roberta\.embeddings\.token_type_embeddings\.weight has shape \[1, 24\]")
train("roberta-bias-missing", folder("roberta", without("roberta.encoder.layer.1.attention.self.key.bias")), 1,
      rf"{WEIGHTS}tensor encoder\.layer\.1\.attention\.self\.key\.bias is missing, with and without the prefix roberta")
train("roberta-layers-few", folder("roberta", num_hidden_layers=1), 1,
      rf"{WEIGHTS}tensor roberta\.encoder\.layer\.1\.\S+ has no place in the model .*\(1 layers\)")
train("roberta-of-another", folder("bert", model_type="roberta"), 1,
      rf"{WEIGHTS}tensor bert\.\S+ is of a BERT model, expected RoBERTa")
CLASSES = {"head": True, "id2label": dict(enumerate(tiny.CLASSES))}


def two_classes(change):
    """Of the data, with something wrong in the head."""
    def edit(shapes):
        shapes |= {"classifier.out_proj.weight": [2, 24], "classifier.out_proj.bias": [2]}
        change(shapes)
    return edit


train("roberta-head-half", folder("roberta", two_classes(without("classifier.dense.weight")), **CLASSES), 1,
      r"keep: the folder has no classifier\.dense\.weight", command=KEEP)
train("roberta-head-shape", folder("roberta", two_classes(changed("classifier.dense.weight", 23, 24)), **CLASSES), 1,
      rf"{WEIGHTS}tensor classifier\.dense\.weight has shape \[23, 24\]", command=KEEP)

# ELECTRA: embeddings of a width of their own.
bad_key("electra-embedding-zero", "electra", "embedding_size", 0, "an integer from 1 to 65536")
bad_key("electra-embedding-text", "electra", "embedding_size", "10", "an integer from 1")
train("electra-embedding-other", folder("electra", embedding_size=12), 1,
      rf"{WEIGHTS}tensor electra\.embeddings\.\S+ has shape \[.*10\], but config\.json makes it \[.*12\]")
train("electra-projection-missing", folder("electra", without("electra.embeddings_project.bias")), 1,
      rf"{WEIGHTS}tensor embeddings_project\.bias is missing")
train("electra-projection-superfluous",
      folder("electra", lambda shapes: shapes.update(
          {name: [*shape[:-1], 24] for name, shape in shapes.items() if ".embeddings." in name}), embedding_size=24), 1,
      rf"{WEIGHTS}tensor electra\.embeddings_project\.\S+ has no place")
train("electra-projection-turned", folder("electra", changed("electra.embeddings_project.weight", 10, 24)), 1,
      rf"{WEIGHTS}tensor electra\.embeddings_project\.weight has shape \[10, 24\], but config\.json makes it \[24")
train("electra-types-for-pairs", lambda work: [change(work) for change in (
    swap("tiny.yaml", "  text: sentence\n", "  text: sentence\n  pair: sentence\n"),
    folder("electra", type_vocab_size=1))], 1, rf"{CONFIG}type_vocab_size is 1, expected 2 for pairs")

# DistilBERT: its own names of the sizes, no types.
bad_key("distilbert-other-heads", "distilbert", "num_attention_heads", 2, "3, as n_heads")
bad_key("distilbert-other-width", "distilbert", "hidden_size", 48, "24, as dim")
bad_key("distilbert-sinusoidal", "distilbert", "sinusoidal_pos_embds", "yes", "true or false")
bad_key("distilbert-activation", "distilbert", "activation", "tanh", "gelu, gelu_new")
bad_key("distilbert-head-dropout", "distilbert", "seq_classif_dropout", 1.0, "a number from 0 to below 1")
train("distilbert-heads", folder("distilbert", n_heads=5), 1, rf"{CONFIG}dim 24 is not a multiple of n_heads 5")
train("distilbert-layers-many", folder("distilbert", n_layers=3), 1,
      rf"{WEIGHTS}tensor transformer\.layer\.2\.\S+ is missing, with and without the prefix distilbert\.")
train("distilbert-types", folder("distilbert", changed("distilbert.embeddings.token_type_embeddings.weight", 2, 24)),
      1,
      rf"{WEIGHTS}tensor distilbert\.embeddings\.token_type_embeddings\.weight has no place")
train("distilbert-stranger", folder("distilbert", changed("roberta.pooler.dense.bias", 24)), 1,
      rf"{WEIGHTS}tensor roberta\.pooler\.dense\.bias is of a RoBERTa model, expected DistilBERT")

# MPNet: a table of distances that all layers share, padding of a fixed number.
TABLE = "mpnet.encoder.relative_attention_bias.weight"
bad_key("mpnet-buckets-few", "mpnet", "relative_attention_num_buckets", 31,
        "at least 32: distances have so many buckets")
bad_key("mpnet-buckets-none", "mpnet", "relative_attention_num_buckets", 0, "an integer from 1 to 65536")
bad_key("mpnet-buckets-text", "mpnet", "relative_attention_num_buckets", "32", "an integer from 1")
bad_key("mpnet-positions-few", "mpnet", "max_position_embeddings", 2, "more than 2: positions begin behind padding")
bad_key("mpnet-words-few", "mpnet", "vocab_size", 1, "more than 1: the token 1 is padding")
bad_key("mpnet-activation", "mpnet", "hidden_act", "silu", "gelu, gelu_new")
bad_key("mpnet-dropout", "mpnet", "attention_probs_dropout_prob", 1, "a number from 0 to below 1")
train("mpnet-heads", folder("mpnet", num_attention_heads=5), 1,
      rf"{CONFIG}hidden_size 24 is not a multiple of num_attention_heads 5")
train("mpnet-table-missing", folder("mpnet", without(TABLE)), 1,
      rf"{WEIGHTS}tensor encoder\.relative_attention_bias\.weight is missing, with and without the prefix mpnet\.")
train("mpnet-table-more-buckets", folder("mpnet", relative_attention_num_buckets=40), 1,
      rf"{WEIGHTS}tensor {re.escape(TABLE)} has shape \[32, 3\], but config\.json makes it \[40, 3\]")
train("mpnet-table-turned", folder("mpnet", changed(TABLE, 3, 32)), 1,
      rf"{WEIGHTS}tensor {re.escape(TABLE)} has shape \[3, 32\], but config\.json makes it \[32, 3\]")
train("mpnet-table-in-a-layer", folder("mpnet", changed("mpnet.encoder.layer.0.relative_attention_bias.weight", 32, 3)),
      1, rf"{WEIGHTS}tensor mpnet\.encoder\.layer\.0\.\S+ has no place in the model")
train("mpnet-types", folder("mpnet", changed("mpnet.embeddings.token_type_embeddings.weight", 2, 24)), 1,
      rf"{WEIGHTS}tensor mpnet\.embeddings\.token_type_embeddings\.weight has no place")
train("mpnet-of-another", folder("roberta", model_type="mpnet", max_position_embeddings=33), 1,
      rf"{WEIGHTS}tensor roberta\.\S+ is of a RoBERTa model, expected MPNet")
# XLNet: what makes another computation than that of its content stream; three dimensions; the class token last.
bad_key("xlnet-uni", "xlnet", "attn_type", "uni", '"bi"')
bad_key("xlnet-bi-data", "xlnet", "bi_data", True, "false")
bad_key("xlnet-clamp", "xlnet", "clamp_len", 100, "-1")
bad_key("xlnet-summary-mean", "xlnet", "summary_type", "mean", '"last"')
bad_key("xlnet-summary-bare", "xlnet", "summary_use_proj", False, "true")
bad_key("xlnet-summary-linear", "xlnet", "summary_activation", None, '"tanh"')
bad_key("xlnet-summary-relu", "xlnet", "summary_activation", "relu", '"tanh"')
bad_key("xlnet-summary-labels", "xlnet", "summary_proj_to_labels", True, "false")
bad_key("xlnet-first-dropout", "xlnet", "summary_first_dropout", 0.1, "0")
bad_key("xlnet-head-width", "xlnet", "d_head", 7, "8: d_model / n_head")
bad_key("xlnet-activation", "xlnet", "ff_activation", "silu", "gelu, gelu_new")
train("xlnet-odd-width", folder("xlnet", d_model=27, d_head=9), 1, rf"{CONFIG}d_model is 27, expected an even number")
train("xlnet-narrow-heads", folder("xlnet", n_head=24, d_head=1), 1,
      rf"{CONFIG}d_model is 24, expected .* above n_head")
train("xlnet-heads", folder("xlnet", n_head=5), 1, rf"{CONFIG}d_model 24 is not a multiple of n_head 5")
train("xlnet-layers-few", folder("xlnet", n_layer=1), 1,
      rf"{WEIGHTS}tensor transformer\.layer\.1\.\S+ has no place in the model .*\(1 layers\)")
train("xlnet-bias-missing", folder("xlnet", without("transformer.layer.1.rel_attn.r_s_bias")), 1,
      rf"{WEIGHTS}tensor layer\.1\.rel_attn\.r_s_bias is missing, with and without the prefix transformer\.")
for reason, tensor, found, expected in (
        ("flat", "rel_attn.q", (24, 24), "24, 3, 8"), ("turned", "rel_attn.k", (3, 24, 8), "24, 3, 8"),
        ("one-segment", "rel_attn.seg_embed", (1, 3, 8), "2, 3, 8"),
        ("bias-flat", "rel_attn.r_w_bias", (24,), "3, 8")):
    train(f"xlnet-{reason}", folder("xlnet", changed(f"transformer.layer.0.{tensor}", *found)), 1,
          rf"{WEIGHTS}tensor transformer\.layer\.0\.{tensor} has shape \[{', '.join(map(str, found))}\], but "
          rf"config\.json makes it \[{expected}\]")


def bert_tokenizer(work):
    folder("xlnet")(work)
    (work / "model/tokenizer.json").unlink()
    (work / "model/tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}')


def xlnet_tokenizer(work):
    (work / "model/tokenizer.json").write_text(json.dumps(folders.pipeline(tiny.VOCABULARY)))
    (work / "model/tokenizer_config.json").write_text('{"tokenizer_class": "TokenizersBackend"}')


train("xlnet-class-token-first", bert_tokenizer, 1,
      r"model: the tokenizer puts a special token before a text, but a model of the type xlnet .* last token")
train("bert-class-token-last", xlnet_tokenizer, 1,
      r"model: the tokenizer puts no special token before a text, but a model of the type bert .* first token")
