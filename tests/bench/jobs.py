"""The jobs that tests/bench/run and tests/bench/peer measure, and how this program runs one. Python's standard library
only."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from shapes import BASE, Shape, write_job

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/bench"
PROGRAM = BUILD / "autodidact"
SHARED = ROOT.parent / "shared/data"
MINILM = Shape("MiniLM-L6", 384, 1536, 6, 12)
MODES = {
    "plain": [],
    "sda": ["teacher.method=sda", "teacher.window=5"],
    "sdv": ["teacher.method=sdv", "teacher.window=5"],
}


@dataclass
class Job:
    """Steps up to `warm` (by mode) are not counted: caches and the machine's clock settle, a teacher finds its first
    students, and SDV all it averages."""

    name: str
    title: str
    shape: Shape
    batch: int
    limit: int  # most tokens of an example
    warm: dict
    steps: int  # that are counted
    source: str = ""  # of the texts, as `write` knows them; empty: generated, all of `limit` tokens
    masked: bool = False  # masked-language modelling in place of classification

    def total(self, mode="sdv"):
        return self.warm[mode] + self.steps


SLOW, FAST = {"plain": 1, "sda": 2, "sdv": 6}, {"plain": 8, "sda": 8, "sdv": 8}
JOBS = {
    job.name: job
    for job in (
        Job("base-128", "BERT-base shapes, 16 x 128 tokens", BASE, 16, 128, SLOW, 2),
        Job("base-512", "BERT-base shapes, 16 x 512 tokens", BASE, 16, 512, SLOW, 1),
        Job("sst2", "MiniLM-L6, SST-2, batches of 32", MINILM, 32, 128, FAST, 24, "sst2"),
        Job("agnews", "MiniLM-L6, AG News, batches of 32", MINILM, 32, 128, FAST, 8, "agnews"),
        Job("glosses", "MiniLM-L6, WordNet's glosses, batches of 32", MINILM, 32, 128, FAST, 24, "glosses"),
        Job("mlm", "MiniLM-L6, masked-language modelling, batches of 32", MINILM, 32, 128, FAST, 24,
            "sst2" if (SHARED / "sst2").is_dir() else "glosses", masked=True),
    )
}


def default_jobs():
    """Real data where there are some beside the checkout, WordNet's glosses in their place."""
    real = [name for name in ("sst2", "agnews") if (SHARED / name).is_dir()]
    return ["base-128", "base-512", *(real or ["glosses"]), "mlm"]


def clean_environment():
    """The libraries' own choice of kernels, one thread a rank."""
    environment = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    return {**environment, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def build():
    """This program and the benchmarks, as the release preset has them, in a folder of their own."""
    commands = [["cmake", "--preset", "release", "-B", str(BUILD), "-G", "Ninja", "-DAD_TESTS=ON"],
                ["ninja", "-C", str(BUILD), "autodidact_cli", "benchmarks"]]
    for command in commands:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def find_model(given):
    """The folder of MiniLM-L6; None where it cannot be had, so that random weights of its shape do."""
    if given:
        return Path(given).resolve()
    found = subprocess.run([ROOT / "launch/get-model", "minilm-l6"], capture_output=True, text=True)
    return Path(found.stdout.strip()) if found.returncode == 0 else None


def _file(source):
    return {"sst2": SHARED / "sst2/train.tsv", "agnews": SHARED / "agnews/train_10k.tsv",
            "glosses": Path("/usr/share/wordnet/data.noun")}[source]


def write_vocabulary(path):
    """BERT-base uncased's, or one of WordNet's glosses."""
    given = SHARED / "vocab/bert-base-uncased-vocab.txt"
    if given.exists():
        shutil.copyfile(given, path)
    else:
        subprocess.run([ROOT / "launch/new-vocabulary", _file("glosses"), path], check=True, stdout=subprocess.DEVNULL)


def _small_dev(folder, source):
    """The first lines of the training file: the evaluation at the end of a run is not what is measured."""
    with _file(source).open("rb") as text:
        (folder / "dev").write_bytes(b"".join(text.readline() for _ in range(60)))


def _descriptor(source):
    """Descriptor and folder of a job's data."""
    return {"sst2": ("sst2-labelled", f"{SHARED}/sst2"), "agnews": ("agnews-10k", f"{SHARED}/agnews"),
            "glosses": ("wordnet-nouns", "")}[source]


def write(job, folder, model):
    """job.yaml of a job, and what it needs, in an empty folder."""
    if not job.source:
        write_job(folder, job.shape, job.batch, job.limit - 2, job.limit - 2, job.total(), job.limit)
        return
    descriptor, texts = _descriptor(job.source)
    _small_dev(folder, job.source)
    if model is not None:
        weights = f"path: {model}"
    else:
        write_vocabulary(folder / "vocab.txt")
        s = job.shape
        weights = f"vocab: vocab.txt, hidden: {s.H}, layers: {s.L}, heads: {s.A}, ffn: {s.F}"
    (folder / "job.yaml").write_text(
        f"run: {{dir: run, variants: false}}\nmodel: {{{weights}}}\n"
        f"data: {{descriptor: {descriptor}, folder: \"{texts}\", dev: dev, max_tokens: {job.limit}"
        f"{', task: mlm' if job.masked else ''}}}\n"
        f"batch: {{size: {job.batch}, lanes: 8}}\ntrain: {{steps: {job.total()}}}\neval: {{every: 1000000}}\n")


def write_tokens(job, folder, model):
    """For others to train on: `tokens`, a line an example, its class and token ids; `order`, a line a step, its
    examples. Returns the number of classes."""
    descriptor, texts = _descriptor(job.source) if job.source else ("./generated.yaml", ".")
    vocabulary = model if job.source and model is not None else "vocab.txt"
    with (folder / "tokens").open("w") as out:
        subprocess.run([BUILD / "tests/bench/bench_tokens", descriptor, texts, vocabulary, str(job.limit)], cwd=folder,
                       stdout=out, check=True)
    with (folder / "order").open("w") as out:
        subprocess.run([PROGRAM, "order", "job.yaml"], cwd=folder, stdout=out, check=True)
    with (folder / "tokens").open() as lines:
        return 1 + max(int(line.split(" ", 1)[0]) for line in lines)


def mask_token(folder, model):
    """The number of [MASK] in the vocabulary of a job."""
    return (Path(model or folder) / "vocab.txt").read_text().splitlines().index("[MASK]")


def command(ranks, program=PROGRAM):
    """The program on the last core, or on a core a rank."""
    if ranks == 1:
        return ["taskset", "-c", str(max(os.sched_getaffinity(0))), program]
    return [ROOT / "launch/local", "-n", str(ranks)]


def run_ours(job, folder, mode, ranks, more=(), program=PROGRAM):
    """Trains the job; seconds and real tokens of the steps that count, highest resident set of a rank in bytes."""
    run = folder / "run"
    keys = [*MODES[mode], f"train.steps={job.total(mode)}", f"run.dir={run}", "run.overwrite=true", *more]
    environment = {**clean_environment(), "AUTODIDACT_PROGRAM": str(program)}
    process = subprocess.Popen([*command(ranks, program), "train", "job.yaml", *keys], cwd=folder, env=environment,
                               stdout=subprocess.DEVNULL, stderr=(folder / "stderr").open("w"))
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{job.name}, {mode}, {ranks} ranks: the program failed:\n{(folder / 'stderr').read_text()[-2000:]}")

    def rows(name):
        return [row for row in map(json.loads, (run / name).read_text().splitlines())
                if "step" in row and "eval" not in row]

    seconds = {row["step"]: row["seconds"] for row in rows("timing.jsonl")}
    counted = [row for row in rows("log.jsonl") if row["step"] > job.warm[mode] and "tokens" in row]
    return {"seconds": [seconds[row["step"]] for row in counted], "tokens": sum(row["tokens"] for row in counted),
            "peak": 1024 * usage.ru_maxrss}


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown"
