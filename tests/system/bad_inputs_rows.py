"""The rows of the table of bad inputs, and the ways to break a folder."""

import json
import os
import struct
from dataclasses import dataclass
from typing import Callable, Optional

import tiny

TRAIN = ["train", "config.yaml", "run.dir=new"]


@dataclass
class Row:
    name: str
    make: Optional[Callable]  # breaks the folder it is given; None: the command alone is wrong
    command: list
    code: int
    patterns: list  # regular expressions that standard error must match
    absent: list  # files that must not exist afterwards
    stdin: bytes = b""
    stdout: str = ""
    environment: Optional[dict] = None


ROWS = []


def row(name, make, command, code, *patterns, absent=(), rows=ROWS, **rest):
    rows.append(Row(name, make, command, code, list(patterns), list(absent), **rest))


def train(name, make, code, *patterns, command=None, **rest):
    """A row for train; a failed one leaves no result behind."""
    row(name, make, command or TRAIN, code, *patterns, absent=["new/result.json"], **rest)


def write(name, content):
    """Replaces a file by text or bytes."""
    def make(work):
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return make


def swap(name, old, new):
    """Replaces one piece of a text file."""
    def make(work):
        text = (work / name).read_text()
        assert old in text, (name, old)
        (work / name).write_text(text.replace(old, new, 1))
    return make


def remove(name):
    return lambda work: (work / name).unlink()


def folder_instead(name):
    def make(work):
        (work / name).unlink(missing_ok=True)
        (work / name).mkdir()
    return make


def pipe_instead(name):
    """A pipe that nobody writes into."""
    def make(work):
        (work / name).unlink(missing_ok=True)
        os.mkfifo(work / name)
    return make


def cut(name, place):
    """Cuts a safetensors file at a place given by its header's length."""
    def make(work):
        data = (work / name).read_bytes()
        header = 8 + struct.unpack("<Q", data[:8])[0]
        (work / name).write_bytes(data[:place(header, len(data))])
    return make


def model(**changes):
    """Replaces config.json by one with these changes."""
    return write("model/config.json", json.dumps(tiny.model_config(**changes)))


def weights(change, types=None):
    """Replaces model.safetensors by one whose tensors `change` has edited in place."""
    def make(work):
        content = tiny.tensors()
        change(content)
        (work / "model/model.safetensors").write_bytes(tiny.safetensors(content, types))
    return make


def header(change):
    """Edits the JSON header of model.safetensors as a dictionary, or as text."""
    def make(work):
        path = work / "model/model.safetensors"
        data = path.read_bytes()
        size = struct.unpack("<Q", data[:8])[0]
        entries = json.loads(data[8:8 + size])
        text = change(entries)
        text = (json.dumps(entries) if text is None else text).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + size:])
    return make


def data_as(form, layout, files):
    """Data in another format; files: {name in data/: content}."""
    def make(work):
        (work / "tiny.yaml").write_text(tiny.descriptor(form, layout, suffix=""))
        for name, content in files.items():
            write(f"data/{name}", content)(work)
    return make


def test_rows(*lines):
    """Replaces the training file: a header, five good rows, then these; so the first is line 7."""
    good = "".join(f"{text}\t{label}\n" for label, text in tiny.rows(5, 7)).encode()
    body = b"".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    return write("data/train.tsv", b"sentence\tlabel\n" + good + body)
