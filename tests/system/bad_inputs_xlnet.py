"""Rows of the table of bad inputs: folders of an XLNet."""

import json
import shutil
import sys
from pathlib import Path

from bad_inputs_rows import train

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "golden"))
import folders  # noqa: E402


def xlnet(change=None, **keys):
    """The model is an XLNet; keys of its config.json change (None: left out), `change` edits the shapes of its tensors,
    or the folder where it takes a path."""
    def make(work):
        shutil.rmtree(work / "model")
        folders.write(work / "model", "xlnet")
        settings = {key: value for key, value in (folders.config("xlnet") | keys).items() if value is not None}
        (work / "model/config.json").write_text(json.dumps(settings))
        if change is not None:
            shapes = folders.tensors("xlnet")
            change(shapes, work / "model")
            (work / "model/model.safetensors").write_bytes(folders.safetensors(shapes))
    return make


def without(name):
    return lambda shapes, _: shapes.pop(name)


def shaped(name, *shape):
    return lambda shapes, _: shapes.update({name: list(shape)})


def first_of_all(_, folder):
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}')


LAYER = "transformer.layer.1.rel_attn"
train("xlnet-uni", xlnet(attn_type="uni"), 1, r"config\.json", r"attn_type", r"uni", r"\"bi\"")
train("xlnet-bi-data", xlnet(bi_data=True), 1, r"config\.json", r"bi_data", r"false")
train("xlnet-clamp", xlnet(clamp_len=100), 1, r"config\.json", r"clamp_len", r"100", r"-1")
train("xlnet-summary-mean", xlnet(summary_type="mean"), 1, r"summary_type", r"mean", r"last")
train("xlnet-summary-bare", xlnet(summary_use_proj=False), 1, r"summary_use_proj", r"true")
train("xlnet-summary-linear", xlnet(summary_activation="relu"), 1, r"summary_activation", r"relu", r"tanh")
train("xlnet-summary-labels", xlnet(summary_proj_to_labels=True), 1, r"summary_proj_to_labels", r"false")
train("xlnet-first-dropout", xlnet(summary_first_dropout=0.1), 1, r"summary_first_dropout", r"0\.1")
train("xlnet-head-width", xlnet(d_head=7), 1, r"d_head", r"7", r"expected 8")
train("xlnet-heads", xlnet(n_head=5, d_head=None), 1, r"d_model 24", r"n_head 5")
train("xlnet-activation", xlnet(ff_activation="silu"), 1, r"ff_activation", r"silu", r"gelu")
train("xlnet-layers", xlnet(n_layer=1), 1, r"model\.safetensors", r"layer\.1\.", r"1 layers")
train("xlnet-missing", xlnet(without(f"{LAYER}.r_s_bias")), 1, r"model\.safetensors", r"layer\.1\.rel_attn\.r_s_bias")
train("xlnet-flat", xlnet(shaped(f"{LAYER}.q", 24, 24)), 1, r"rel_attn\.q", r"\[24, 24\]", r"\[24, 3, 8\]")
train("xlnet-turned", xlnet(shaped(f"{LAYER}.k", 3, 24, 8)), 1, r"rel_attn\.k", r"\[3, 24, 8\]", r"\[24, 3, 8\]")
train("xlnet-one-segment", xlnet(shaped(f"{LAYER}.seg_embed", 1, 3, 8)), 1, r"seg_embed", r"\[1, 3, 8\]",
      r"\[2, 3, 8\]")
train("xlnet-cls-first", xlnet(first_of_all), 1, r"xlnet", r"last token", r"tokenizer")
train("bert-cls-last", lambda work: [(work / "model/tokenizer_config.json").write_text(
    '{"tokenizer_class": "TokenizersBackend"}'), (work / "model/tokenizer.json").write_text(
        json.dumps(folders.pipeline((work / "model/vocab.txt").read_text().split())))], 1, r"bert", r"first token",
      r"tokenizer")
