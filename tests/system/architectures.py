#!/usr/bin/env python3
"""Everything that the program does, on a tiny model of each architecture (tests/golden/folders.py).

    architectures.py PROGRAM [ARCHITECTURE]

Python's standard library alone; what transformers makes of the folders, tests/parity/live.py compares."""

import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tiny

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "golden"))
import folders  # noqa: E402

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))

ENVIRONMENT = {**os.environ, "OMPI_MCA_ess_singleton_isolated": "1"}
TEACHERS = ["se", "sda", "sdv", "ema", "rdrop"]
# Heads of pretraining: in the files of ...ForMaskedLM and ...ForPreTraining, and of no use here.
OTHER_HEADS = {"lm_head.dense.weight": [24, 24], "cls.predictions.bias": [64], "vocab_projector.bias": [64],
               "generator_lm_head.bias": [64], "discriminator_predictions.dense_prediction.bias": [1]}


class Tests:
    def __init__(self, program, work, name):
        self.program, self.work, self.name = program, work, name

    def call(self, *arguments, code=0, environment=None):
        done = subprocess.run([self.program, *map(str, arguments)], cwd=self.work, capture_output=True, text=True,
                              env={**ENVIRONMENT, **(environment or {})}, timeout=300, check=False)
        assert done.returncode == code, f"{self.name}: {arguments}: exit code {done.returncode}\n{done.stderr}"
        return done.stdout + done.stderr

    def train(self, run, *settings, **how):
        return self.call("train", "config.yaml", f"run.dir={run}", "batch.size=16", *settings, **how)

    def log(self, run):
        return [row for row in (self.work / run / "log.jsonl").read_text().splitlines() if '"chain"' in row]

    def put_model(self, folder, tensors, **settings):
        shutil.copytree(self.work / "model", self.work / folder)
        (self.work / folder / "model.safetensors").write_bytes(folders.safetensors(tensors))
        config = {**folders.config(self.name), **settings}
        (self.work / folder / "config.json").write_text(json.dumps(config))

    def test_methods(self):
        """Each method trains, and a training is the same again."""
        for method in TEACHERS:
            self.train(method, f"teacher.method={method}", "teacher.window=2", "teacher.start=2")
            self.call("verify", method)
        self.train("again", "teacher.method=sda", "teacher.window=2", "teacher.start=2", "batch.rounds=2")
        assert self.log("again") == self.log("sda")
        self.call("diff", "sda", "again")

    def test_freeze(self):
        for what in ("embeddings", "1", "encoder"):
            self.train(f"frozen-{what}", f"model.freeze={what}", "teacher.method=sda", "teacher.window=2")

    def test_stop(self):
        """Killed behind a checkpoint and gone on with: the same bits, and its own steps again."""
        settings = ["teacher.method=sda", "teacher.window=2", "snapshot.every=2", "snapshot.sketch=64",
                    "checkpoint.every=2", "checkpoint.minutes=0", "train.epochs=2"]
        self.train("whole", *settings)
        self.train("killed", *settings, "--inject=kill@3", code=-9)
        self.train("killed", *settings)
        assert self.log("killed") == self.log("whole")
        self.call("verify", "whole", "--replay", 2)
        self.call("inspect", "whole/snapshots/all.h5")

    def test_folder(self):
        """What is written says what was read, and is read again: by keep, by eval and predict, with the bare head."""
        text = self.train("first")
        assert "the classifier is drawn from seed.init" in text, text
        written, read = json.loads((self.work / "first/model/config.json").read_text()), folders.config(self.name)
        read["architectures"] = [read["architectures"][0].replace("Model", "ForSequenceClassification")]
        assert {key: written[key] for key in read} == read, (written, read)
        assert written["id2label"] == dict(zip("01", tiny.CLASSES))
        found = self.shapes("first/model")
        classes, encoder = {len(folders.CLASSES): len(tiny.CLASSES)}, folders.tensors(self.name)
        assert found == {name: shape if name in encoder else [classes.get(size, size) for size in shape]
                         for name, shape in folders.tensors(self.name, head=True).items()}
        self.train("kept", "model.path=first/model", "model.head=keep")
        self.train("new", "model.path=first/model", "model.head=new")
        self.call("export", "first", "--out", "out")
        assert (self.work / "out/model.safetensors").read_bytes() == (
            self.work / "first/model/model.safetensors").read_bytes()
        (self.work / "lines").write_text("good film\nbad\tgood\n")
        assert len(self.call("predict", "out", "--data", "lines", "--logits").splitlines()) == 2
        self.call("predict", "first", "--data", "data/test.tsv")
        self.call("eval", "first", "--data", "test")
        assert ("texts of any length" in self.call("inspect", "out")) == (self.name == "xlnet")
        self.train("cls", "model.classifier=cls", "teacher.method=sdv", "teacher.window=2")
        config = json.loads((self.work / "cls/model/config.json").read_text())
        assert config["autodidact_classifier"] == "cls" and config["architectures"][0].endswith("Model")
        assert len(self.shapes("cls/model")) < len(found)
        self.train("cls-kept", "model.path=cls/model", "model.head=keep", "model.classifier=cls")

    def shapes(self, folder):
        raw = (self.work / folder / "model.safetensors").read_bytes()
        size = struct.unpack("<Q", raw[:8])[0]
        entries = json.loads(raw[8:8 + size])
        return {name: entry["shape"] for name, entry in entries.items() if name != "__metadata__"}

    def test_names(self):
        """Without the prefix, and among the tensors of other heads: the same training."""
        prefix = folders.ARCHITECTURES[self.name][1]
        bare = {name.removeprefix(prefix): shape for name, shape in folders.tensors(self.name).items()}
        self.put_model("bare", bare)
        # At the end: the values of a tensor depend on its place.
        self.put_model("masked", {**folders.tensors(self.name), **OTHER_HEADS})
        self.train("of-bare", "model.path=bare")
        self.train("of-masked", "model.path=masked")
        assert self.log("of-bare") == self.log("of-masked")


    def test_openblas(self):
        """By OpenBLAS a row's bits may depend on its number: rounds must not, on any of its kernels."""
        if self.name != "xlnet":
            return
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            flags = file.read().split()
        cores = ["Nehalem"] * ("sse4_2" in flags) + ["Haswell", "Zen"] * ("avx2" in flags)
        cores += ["SkylakeX"] * ("avx512dq" in flags)
        for core in cores or [""]:
            openblas = {"AUTODIDACT_GEMM": "openblas", **({"OPENBLAS_CORETYPE": core} if core else {})}
            for rounds in (1, 2, 3, 16):
                self.train(f"{core}-{rounds}", "teacher.method=sda", "teacher.window=2", f"batch.rounds={rounds}",
                           environment=openblas)
                assert self.log(f"{core}-{rounds}") == self.log(f"{core}-1"), (core, rounds)

    def test_one_type(self):
        """A tokenizer of one segment type: pairs train as by a table whose second type is the first."""
        if self.name != "bert":
            return
        text = (self.work / "tiny.yaml").read_text()
        text = text.replace("  text: sentence\n", "  text: sentence\n  pair: sentence\n")
        (self.work / "pairs.yaml").write_text(text)
        losses = {}
        for folder, names, equal in [("two", None, False), ("equal", None, True), ("one", ["input_ids"], False)]:
            content = tiny.tensors()
            values = content["bert.embeddings.token_type_embeddings.weight"][1]
            values[tiny.HIDDEN:] = values[:tiny.HIDDEN] if equal else values[tiny.HIDDEN:]
            tiny.write_model(self.work / folder)
            (self.work / folder / "model.safetensors").write_bytes(tiny.safetensors(content))
            if names:
                (self.work / folder / "tokenizer_config.json").write_text(json.dumps({"model_input_names": names}))
            self.train(f"of-{folder}", f"model.path={folder}", "data.descriptor=pairs.yaml")
            losses[folder] = json.loads(self.log(f"of-{folder}")[0])["loss"]
        assert losses["one"] == losses["equal"] != losses["two"], losses


def test(program, name):
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        tiny.write_all(work)
        shutil.rmtree(work / "model")
        folders.write(work / "model", name, vocabulary=tiny.VOCABULARY)
        tests = Tests(program, work, name)
        # Model types of one architecture differ in names alone.
        kin = [other for other, made in folders.ARCHITECTURES.items() if made[1] == folders.ARCHITECTURES[name][1]]
        methods = [method for method in sorted(vars(Tests)) if method.startswith("test_")]
        chosen = methods if kin[0] == name else ["test_folder"]
        for method in chosen:
            getattr(tests, method)()
        return len(chosen)


def main():
    program, names = os.path.abspath(sys.argv[1]), sys.argv[2:] or list(folders.ARCHITECTURES)
    with ThreadPoolExecutor(2) as pool:
        for name, count in zip(names, pool.map(lambda name: test(program, name), names)):
            print(f"{name}: {count} tests passed")


if __name__ == "__main__":
    main()
