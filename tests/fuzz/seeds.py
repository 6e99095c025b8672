#!/usr/bin/env python3
"""Seeds of the fuzz targets: small inputs of every kind that they read, from which a fuzzer goes on.

    seeds.py [--program AUTODIDACT] FOLDER    writes FOLDER/TARGET/NAME, the same each time

What only a training makes (logs, checkpoints, HDF5 files, a study's plan and records) is there where AUTODIDACT, the
program, exists; a note says so otherwise. Python's standard library only; models and data are those of
tests/system/tiny.py and tests/golden/folders.py."""

import argparse
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/system"), str(ROOT / "tests/golden")]
sys.dont_write_bytecode = True
import folders  # noqa: E402
import tiny  # noqa: E402

tiny.HIDDEN, tiny.FFN, tiny.LAYERS, tiny.POSITIONS = 4, 8, 1, 16  # the smaller an input, the more a change of it tells
CUT = b"\xff"  # between the parts of an input
TABLES = {"tsv": "sentence\tlabel\ngood film\t1\nbad\t0\n", "csv": 'sentence,label\n"go""od, film",1\n"ba\nd",0\n',
          "jsonl": '{"sentence": "good", "label": 1, "more": "x"}\n'
                   '{"sentence": "b\\u00e9", "label": "0", "more": ""}\n'}
ARRAY = "[" + TABLES["jsonl"].strip().replace("\n", ",\n") + "]\n"
SYNSET = '00001740 03 n 01 entity 0 003 ~ 00001930 n 0000 | that which is perceived; "an example"\n'


def parts(*texts):
    return CUT.join(text if isinstance(text, bytes) else text.encode() for text in texts)


def configurations():
    yield parts(tiny.CONFIG, "optim.lr=1e-5\nrun.dir=a b\nteacher.window=all\n")
    yield parts('optim: {lr: 1e-3, beta1: "0.9"}\nrun:\n  dir: "a\\x01b\\u00e9\\t"\nteacher.window: all\n',
                "train.steps=1e3\n=\nx\n")
    yield parts("run: {dir: |\n  a\n  b\n}\n", "batch.size=0\nbatch.size=18446744073709551616\n")
    yield parts("---\n...\n")
    yield parts("model:\n  path: '\u2028\u0085x'\n  dropout: .nan\n")


def descriptors():
    for form, table in TABLES.items():
        yield parts(tiny.descriptor(form), table)
    for form in ("tsv", "csv"):
        layout = ('header: false\nfields: 2\nincomplete: skip\ncolumns: {text: [1, 2], pair: 1, label: 2}\n'
                  'labels: {"0": negative, "1": positive}\n')
        yield parts(tiny.descriptor(form, layout), TABLES[form].split("\n", 1)[1])
    yield parts(tiny.descriptor("jsonl", 'columns: {text: [sentence, more], pair: more, label: label}\n'
                                         'labels: {"0": negative}\n'), TABLES["jsonl"])
    yield parts(tiny.descriptor("jsonl"), ARRAY)
    yield parts(tiny.descriptor("tsv") + "split: {seed: 1, dev: 3}\n", TABLES["tsv"])
    yield parts("title: T\nsource: S\nlicence: L\nclasses: [n, y]\nformat: wordnet\n"
                "splits: {train: {file: x, rows: 5, digest: 0123456789abcdef}}\n", SYNSET)
    yield parts("classes: [n, y]\nformat: jsonl\ncolumns: {text: a.b, label: l, probabilities: p}\nskip: ''\n"
                "splits: {train: {file: x}}\n", '{"a": {"b": "x"}, "l": true, "p": {"n": 0.5, "y": 0.5}}\n')
    for path in sorted((ROOT / "datasets").glob("*.yaml")):
        yield parts(path.read_bytes(), TABLES["tsv"])


def readers():
    for layout in range(18):
        for table in (*TABLES.values(), ARRAY, SYNSET):
            yield bytes([layout]) + table.encode()


def small_model():
    config = tiny.model_config(vocab_size=6)
    return config, "\n".join(tiny.VOCABULARY[:6]) + "\n", tiny.safetensors(tiny.tensors(6))


def models():
    config, vocabulary, weights = small_model()
    index = {"metadata": {"total_size": 1},
             "weight_map": {"bert.pooler.dense.bias": "model.safetensors", "classifier.bias": "../x"}}
    yield parts(json.dumps(config), vocabulary, "", weights)
    yield parts(json.dumps(config), vocabulary, json.dumps(index))
    yield parts(json.dumps({**config, "autodidact_classifier": "cls", "hidden_act": "gelu_new"}),
                vocabulary, "", weights)
    yield parts(json.dumps({"model_type": "bert", "id2label": {"0": "a", "1": 2}, "num_labels": 2,
                            "hidden_act": "relu"}))
    for name in folders.ARCHITECTURES:  # the tensors are those of another
        yield parts(json.dumps(folders.config(name, head=True)), "\n".join(folders.VOCABULARY) + "\n", "", weights)


def tokenizers():
    words = "\n".join(tiny.VOCABULARY) + "\n"
    whole = {"model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                       "max_input_chars_per_word": 100, "vocab": {word: i for i, word in enumerate(tiny.VOCABULARY)}},
             "normalizer": {"type": "BertNormalizer", "lowercase": True, "strip_accents": None, "clean_text": True,
                            "handle_chinese_chars": True},
             "pre_tokenizer": {"type": "BertPreTokenizer"},
             "added_tokens": [{"id": 0, "content": "[PAD]", "special": True, "lstrip": False}]}
    settings = {"do_lower_case": True, "strip_accents": None, "unk_token": "[UNK]", "model_max_length": 1e30,
                "tokenizer_class": "BertTokenizer", "added_tokens_decoder": {"0": {"content": "[PAD]"}},
                "additional_special_tokens": [], "never_split": None}
    special = {"cls_token": "[CLS]", "mask_token": {"content": "[MASK]", "lstrip": False},
               "additional_special_tokens": []}
    text = "Good films, b\u00e9 \u4e2d\U0001f600 [MASK] bad."
    yield parts(json.dumps(whole), json.dumps(settings), json.dumps(special), '{"[MASK]": 4}', words, "", "", text)
    yield parts(json.dumps(whole), "", "", "", "", "", "", text)
    yield parts("", json.dumps({"do_lower_case": False, "tokenize_chinese_chars": False}), "", "", words, "", "", text)
    yield parts("", "", "", "", words.replace("\n", "\r\n"), "", "", text)
    yield from pipelines()


def pipelines():
    """One of each kind of the small tokenizers that tests/parity/pipelines.py recorded."""
    names = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt",
             "vocab.json", "merges.txt"]
    for recorded in ("pipelines", "unigram"):
        made = json.loads((ROOT / f"tests/parity/data/{recorded}.json").read_text(encoding="utf-8"))

        def expand(text, blocks=made["blocks"]):
            return re.sub("@@(\\d+)@@", lambda found: blocks[int(found[1])], text)

        for case in made["folders"]:
            files = {name: expand(expand(text)) for name, text in case["files"].items()}
            if "refused" not in case:
                yield parts(*(files.get(name, "") for name in names), "Good films, <mask> it's \u00e9\u4e2d  [E1] 12.")


def normalizers():
    """Those that tests/parity/normalizers.py recorded."""
    made = json.loads((ROOT / "tests/parity/data/normalizers.json").read_text(encoding="utf-8"))
    for i, one in enumerate(made["normalizers"]):
        yield parts(json.dumps(one["normalizer"]), "".join(made["texts"][i:i + 12]))


def jsons():
    yield json.dumps(tiny.model_config()).encode()
    yield (b'{"a": [1, -0, 1e400, 12345678901234567890123, 0.1, 1E-400], "b": {"c": "\\ud83d\\ude00\\u0000\\"\\\\"}, '
           b'"d": [null, true, false]}')
    yield b'{"a": 1, "a": 2}'
    yield b"[" * 100


def safetensors():
    small = {"a": ([2, 3], [1.0] * 6), "b": ([1], [2.0])}
    half = json.dumps({"x": {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]},
                       "y": {"dtype": "BF16", "shape": [], "data_offsets": [4, 6]}}).encode()
    yield tiny.safetensors(small)
    yield tiny.safetensors(small)[:-3]
    yield struct.pack("<Q", len(half)) + half + b"\0\x3c\0\x7c\0\0"


def texts():
    for head in (b"\x00\x80", b"\x0d\x40", b"\xff\xff"):
        yield head + "abc Def. [MASK] \u00e9e\u0301\u4e2d \uac00\u1100\u1161 \u03a3\u03c3\u03c2 [CLS]ab".encode()
    yield b"\x00\x00a\nb\n##c\n\xed\xa0\x80"


def index(vectors, state, P=10, step=4, form=3):
    head = struct.pack("<5Q", form, P, step, len(vectors), len(state))
    table = b"".join(struct.pack("<4Q", *(vectors[i] if i < len(vectors) else (0, 0, 0, 0))) for i in range(9))
    return head + table + b"".join(struct.pack("<Q", 7) * rows for _, rows, _, _ in vectors) + state


def checkpoints():
    yield b"\x01" + index([(0, 1, 1, 0), (1, 1, 1, 40), (5, 2, 4, 80)], b'{"a": 1}')
    yield b"\x01" + index([(0, 1, 1, 8188)], b"{}", P=1, step=1)
    yield b"\x00" + bytes(64) + b"ADINDEX\0" + bytes(24)


def logs():
    yield parts('{"a": 1, "b": [1, {"c": "\\"}"}]}\n', '{"a": 2, "b": "x,}"}\n')
    yield parts('{"step": 1, "eval": "dev"}\n', '{"eval": 2}\n')


def studies():
    inner = "base: {run: {dir: x}, optim: {lr: 1e-3}}\n"
    yield parts("study: {name: s, dir: d}\n" + inner + "axes: {seed.init: 0..3, optim.lr: [1e-3, 2e-3]}\n")
    yield parts("study: {dir: d, result: test.loss, failed: 0.5, lease: 3, ranks_per_trial: 2, test: true}\n" + inner +
                "axes:\n  latin:\n    seed.init: 0..2\n    seed.order: 0..2\n    seed.dropout: 0..2\n",
                '{"format": "autodidact study", "version": 1, "bases": [{}], '
                '"arms": [{"name": "", "base": 0, "settings": {}, "inputs": ""}]}')
    yield parts("study: {dir: d}\narms: {base: {}, sda: {teacher: {method: sda, window: 5}}}\n"
                "axes:\n  listed:\n    seed.init: [1, 2]\n    seed.order: [3, 4]\n")


def records():
    done = ('{"cell": "0000000000000001", "state": "done", "status": "AD_OK", "at": 1.5, "step": 3, "steps": 4, '
            '"seconds": 2, "cost": 1, "ranks": 1, '
            '"result": {"dev": {"error": 0.5, "accuracy": 0.5}, "last": {"student": {"loss": 1}}}, '
            '"test": {"error": 0.25}, "majority": {"dev": 0.5, "test": 0.5}, '
            '"commit": "c518f3a", "kernels": "v3", "host": "h", "message": ""}\n')
    failed = (done.replace('"done"', '"failed"').replace("0001", "0002").replace("AD_OK", "AD_EDIVERGED")
              .replace('"message": ""', '"message": "why"'))
    yield parts(done + failed, "0000000000000003.1\nhost 1 2 x y\n")
    yield parts(failed.replace('"step": 3', '"step": -1').replace('"ranks": 1', '"ranks": 1e300'),
                "0000000000000001.4294967295\nh 1 0 x")


def schedules():
    for text in ("1,10,100", "", "0,5,5,18446744073709551615", "1,,2", "scalars,probe"):
        yield bytes([200, 1, 1, 6, 5, 2, 30, 8]) + text.encode()
        yield bytes([90, 0, 0, 0, 0, 1, 7, 3]) + text.encode()


def caches():
    numbers = struct.pack("<7Q", 2, 7, 4, 0, 0, 0, 1)
    arrays = struct.pack("<3Q", 0, 3, 7) + struct.pack("<7I", 2, 4, 3, 2, 4, 4, 3) + struct.pack("<4I", 3, 4, 0, 1)
    yield b"\x01" + numbers + arrays
    yield b"\x01" + numbers + arrays[:-4]
    yield b"\x00ADTOKENS" + bytes(80)


def described(form, *datasets):
    """An input of the target hdf5 that has it make a file: datasets of (name, type, extents, layout)."""
    out = [1, form - 1, 0]
    for name, kind, extents, layout in datasets:
        out += [name, kind, *([0] if kind == 7 else []), len(extents), *(extent - 1 for extent in extents),
                layout, 1, 0, 0]
    return bytes(out)


def hdf5():
    yield described(1, (0, 0, (4, 2), 0), (1, 1, (4,), 0))
    yield described(2, (2, 2, (4,), 1), (3, 3, (4,), 1), (4, 2, (4,), 1), (5, 3, (4, 2), 2), (9, 7, (2,), 0),
                    (10, 2, (2,), 0), (11, 2, (2, 2), 0))
    yield described(2, (2, 2, (4,), 1), (6, 4, (4, 16), 2), (7, 0, (4, 3, 2), 1), (8, 1, (3,), 0))


SEEDS = {"configuration": configurations, "descriptor": descriptors, "readers": readers, "model": models,
         "tokenizer_files": tokenizers, "json": jsons, "safetensors": safetensors, "tokenizer": texts,
         "normalizer": normalizers,
         "checkpoint": checkpoints, "run_log": logs, "study": studies, "records": records,
         "schedule": schedules, "cache": caches, "hdf5": hdf5}


def trained(program, work):
    """(target, input) from a tiny training and a tiny study."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1",
                   "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}

    def go(*arguments):
        subprocess.run([program, *arguments], cwd=work, env=environment, check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    tiny.write_all(work)
    go("train", "config.yaml", "checkpoint.every=1", "checkpoint.finished=true", "eval.keep_logits=true",
       "snapshot.every=1", "snapshot.sketch=16")
    run = work / "run"
    log = (run / "log.jsonl").read_bytes()
    yield "configuration", (run / "config.yaml").read_bytes()
    yield "run_log", parts(log, log)
    yield "run_log", parts(log, log[: len(log) // 2])
    for path in sorted((run / "checkpoints").glob("*.h5")):
        data = path.read_bytes()
        size = struct.unpack_from("<Q", data, len(data) - 24)[0]
        yield "checkpoint", b"\x01" + data[-32 - size:-32]
    for path in [*sorted((run / "logits").glob("*.h5"))[:1], *sorted((run / "snapshots").glob("*.h5"))[:2]]:
        yield "hdf5", b"\x00" + path.read_bytes()
    study = ("study: {dir: st}\nbase: {file: config.yaml, train: {steps: 1}}\n"
             "axes: {seed.init: 0..1, optim.lr: [1e-3, 2e-3]}\n")
    (work / "study.yaml").write_text(study)
    go("study", "run", "study.yaml")
    yield "study", parts(study.replace("file: config.yaml, ", ""), (work / "st/plan.json").read_bytes())
    lines = b"".join(path.read_bytes() for path in sorted((work / "st/records").glob("*.jsonl")))
    for number, line in enumerate(lines.splitlines(keepends=True)):
        cell = json.loads(line)["cell"].encode()
        yield "records", line.replace(cell, b"%016d" % (number + 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", help="autodidact, of any build")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    seeds = {target: list(make()) for target, make in SEEDS.items()}
    if options.program and os.access(options.program, os.X_OK):
        with tempfile.TemporaryDirectory() as work:
            for target, data in trained(os.path.abspath(options.program), Path(work)):
                seeds[target].append(data)
    else:
        print(f"seeds.py: no program at {options.program}: no seeds from a training")
    for target, inputs in seeds.items():
        (options.folder / target).mkdir(parents=True)
        for number, data in enumerate(inputs):
            (options.folder / target / f"{number:02}").write_bytes(data)


if __name__ == "__main__":
    main()
