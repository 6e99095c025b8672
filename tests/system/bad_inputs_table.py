"""The table of bad inputs: name, what is broken, the command, the exit code, what the message must say. All of it
is in ROWS in the end."""

import bz2
import gzip
import json
import lzma
import pickle
import re
import struct

import bad_inputs_masked
import tiny
from bad_inputs_rows import (ROWS, TRAIN, cut, data_as, folder_instead, header, model, pipe_instead, remove, row, swap,
                             test_rows, train, weights, write)

EVAL = ["eval", "run", "--data", "data/test.tsv"]
VOTE = ["eval", "run", "second", "--data", "data/test.tsv", "--vote"]
AVERAGE = ["eval", "run", "second", "--data", "data/test.tsv", "--average", "--out", "new"]
PREDICT = ["predict", "run", "--data", "data/test.tsv"]

# Every command on the unbroken input, in this order; `run` is the run that rows break, `second` one to combine with it.
GOOD = [
    ("train", ["train", "config.yaml"]),
    ("eval", EVAL),
    ("a second train", ["train", "config.yaml", "run.dir=second", "seed.order=1"]),
    ("eval --vote", VOTE),
    ("eval --average", [*AVERAGE[:-1], "averaged"]),
    ("predict", PREDICT),
    ("tokenize", ["tokenize", "--model", "model", "data/dev.tsv"]),
    ("data", ["data", "config.yaml"]),
    ("order", ["order", "config.yaml"]),
    ("inspect", ["inspect", "model/model.safetensors"]),
    ("diff", ["diff", "run", "run"]),
    ("export", ["export", "run", "--out", "exported"]),
    bad_inputs_masked.GOOD,
]

CSV = "header: false\ncolumns:\n  label: 1\n  text: [2, 3]\nlabels: {\"0\": negative, \"1\": positive}\n"
JSONL = "columns:\n  label: gold\n  text: sentence\nlabels: {\"0\": negative, \"1\": positive}\n"
CSV_GOOD = '"0","bad","film"\n"1","good","plot"\n'
JSONL_GOOD = '{"gold": "0", "sentence": "bad film"}\n{"gold": "1", "sentence": "good film"}\n'

# The command line.
row("command-none", None, [], 1, r"(?i)command|usage")
row("command-unknown", None, ["trian", "config.yaml"], 1, r"trian", r"train")
row("option-unknown", None, ["train", "--fast", "config.yaml"], 1, r"--fast")
row("train-no-config", None, ["train"], 1, r"(?i)config|usage")
row("keys-none", None, ["train", "--keys", "extras"], 1, r"no key has .extras.", r"--keys")
row("keys-extra", None, ["train", "--keys", "lr", "extra"], 1, r"--keys takes one pattern", r"extra")
row("keys-markdown-extra", None, ["train", "extra", "--keys-markdown"], 1, r"--keys-markdown", r"extra")
row("keys-roles-extra", None, ["train", "extra", "--keys-roles"], 1, r"--keys-roles", r"extra")
row("override-no-value", None, [*TRAIN, "optim.lr"], 1, r"optim\.lr", r"key=value")
row("override-unknown-key", None, [*TRAIN, "optim.rl=1"], 1, r"optim\.rl", r"optim\.lr")
row("override-bad-number", None, [*TRAIN, "batch.size=many"], 1, r"batch\.size", r"many", r"whole number")
row("override-nan", None, [*TRAIN, "optim.lr=nan"], 1, r"optim\.lr", r"nan")
row("eval-no-data", None, ["eval", "run"], 1, r"--data")
row("eval-no-run", None, ["eval", "--data", "data/test.tsv"], 1, r"(?i)run")
row("export-no-out", None, ["export", "run"], 1, r"--out")
row("tokenize-no-model", None, ["tokenize", "data/dev.tsv"], 1, r"--model")
row("inspect-nothing", None, ["inspect"], 1, r"(?i)file|usage")
BFLOAT16 = [*TRAIN, "train.precision=bfloat16"]
row("precision-unknown", None, [*TRAIN, "train.precision=half"], 1, r"train\.precision is 'half'", r"bfloat16")
row("precision-of-openblas", None, BFLOAT16, 1, r"AUTODIDACT_GEMM=openblas", r"train\.precision=bfloat16",
    environment={"AUTODIDACT_GEMM": "openblas"})
row("bfloat16-unknown", None, BFLOAT16, 1, r"AUTODIDACT_BFLOAT16", r"abacus",
    environment={"AUTODIDACT_BFLOAT16": "abacus"})
row("kernels-unknown", None, TRAIN, 1, r"AUTODIDACT_KERNELS", r"abacus", environment={"AUTODIDACT_KERNELS": "abacus"})

# Keys that the task checks.
TASK_CASES = [
    ("metric", ["run.metric=f1"], r"run\.metric is 'f1'", r"error, accuracy, macro_f1, matthews, loss"),
    ("weights-few", ["train.class_weights=1"], r"class_weights is '1'", r"2 numbers", r'"negative" to "positive"'),
    ("weights-many", ["train.class_weights=1,2,3"], r"train\.class_weights is '1,2,3'", r"2 numbers"),
    ("weights-zero", ["train.class_weights=0,1"], r"train\.class_weights is '0,1'", r"from 1e-6"),
    ("weights-word", ["train.class_weights=balance"], r"'balance'", r"none, balanced"),
    ("smoothing", ["train.label_smoothing=1.5"], r"train\.label_smoothing is '1\.5'", r"0 to 1"),
    ("patience", ["train.patience=-1"], r"train\.patience is '-1'", r"whole number"),
    ("clip", ["optim.clip=off"], r"optim\.clip is 'off'", r"or none"),
]
for case, keys, *told in TASK_CASES:
    train(f"task-{case}", None, 1, *told, command=[*TRAIN, *keys])
NO_DEV = swap("tiny.yaml", "  dev:\n    file: dev.tsv\n", "")
train("task-patience-no-dev", NO_DEV, 1, r"train\.patience needs a dev split", r"data\.hold_out",
      command=[*TRAIN, "train.patience=2"])
train("task-best-no-dev", NO_DEV, 1, r"run\.select=best needs a dev split", command=[*TRAIN, "run.select=best"])
train("task-balanced", write("data/train.tsv", "sentence\tlabel\ngood film\t1\n"), 1, r"class_weights=balanced",
      r'class "negative"', command=[*TRAIN, "train.class_weights=balanced"])

# The configuration file.
train("config-missing", remove("config.yaml"), 1, r"config\.yaml")
train("config-folder", folder_instead("config.yaml"), 1, r"config\.yaml", r"(?i)folder|directory")
train("config-unknown-key", swap("config.yaml", "  lr: 1e-3", "  lrr: 1e-3"), 1, r"config\.yaml:13", r"optim\.lrr",
      r"optim\.lr\b")
train("config-wrong-type", swap("config.yaml", "1e-3", "fast"), 1, r"config\.yaml:13", r"optim\.lr", r"fast")
train("config-out-of-range", swap("config.yaml", "size: 8", "size: 0"), 1, r"config\.yaml:10",
      r"batch\.size", r"from 1")
train("config-list", swap("config.yaml", "size: 8", "size: [8, 9]"), 1, r"config\.yaml:10", r"batch\.size", r"list")
train("config-doubled-key", swap("config.yaml", "size: 8", "size: 8\n  size: 9"), 1, r"config\.yaml:11", r"size")
train("config-malformed", swap("config.yaml", "size: 8", 'size: "8'), 1, r"config\.yaml:\d+")
train("config-tab", swap("config.yaml", "  size: 8", "\tsize: 8"), 1, r"config\.yaml:(9|10)\b")
train("config-bytes", write("config.yaml", b"run:\n  dir: \xff\xfe\n"), 1, r"config\.yaml")
train("config-nul", write("config.yaml", b"run:\n  dir: a\x00b\n"), 1, r"config\.yaml")
train("config-no-run-dir", swap("config.yaml", "  dir: run", '  dir: ""'), 1, r"run\.dir",
      command=["train", "config.yaml"])
train("config-no-data", swap("config.yaml", "  descriptor: tiny.yaml\n", ""), 1, r"data\.descriptor")

# The teacher and what is frozen.
TRAIN_CASES = [
    ("window-zero", ["teacher.window=0"], r"teacher\.window is '0'", r"whole number or all"),
    ("method", ["teacher.method=mean"], r"teacher\.method", r"none\|se\|sda"),
    ("lag", ["teacher.lag=2"], r"teacher\.lag", r"from 0 to 1"),
    ("sdv-all", ["teacher.method=sdv", "teacher.window=all"], r"teacher\.window", r"found all"),
    ("sdv-large", ["teacher.method=sdv", "teacher.window=5000"], r"teacher\.window", r"1024"),
    ("result-teacher", ["run.result=teacher"], r"run\.result=teacher", r"teacher\.method make one: sda ema"),
    ("result-run", ["run.result=run"], r"run\.result=run", r"eval\.means=true"),
    ("result-sdv", ["teacher.method=sdv", "run.result=teacher"], r"run\.result=teacher", r"several models"),
    ("freeze-deep", ["model.freeze=3"], r"model\.freeze is '3'", r"up to 2"),
    ("freeze-word", ["model.freeze=all"], r"model\.freeze is 'all'", r"encoder"),
]
for case, keys, *told in TRAIN_CASES:
    train(f"teacher-{case}", None, 1, *told, command=[*TRAIN, *keys])
train("teacher-ring-folder", None, 2, r"/no/such/folder",
      command=[*TRAIN, "teacher.method=sda", "teacher.window=3", "teacher.ring=disk",
               "teacher.ring_folder=/no/such/folder"])
row("eval-model-unknown", None, [*EVAL, "--model", "mean"], 1, r"--model is 'mean'", r"student, teacher")
row("eval-model-not-kept", None, [*EVAL, "--model", "run"], 1, r"run: ", r"variants/run")
row("predict-model-of-folder", None, ["predict", "model", "--data", "data/test.tsv", "--model", "run"], 1,
    r"--model is for runs")

# The run folder.
train("run-there-already", None, 1, r"run", r"run\.overwrite", command=["train", "config.yaml"])
train("run-below-a-file", None, 2, r"tiny\.yaml", command=["train", "config.yaml", "run.dir=tiny.yaml/new"])
train("run-unwritable", None, 2, r"/proc/new", command=["train", "config.yaml", "run.dir=/proc/new"])
train("run-is-a-file", None, 1, r"run\.dir is 'tiny\.yaml', which is a file",
      command=["train", "config.yaml", "run.dir=tiny.yaml"])

# The descriptor.
train("descriptor-unknown", swap("config.yaml", "tiny.yaml", "nowhere"), 1, r"nowhere")
train("descriptor-missing", remove("tiny.yaml"), 1, r"tiny\.yaml")
train("descriptor-unknown-key", swap("tiny.yaml", "licence", "licens"), 1, r"tiny\.yaml:3", r"licens")
train("descriptor-two-licences", swap("tiny.yaml", "licence: none", "licence: none\nlicense: none"), 1, r"tiny\.yaml:4",
      r"expected one of them")
train("descriptor-bad-format", swap("tiny.yaml", "format: tsv", "format: xls"), 1, r"tiny\.yaml:4", r"xls")
train("descriptor-one-class", swap("tiny.yaml", "  - positive\n", ""), 1, r"tiny\.yaml:\d+")
train("descriptor-no-splits", swap("tiny.yaml", "splits:", "spilts:"), 1, r"tiny\.yaml:\d+", r"spilts")
train("descriptor-no-column", swap("tiny.yaml", "text: sentence", "text: words"), 1, r"train\.tsv:1",
      r"words", r"sentence")

# Data files.
train("data-no-folder", swap("config.yaml", "folder: data", "folder: nowhere"), 1, r"nowhere/train\.tsv")
train("data-no-train", remove("data/train.tsv"), 1, r"data/train\.tsv")
train("data-no-dev", remove("data/dev.tsv"), 1, r"data/dev\.tsv")
train("data-folder-for-file", folder_instead("data/train.tsv"), 1, r"data/train\.tsv")
train("data-empty", write("data/train.tsv", ""), 1, r"data/train\.tsv", r"empty")
train("data-header-only", write("data/train.tsv", "sentence\tlabel\n"), 1, r"data/train\.tsv",
      r"(?i)no rows|empty|no examples")
train("data-few-columns", test_rows("good film\n"), 1, r"data/train\.tsv:7", r"1 column", r"expected 2")
train("data-many-columns", test_rows("good film\t1\t1\n"), 1, r"data/train\.tsv:7", r"3 columns", r"expected 2")
train("data-label-out-of-range", test_rows("good film\t2\n"), 1, r"data/train\.tsv:7", r"\b2\b")
train("data-label-word", test_rows("good film\tfine\n"), 1, r"data/train\.tsv:7", r"fine")
train("data-label-empty", test_rows("good film\t\n"), 1, r"data/train\.tsv:7")
train("data-text-empty", test_rows("\t1\n"), 1, r"data/train\.tsv:7", r"empty")
train("data-utf8", test_rows(b"good f\xc3\x28lm\t1\n"), 1, r"data/train\.tsv:7", r"UTF-8", r"byte 7")
train("data-utf8-cut", test_rows(b"good fil\t1\n", b"good \xe4\xb8\t0\n"), 1, r"data/train\.tsv:8", r"UTF-8")
train("data-nul", test_rows(b"good\x00film\t1\n"), 1, r"data/train\.tsv:7", r"NUL")
train("data-empty-line", test_rows("\n", "good film\t1\n"), 1, r"data/train\.tsv:7")
train("csv-broken-quote", data_as("csv", CSV, {"train": CSV_GOOD + '"1","go"od","plot"\n', "dev": CSV_GOOD}), 1,
      r"data/train:3", r"quote")
train("csv-open-quote", data_as("csv", CSV, {"train": CSV_GOOD + '"1","good","plot\n', "dev": CSV_GOOD}), 1,
      r"data/train:3", r"quote")
train("csv-few-columns", data_as("csv", CSV, {"train": CSV_GOOD + '"1","good"\n', "dev": CSV_GOOD}), 1,
      r"data/train:3", r"2 columns")
train("jsonl-malformed", data_as("jsonl", JSONL, {"train": JSONL_GOOD + '{"gold": "1",\n', "dev": JSONL_GOOD}), 1,
      r"data/train:3", r"JSON")
train("jsonl-list", data_as("jsonl", JSONL, {"train": JSONL_GOOD + "[1, 2]\n", "dev": JSONL_GOOD}), 1,
      r"data/train:3", r"object")
train("jsonl-no-key", data_as("jsonl", JSONL, {"train": JSONL_GOOD + '{"gold": "1"}\n', "dev": JSONL_GOOD}), 1,
      r"data/train:3", r"sentence")
train("jsonl-deep", data_as("jsonl", JSONL, {"train": JSONL_GOOD + "[" * 100000 + "\n", "dev": JSONL_GOOD}), 1,
      r"data/train:3")
train("folder-no-label", data_as("folder", "labels: {neg: negative, pos: positive}\n",
                                 {"train/pos/1.txt": "good", "dev/pos/1.txt": "good"}), 1, r"data/train/neg")
train("wordnet-no-gloss", data_as("wordnet", "labels: {\"00\": negative, \"01\": positive}\n",
                                  {"train": "00001740 00 n 01 entity 0 000\n", "dev": ""}), 1,
      r"data/train:1", r"gloss")
# Labels that are probabilities.
SOFT = "header: true\ncolumns: {text: sentence, probabilities: p}\nempty: refuse\n"
SOFT_GOOD = "sentence,p.negative,p.positive\nbad film,0.75,0.25\ngood plot,0.2,0.8\n"
SOFT_CASES = [  # the rows of train, what is told
    ("nan", SOFT_GOOD + "a film,nan,1\n", r"data/train:4", r'probability of the class "negative" is "nan"'),
    ("negative", SOFT_GOOD + "a film,-0.25,1.25\n", r"data/train:4", r'"negative" is "-0\.25", expected a number'),
    ("word", SOFT_GOOD + "a film,0.5,half\n", r"data/train:4", r'class "positive" is "half"'),
    ("blank", SOFT_GOOD + "a film,,\n", r"data/train:4", r'class "negative" is ""'),
    ("percent", SOFT_GOOD + "a film,75,25\n", r"data/train:4", r"add up to 100, expected 1"),
    ("sum", SOFT_GOOD + "a film,0.5,0.498\n", r"data/train:4", r"add up to 0\.998, expected 1"),
    ("column", "sentence,p.negative,p.neutral\nbad film,0.75,0.25\n", r"data/train:1", r'no column "p\.positive"'),
    ("few", SOFT_GOOD + "a film,1\n", r"data/train:4", r"2 columns, expected 3"),
]
for case, rows, *told in SOFT_CASES:
    train(f"soft-{case}", data_as("csv", SOFT, {"train": rows, "dev": SOFT_GOOD}), 1, *told)
for case, old, new, *told in [
        ("columns", "probabilities: p", "probabilities: [p]", r"found 1 column, expected 2, one for each class"),
        ("task", "probabilities: p", "probabilities: {p: q}", r"columns\.probabilities: expected a column or a list")]:
    train(f"soft-{case}", data_as("csv", SOFT.replace(old, new), {"train": SOFT_GOOD, "dev": SOFT_GOOD}), 1,
          r"tiny\.yaml:\d+", *told)
train("task-unknown", None, 1, r"data\.task: found \"classify\", expected one of: classification",
      command=[*TRAIN, "data.task=classify"])
train("label-columns", swap("tiny.yaml", "  label: label", "  label: [label, sentence]"), 1, r"tiny\.yaml:8",
      r"columns\.label: found 2 columns, expected one, as the task is classification")
for case, more, *told in [("no-out", [], r"--write describes the table of --out"),
                          ("tsv", ["--out", "p.tsv"], r"expected \.csv or \.jsonl"),
                          ("no-probabilities", ["--out", "p.csv", "--columns", "class"], r"lacks the probabilities")]:
    row(f"predict-write-{case}", None, [*PREDICT, "--write", "p.yaml", *more], 1, *told, absent=["p.yaml", "p.csv"])
row("predict-write-name", None, [*PREDICT, "--write", "p.csv", "--out", "p.csv"], 1, r"ends in \.yaml")
row("predict-write-there", None, [*PREDICT, "--write", "tiny.yaml", "--out", "p.csv"], 1,
    r"tiny\.yaml: it is there already")
train("data-too-long", test_rows("good film " * 30 + "\t1\n"), 1, r"data\.max_tokens", r"\b62 tokens", r"\b32\b",
      command=[*TRAIN, "data.max_tokens=64"])
train("data-per-class", None, 1, r"data/train\.tsv", r"expected 20 \(data\.per_class\)",
      command=[*TRAIN, "data.per_class=20"])
train("data-per-class-and-rows", None, 1, r"data\.per_class 2 and data\.train_rows 3",
      command=[*TRAIN, "data.per_class=2", "data.train_rows=3"])
train("data-hold-out", None, 1, r"tiny", r"dev", command=[*TRAIN, "data.hold_out=4"])

# Files of another kind: the message says which, and what to do. {name: (bytes, what it says)}
TABLE = "sentence\tlabel\n나쁜 영화\t0\n좋은 이야기\t1\n"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"53aa" * 16 + b"\nsize 90868376\n"
PAGE = b"<!DOCTYPE html>\n<html><head><title>404: Not Found</title></head></html>\n"
TORCH = b"PK\3\4" + bytes(26) + b"archive/data.pklFB"
KINDS = {
    "lfs": (POINTER, r"Git LFS pointer", r"git lfs pull", r"launch/get-model"),
    "gzip": (gzip.compress(TABLE.encode()), r"gzip archive", r"gzip -d"),
    "bzip2": (bz2.compress(TABLE.encode()), r"bzip2 archive"),
    "xz": (lzma.compress(TABLE.encode()), r"xz archive"),
    "zip": (b"PK\3\4" + bytes(26) + b"train.tsv", r"zip archive", r"unzip"),
    "excel": (b"PK\3\4" + bytes(26) + b"[Content_Types].xml", r"Excel", r"CSV"),
    "utf16": (TABLE.encode("utf-16"), r"UTF-16 text", r"iconv -f UTF-16 -t UTF-8"),
    "utf16-no-mark": (TABLE.encode("utf-16-be"), r"UTF-16BE text"),
    "utf32": (TABLE.encode("utf-32"), r"UTF-32 text"),
    "pickle": (pickle.dumps([0, 1]), r"pickle"),
    "torch": (TORCH, r"PyTorch", r"save_pretrained"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(50), r"HDF5"),
    "pdf": (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", r"PDF"),
    "page": (PAGE, r"HTML page", r"in place of the file"),
    "hole": (bytes(300), r"NUL bytes"),
    "empty": (b"", r"(?i)empty"),
}
PLACES = {  # where each may stand, and which kinds are tried there; every kind once, the frequent ones everywhere
    "data/train.tsv": [kind for kind in KINDS if kind != "gzip"],  # which it unpacks
    "config.yaml": ["lfs", "gzip", "utf16", "page", "hole"],
    "tiny.yaml": ["lfs", "utf16", "page"], "model/config.json": ["lfs", "gzip", "utf16", "page", "empty"],
    "model/vocab.txt": ["lfs", "gzip", "utf16", "page", "empty"], "model/tokenizer.json": ["lfs", "utf16", "page"],
    "model/model.safetensors": ["lfs", "gzip", "torch", "page", "hole", "empty"],
}
for file, kinds in PLACES.items():
    for kind in kinds:
        train(f"kind-{kind}-{file}", write(file, KINDS[kind][0]), 1, re.escape(file), *KINDS[kind][1:])
for code, name, text in [("cp949", "CP949", "좋은 뷁 이야기"), ("euc_kr", "CP949", "나쁜 영화"),
                         ("shift_jis", "SHIFT_JIS", "これは良い映画です"), ("euc_jp", "EUC-JP", "これは良い映画です"),
                         ("gb18030", "GB18030", "这是一部好电影，我喜欢"), ("cp1252", "WINDOWS-1252", "un café très bon")]:
    train(f"encoding-{code}", test_rows(text.encode(code) + b"\t1\n"), 1, r"data/train\.tsv:7: invalid UTF-8 0x",
          rf"looks like {name} .*iconv -f {name} -t UTF-8")
train("encoding-unknown", test_rows("Привет, хороший фильм".encode("cp1251") + b"\t1\n"), 1,
      r"tsv:7: invalid UTF-8 0xCF 0xF0 0xE8 0xE2 at byte 1 ", r"iconv -f")
train("encoding-damaged", test_rows("좋은 이야기\t1\n", "좋은 이".encode() + b"\xec\t1\n"), 1,
      r"tsv:8: invalid UTF-8 0xEC at byte 11 ", r"damaged")
train("encoding-config", write("config.yaml", "run:\n  dir: 영화\n".encode("cp949")), 1,
      r"config\.yaml:2: invalid UTF-8 0xBF 0xB5 0xC8 0xAD at byte 8", r"CP949")
row("kind-lfs-lines", write("text.txt", POINTER), ["tokenize", "--model", "model", "text.txt"], 1,
    r"text\.txt", r"Git LFS")
row("kind-cp949-lines", write("text.txt", "good\n영화\n".encode("cp949")), ["predict", "run/model", "--data", "text.txt"],
    1, r"text\.txt:2", r"CP949")
row("kind-lfs-inspect", write("last.h5", POINTER), ["inspect", "last.h5"], 1, r"last\.h5", r"Git LFS")
train("kind-lfs-folder", data_as("folder", "labels: {neg: negative, pos: positive}\n",
                                 {"train/pos/1.txt": POINTER, "train/neg/1.txt": "bad", "dev/pos/1.txt": "good",
                                  "dev/neg/1.txt": "bad"}),
      1, r"data/train/pos/1\.txt", r"Git LFS")

# A model that is not there, and whose name brings none without a network: the message says what does.
OFFLINE = {"HF_ENDPOINT": "http://127.0.0.1:9", "PIP_NO_INDEX": "1", "AUTODIDACT_CACHE": "cache"}
for name in ("bert-base-uncased", "someone/bert-tiny", "minilm-l6"):
    train(f"model-name-{name}", None, 1, rf"{re.escape(name)}: there is no such folder here", "could not be fetched",
          rf"launch/get-model {name} --out DIR`", command=[*TRAIN, f"model.path={name}"], environment=OFFLINE)
# And what is no name that is fetched: a path, also one with a slip in a folder that is there.
for name, command in [("./models/x/y", "NAME"), ("/no/such", "NAME"), ("data/model", "data/model"),
                      ("no-such", "no-such")]:
    train(f"model-path-{name}", None, 1, rf"{re.escape(name)}: there is no such folder",
          rf"`launch/get-model {command}`", command=[*TRAIN, f"model.path={name}"])
row("model-name-predict", None, ["predict", "bert-base-cased", "--data", "data/test.tsv"], 1,
    r"`launch/get-model google-bert/bert-base-cased`")
row("model-name-tokenize", None, ["tokenize", "--model", "bert-base-cased"], 1, "could not be fetched",
    environment=OFFLINE)
train("model-is-a-file", None, 1, r"found a file", command=[*TRAIN, "model.path=model/config.json"])

# The model folder.
train("model-missing", swap("config.yaml", "path: model", "path: nowhere"), 1, r"nowhere")
train("model-no-config", remove("model/config.json"), 1, r"model/config\.json")
train("model-config-json", write("model/config.json", '{"hidden_size": 16,\n"num_'), 1, r"model/config\.json:2")
train("model-config-list", write("model/config.json", "[1, 2]"), 1, r"model/config\.json")
train("model-config-empty", write("model/config.json", ""), 1, r"model/config\.json")
train("model-no-hidden-size", model(hidden_size=None), 1, r"model/config\.json", r"hidden_size")
train("model-hidden-text", model(hidden_size="sixteen"), 1, r"model/config\.json", r"hidden_size")
train("model-hidden-negative", model(hidden_size=-16), 1, r"model/config\.json", r"hidden_size")
train("model-hidden-huge", model(hidden_size=2**40), 1, r"hidden")
train("model-heads", model(num_attention_heads=3), 1, r"heads|num_attention_heads")
train("model-layers-zero", model(num_hidden_layers=0), 1, r"layers")
train("model-activation", model(hidden_act="swish"), 1, r"model/config\.json", r"hidden_act", r"swish")
train("model-dropout", model(hidden_dropout_prob=1.5), 1, r"model/config\.json", r"hidden_dropout_prob")
train("model-type", model(model_type="gpt2"), 1, r"model/config\.json", r"gpt2")
for key, value, expected in [("position_embedding_type", "relative_key", '"absolute"'),
                             ("is_decoder", True, "false"), ("add_cross_attention", True, "false"),
                             ("pruned_heads", {"0": [1]}, "none"), ("quantization_config", {"bits": 8}, "none"),
                             ("auto_map", {"AutoModel": "own.Model"}, "none"),
                             ("cross_attention_hidden_size", 16, "none")]:
    train(f"model-{key}", model(**{key: value}), 1,
          rf"model/config\.json: {key} is {re.escape(json.dumps(value, separators=(',', ':')))}, expected {expected}")

# Its classifier.
KEEP = [*TRAIN, "model.head=keep"]
train("head-unknown", None, 1, r"model\.head is 'yes', expected one of auto\|keep\|new",
      command=[*TRAIN, "model.head=yes"])
train("head-none", weights(lambda tensors: tensors.pop("classifier.bias")), 1,
      r"keep: the folder has no classifier\.bias", command=KEEP)
train("head-shape", model(id2label=None, num_labels=3), 1,
      r"keep: it has 2 classes, but config\.json names 3", command=KEEP)
train("head-count", lambda work: (work / "tiny.yaml").write_text(
    tiny.descriptor(classes=[*tiny.CLASSES, "none"]).replace('"1": positive', '"1": positive, "2": none')), 1,
      r"keep: classifier\.weight is \[2, 16\] and classifier\.bias \[2\], expected \[3, 16\] and \[3\]", command=KEEP)
train("head-names", model(id2label={"0": "negative", "1": "neutral"}), 1,
      r'its class 1 is "neutral", that of the data "positive"$', command=KEEP)
train("head-order", model(id2label={"0": "positive", "1": "negative"}), 1,
      r'its class 0 is "positive", that of the data "negative": the same classes in another order', command=KEEP)
train("head-kind", None, 1, r"keep: it stands on the pooler, but model\.classifier is cls",
      command=[*KEEP, "model.classifier=cls"])
train("head-problem", model(problem_type="regression"), 1, r"keep: its problem_type is regression", command=KEEP)
train("model-types-for-pairs", lambda work: [change(work) for change in (
    swap("tiny.yaml", "  text: sentence\n", "  text: sentence\n  pair: sentence\n"), model(type_vocab_size=1))], 1,
      r"model/config\.json: type_vocab_size is 1, expected 2 for pairs")
train("tokenizer-class", write("model/tokenizer_config.json", '{"tokenizer_class": "BertJapaneseTokenizer"}'), 1,
      r'model/tokenizer_config\.json: "tokenizer_class" is "BertJapaneseTokenizer", expected BertTokenizer')
train("tokenizer-class-of-model", model(tokenizer_class="RobertaTokenizer"), 1,
      r'model/config\.json: "tokenizer_class" is "RobertaTokenizer"')
train("model-more-layers", model(num_hidden_layers=3), 1, r"model/model\.safetensors", r"encoder\.layer\.2\.")
train("vocab-missing", remove("model/vocab.txt"), 1, r"model\b.*vocab\.txt")
train("vocab-empty", write("model/vocab.txt", ""), 1, r"vocab\.txt")
train("vocab-no-unk", swap("model/vocab.txt", "[UNK]", "[unk]"), 1, r"vocab\.txt", r"\[UNK\]")
train("vocab-no-cls", swap("model/vocab.txt", "[CLS]", "cls"), 1, r"vocab\.txt", r"\[CLS\]")
train("vocab-doubled", swap("model/vocab.txt", "\nfilm\n", "\ngood\n"), 1, r"vocab\.txt:8", r"good")
train("vocab-blank-line", swap("model/vocab.txt", "\nfilm\n", "\n\n"), 1, r"vocab\.txt:8")
train("vocab-bytes", lambda work: (work / "model/vocab.txt").write_bytes(b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n\xff\n"), 1,
      r"vocab\.txt:5")
train("vocab-too-long",
      lambda work: (work / "model/vocab.txt").write_text("\n".join([*tiny.VOCABULARY, "one", "more"]) + "\n"), 1,
      r"vocab\.txt|vocab_size", r"23", r"21")
train("vocab-folder", folder_instead("model/vocab.txt"), 1, r"model")

# model.safetensors.
SAFETENSORS = "model/model.safetensors"
for place_name, place in [("nothing", lambda h, n: 0), ("length-1", lambda h, n: 7),
                          ("length", lambda h, n: 8), ("brace", lambda h, n: 9), ("header-half", lambda h, n: h // 2),
                          ("header-1", lambda h, n: h - 1), ("header", lambda h, n: h),
                          ("data+1", lambda h, n: h + 1), ("data-half", lambda h, n: (h + n) // 2),
                          ("data-1", lambda h, n: n - 1)]:
    train(f"safetensors-cut-at-{place_name}", cut(SAFETENSORS, place), 1, r"model\.safetensors", r"\d+ bytes|byte")
train("safetensors-missing", remove(SAFETENSORS), 1, r"model.*safetensors")
train("safetensors-folder", folder_instead(SAFETENSORS), 1, r"model\.safetensors")
train("safetensors-text", write(SAFETENSORS, "this is not a model, but a text of some length\n"), 1,
      r"model\.safetensors")
train("safetensors-huge-header", write(SAFETENSORS, struct.pack("<Q", 2**63) + b"{}"), 1,
      r"model\.safetensors", r"header")
train("safetensors-trailing", lambda work: (work / SAFETENSORS).open("ab").write(b"more"), 1,
      r"model\.safetensors", r"4 bytes")
train("safetensors-not-json", header(lambda entries: "{" + "x" * 50), 1, r"model\.safetensors", r"header")
train("safetensors-deep-json", header(lambda entries: '{"a":' + "[" * 100000), 1, r"model\.safetensors", r"header")
train("safetensors-doubled-name", header(lambda entries: '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
                                         '"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'), 1,
      r"model\.safetensors")
QUERY = "bert.encoder.layer.1.attention.self.query.weight"
train("safetensors-no-tensor", weights(lambda t: t.pop(QUERY)), 1, r"model/model\.safetensors",
      r"encoder\.layer\.1\.attention\.self\.query\.weight")
train("safetensors-shape", weights(lambda t: t.update({QUERY: ([8, 32], t[QUERY][1])})), 1, r"model\.safetensors",
      r"encoder\.layer\.1\.attention\.self\.query\.weight", r"\[8, 32\]", r"\[16, 16\]")
train("safetensors-vector", weights(lambda t: t.update({QUERY: ([256], t[QUERY][1])})), 1, r"query\.weight",
      r"\[256\]", r"\[16, 16\]")
train("safetensors-integers", weights(lambda t: None, {QUERY: "I32"}), 1, r"model\.safetensors",
      r"query\.weight", r"I32")
train("safetensors-dtype", weights(lambda t: None, {QUERY: "F31"}), 1, r"model\.safetensors", r"query\.weight", r"F31")
train("safetensors-offsets", header(lambda e: e[QUERY].update(data_offsets=[0, 1024])), 1, r"model\.safetensors",
      r"overlap|bytes")
train("safetensors-offsets-huge", header(lambda e: e[QUERY].update(data_offsets=[2**62, 2**62 + 1024])), 1,
      r"model\.safetensors", r"query\.weight")
train("safetensors-offsets-back", header(lambda e: e[QUERY].update(data_offsets=[1024, 0])), 1, r"model\.safetensors",
      r"query\.weight")
train("safetensors-shape-huge", header(lambda e: e[QUERY].update(shape=[2**33, 2**33])), 1, r"model\.safetensors",
      r"query\.weight")
train("safetensors-shape-negative", header(lambda e: e[QUERY].update(shape=[-16, -16])), 1, r"model\.safetensors",
      r"query\.weight")
train("weights-nan", weights(lambda t: t[QUERY][1].__setitem__(5, float("nan"))), 1, r"model\.safetensors",
      r"query\.weight", r"(?i)nan|finite")
train("weights-infinite", weights(lambda t: t[QUERY][1].__setitem__(255, float("inf"))), 1, r"model\.safetensors",
      r"query\.weight", r"(?i)inf|finite")
train("diverges", weights(lambda t: t.update({QUERY: ([16, 16], [3e38] * 256)})), 3, r"step 1\b", r"finite")

# A finished run.
row("eval-run-missing", None, ["eval", "nowhere", "--data", "data/test.tsv"], 1, r"nowhere")
row("eval-run-is-data", None, ["eval", "data", "--data", "data/test.tsv"], 1, r"data")
row("eval-run-incomplete", remove("run/result.json"), EVAL, 1, r"run", r"result\.json")
row("eval-data-missing", None, ["eval", "run", "--data", "data/none.tsv"], 1, r"data/none\.tsv")
row("eval-data-empty", write("data/test.tsv", ""), EVAL, 1, r"data/test\.tsv", r"empty")
row("eval-no-labels", write("data/test.tsv", "sentence\ngood film\n"), EVAL, 1, r"data/test\.tsv:1", r"label")
row("eval-unknown-label", write("data/test.tsv", "sentence\tlabel\ngood film\t9\n"), EVAL, 1,
    r"data/test\.tsv:2", r"\b9\b")


def changed(name, make, *patterns, command=EVAL):
    """What the run was trained with has changed since: it is refused, and told. For a run made before runs kept it,
    what the model tells of it."""
    row(f"eval-descriptor-{name}", make, command, 1, r"run: .*tiny\.yaml has changed since the training: ",
        r"--own-descriptor", *patterns)


def before(*runs):
    """Makes runs as they were before they kept their descriptor."""
    return lambda work: [(work / run / name).unlink() for run in runs for name in ("descriptor.yaml", "inputs.json")]


def both(*makes):
    return lambda work: [make(work) for make in makes]


MORE_CLASSES = both(swap("tiny.yaml", "  - positive\n", "  - positive\n  - undecided\n"),
                    swap("tiny.yaml", '"1": positive', '"1": positive, "2": undecided'))
TURNED_CLASSES = swap("tiny.yaml", "  - negative\n  - positive\n", "  - positive\n  - negative\n")
changed("classes", MORE_CLASSES, r"the number of classes was 2, is 3")
changed("turned", TURNED_CLASSES, r"class 0 was negative, is positive")
changed("labels", swap("tiny.yaml", '"0": negative, "1": positive', '"1": negative, "0": positive'),
        r'the label "0" of train was negative, is positive', r"of test")
changed("pair", swap("tiny.yaml", "  text: sentence", "  text: sentence\n  pair: label"),
        r"the layout of test was tsv with a header, text sentence, is tsv with a header, text sentence, pair label")
changed("text", swap("tiny.yaml", "text: sentence", "text: label"), r"text sentence, is tsv with a header, text label",
        command=["predict", "run", "--data", "data/test.tsv"])
changed("broken", write("tiny.yaml", "classes: ["), r"cannot be read any more \(.*tiny\.yaml:\d")
row("eval-descriptor-own-changed", swap("run/descriptor.yaml", "title: tiny", "title: other"), EVAL, 1,
    r"run/descriptor\.yaml: its digest is \w{16}, inputs\.json has \w{16}")
row("eval-descriptor-own-missing", remove("run/descriptor.yaml"), EVAL, 1, r"run/descriptor\.yaml: No such file")
row("eval-inputs-json", write("run/inputs.json", "{"), EVAL, 1, r"run/inputs\.json:1")
row("eval-inputs-digest", write("run/inputs.json", '{"descriptor": {"digest": 5}}'), EVAL, 1,
    r"run/inputs\.json: the digest of \"descriptor\" is 5")
row("eval-before-classes", both(before("run"), MORE_CLASSES), EVAL, 1, r"run: ", r"2 classes", r"expected 3")
row("eval-before-turned", both(before("run"), TURNED_CLASSES), EVAL, 1,
    r'run: class 0 of its model is "negative", expected "positive"')
row("predict-before-turned", both(before("run"), TURNED_CLASSES), PREDICT, 1,
    r'run: class 0 of its model is "negative", expected "positive"')
row("eval-split-missing", remove("data/test.tsv"), ["eval", "run", "--data", "test"], 1,
    r"data/test\.tsv: there is no such file", r"--folder")
row("eval-folder-missing", None, ["eval", "run", "--data", "test", "--folder", "nowhere"], 1,
    r"nowhere/test\.tsv: there is no such file")
row("export-model-classes",
    lambda work: [swap("run/model/config.json", old, new)(work)
                  for old, new in [('"0": "negative"', '"0": "bad"'), ('"negative": 0', '"bad": 0')]],
    ["export", "run", "--out", "new"], 1, r'run: class 0 of its model is "bad", expected "negative"', absent=["new"])

# Several runs.
row("eval-two-runs", None, ["eval", "run", "second", "--data", "test"], 1, r"2 runs", r"--vote or --average")
row("vote-one-run", None, ["eval", "run", "--data", "test", "--vote"], 1, r"1 run\b", r"at least 2")
row("average-one-run", None, ["eval", "run", "--data", "test", "--average"], 1, r"1 run\b", r"at least 2")
row("vote-and-average", None, [*VOTE, "--average"], 1, r"--vote", r"--average")
row("vote-out", None, [*VOTE, "--out", "new"], 1, r"--out", r"--average", absent=["new"])
row("vote-same-run", None, ["eval", "run", "second", "./run/", "--data", "test", "--vote"], 1,
    r"run and \./run/ are the same folder")
row("vote-same-by-link", lambda work: (work / "third").symlink_to("run"),
    ["eval", "run", "third", "--data", "test", "--vote"], 1, r"run and third are the same folder")
row("vote-run-missing", None, ["eval", "run", "nowhere", "--data", "test", "--vote"], 1, r"nowhere")
row("vote-run-incomplete", remove("second/result.json"), VOTE, 1, r"second", r"result\.json")


def combined(name, make, *patterns):
    """Runs that cannot be combined, in either way: the message has both runs and both values; nothing is written."""
    for way, command in (("vote", VOTE), ("average", AVERAGE)):
        row(f"{way}-{name}", make, command, 1, r"run and second cannot be combined", *patterns, absent=["new"])


combined("max-tokens", swap("second/config.yaml", "max_tokens: 16", "max_tokens: 15"),
         r"data\.max_tokens: expected 16 .*found 15")
combined("truncation", swap("second/config.yaml", "truncation: head", "truncation: head_tail"),
         r"data\.truncation: expected head .*found head_tail")
combined("vocabulary", swap("second/model/vocab.txt", "\ndull\n", "\ndrab\n"),
         r"the vocabulary: expected 21 entries with digest (\w{16}) .*found 21 entries with digest (?!\1)\w{16}")
combined("tokenizer", swap("second/model/tokenizer_config.json", '"do_lower_case": true', '"do_lower_case": false'),
         r"the tokenizer: expected lower_case 1.*found lower_case 0")
combined("classes", lambda work: [swap("second/model/config.json", old, new)(work) for old, new in
                                  [('"0": "negative"', '"0": "positive"'), ('"1": "positive"', '"1": "negative"'),
                                   ('"negative": 0', '"negative": 1'), ('"positive": 1', '"positive": 0')]],
         r"the classes: expected negative, positive .*found positive, negative")
combined("shape", swap("second/model/config.json", '"num_attention_heads": 2', '"num_attention_heads": 4'),
         r"the model: .*heads 2.*heads 4")
OTHER = write("other.yaml", tiny.descriptor().replace("title: tiny", "title: other"))
combined("descriptor", both(before("second"), OTHER, swap("second/config.yaml", "tiny.yaml", "other.yaml")),
         r"the descriptor: expected \"tiny\".*found \"other\"")
row("vote-data", both(write("elsewhere/test.tsv", "sentence\tlabel\ngood\t1\n"),
                      swap("second/inputs.json", "/data/test.tsv", "/elsewhere/test.tsv")),
    ["eval", "run", "second", "--data", "test", "--vote"], 1,
    r"the data: expected test with digest (\w{16}) .*found test with digest (?!\1)\w{16}")
row("vote-hold-out", both(before("run", "second"), write("tiny.yaml", tiny.descriptor().split("  dev:")[0]),
                          swap("second/config.yaml", "hold_out: 0", "hold_out: 3")),
    ["eval", "run", "second", "--data", "train", "--vote"], 1, r"data\.hold_out: expected 0 .*found 3")
row("vote-turned", TURNED_CLASSES, VOTE, 1,
    r"run: .*tiny\.yaml has changed since the training: class 0 was negative, is positive")
row("vote-per-class", swap("second/config.yaml", "per_class: 0", "per_class: 3"),
    ["eval", "run", "second", "--data", "train", "--vote"], 1, r"data\.per_class: expected 0 .*found 3")
row("vote-model-cut", cut("second/model/model.safetensors", lambda h, n: n - 1), VOTE, 1,
    r"second/model/model\.safetensors")
row("average-model-cut", cut("second/model/model.safetensors", lambda h, n: n - 1), AVERAGE, 1,
    r"second/model/model\.safetensors", absent=["new"])
row("average-data-missing", remove("data/test.tsv"), AVERAGE, 1, r"data/test\.tsv", absent=["new"])
row("average-out-taken", None, [*AVERAGE[:-1], "data"], 1, r"data", r"(?i)empty|exist")
row("average-out-below-a-file", None, [*AVERAGE[:-1], "tiny.yaml/new"], 1, r"tiny\.yaml/new")
row("vote-disk-full", None, VOTE, 2, r"(?i)space|standard output|write", stdout="/dev/full")

# A model for prediction.
row("predict-model-cut", cut("run/model/model.safetensors", lambda h, n: n - 1), PREDICT, 1, r"model\.safetensors")
row("predict-model-missing", remove("run/model/model.safetensors"), PREDICT, 1, r"model\.safetensors")
row("predict-no-head", weights(lambda t: t.pop("classifier.weight")), ["predict", "model", "--data", "data/test.tsv"],
    1, r"model: ", r"classifier\.weight")
row("predict-other-classes", weights(lambda t: t.update({"classifier.weight": ([3, 16], [0.0] * 48)})),
    ["predict", "model", "--data", "data/test.tsv"], 1, r"classifier", r"\[3, 16\]|\b3\b")
row("predict-disk-full", None, PREDICT, 2, r"(?i)space|standard output|write", stdout="/dev/full")
row("predict-utf8", write("data/test.tsv", b"sentence\tlabel\n\xff\t1\n"), PREDICT, 1, r"data/test\.tsv:2", r"UTF-8")
row("tokenize-missing", None, ["tokenize", "--model", "model", "none.txt"], 1, r"none\.txt")
row("tokenize-utf8", write("text.txt", b"good film\nbad \x80\n"), ["tokenize", "--model", "model", "text.txt"], 1,
    r"text\.txt:2", r"UTF-8")
row("tokenize-stdin-utf8", None, ["tokenize", "--model", "model"], 1, r"(?i)standard input:3|<?stdin>?:3", r"UTF-8",
    stdin=b"good\nbad\n\xc0\xaf\n")
row("tokenize-disk-full", None, ["tokenize", "--model", "model", "data/dev.tsv"], 2, r"(?i)space|standard output|write",
    stdout="/dev/full")
row("data-command-bad", test_rows("good film\n"), ["data", "config.yaml"], 1, r"data/train\.tsv:7")
row("order-command-bad", remove("data/train.tsv"), ["order", "config.yaml"], 1, r"data/train\.tsv")
row("inspect-missing", None, ["inspect", "none.safetensors"], 1, r"none\.safetensors")
row("inspect-text", None, ["inspect", "tiny.yaml"], 1, r"tiny\.yaml")
row("inspect-log", write("log.jsonl", "no log\n"), ["inspect", "log.jsonl"], 1, r"log\.jsonl:1: malformed JSON")
row("verify-nothing", None, ["verify"], 1, r"(?i)run|usage")
row("verify-missing", None, ["verify", "no-such-run"], 1, r"no-such-run")
row("verify-no-run", None, ["verify", "model"], 1, r"model: not the folder of a run")
row("verify-replay-word", None, ["verify", "model", "--replay", "many"], 1,
    r"--replay is 'many', expected a whole number from 1")
row("verify-from-alone", None, ["verify", "model", "--from", "3"], 1, r"--from goes with --replay")
row("inspect-cut", cut(SAFETENSORS, lambda h, n: h - 1), ["inspect", SAFETENSORS], 1, r"model\.safetensors")
row("diff-one-run", None, ["diff", "run"], 1, r"RUN_A RUN_B")
row("diff-third-no-run", None, ["diff", "run", "run", "model"], 1, r"model: not the folder of a run")
row("diff-no-run", None, ["diff", "run", "model"], 1, r"model: not the folder of a run")
row("diff-config-bad", swap("run/config.yaml", "lr: 0.001", "lr: fast"), ["diff", "run", "run"], 1,
    r"run/config\.yaml:\d+", r"optim\.lr")
row("diff-provenance-list", write("run/provenance.json", "[]"), ["diff", "run", "run"], 1,
    r"run/provenance\.json", r"object")
row("diff-log-nul", write("run/log.jsonl", b"{}\n\0"), ["diff", "run", "run"], 1, r"run/log\.jsonl:2", r"NUL")
row("diff-log-folder", folder_instead("run/log.jsonl"), ["diff", "run", "run"], 1, r"run/log\.jsonl", r"folder")
row("diff-model-cut", cut("run/model/model.safetensors", lambda h, n: n - 1), ["diff", "run", "run"], 1,
    r"run/model/model\.safetensors")
row("diff-disk-full", None, ["diff", "run", "run"], 2, r"(?i)space|standard output|write", stdout="/dev/full")
row("export-below-a-file", None, ["export", "run", "--out", "tiny.yaml/new"], 1, r"tiny\.yaml/new")
row("export-into-run", None, ["export", "run", "--out", "data"], 1, r"data", r"(?i)empty|exist")
row("export-run-missing", None, ["export", "nowhere", "--out", "new"], 1, r"nowhere", absent=["new"])
row("export-model-cut", cut("run/model/model.safetensors", lambda h, n: h), ["export", "run", "--out", "new"], 1,
    r"model\.safetensors", absent=["new/model.safetensors", "new/config.json"])
row("doctor-argument", None, ["doctor", "who"], 1, r"who")

# A pipe as any input is refused by name; nothing waits for somebody to write into it.
for _name, _command in [("config.yaml", TRAIN), ("tiny.yaml", TRAIN), ("data/train.tsv", TRAIN),
                        ("model/config.json", TRAIN), ("model/vocab.txt", TRAIN),
                        ("model/tokenizer_config.json", TRAIN), (SAFETENSORS, TRAIN),
                        ("data/test.tsv", PREDICT), ("data/test.tsv", EVAL), ("run/model/model.safetensors", PREDICT),
                        ("run/config.yaml", EVAL), ("data/dev.tsv", ["tokenize", "--model", "model", "data/dev.tsv"]),
                        ("run/log.jsonl", ["verify", "run"]), ("run/log.jsonl", ["diff", "run", "second"]),
                        ("run/result.json", ["verify", "run"]), (SAFETENSORS, ["inspect", SAFETENSORS]),
                        ("study.yaml", ["study", "status", "study.yaml"])]:
    row(f"pipe-{_command[0]}-{_name}", pipe_instead(_name), _command, 1,
        _name.removeprefix("run/").replace(".", r"\.") + ".*a pipe", absent=["new/result.json"])
