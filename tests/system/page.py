#!/usr/bin/env python3
"""The pages of reports are well-formed and complete, whatever arms and runs are called.

    page.py PROGRAM    trains a study of tiny runs in a folder of its own, and looks at its page and at one of two runs

Tags are closed in their order, ids are there once, references lead to ids and to tables beside the page, tables have
captions and heads, pictures are XML with a name and a description. The event file of a run has its log. Python's
standard library only."""

import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from html.parser import HTMLParser
from pathlib import Path

import tiny

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))

VOID = {"meta", "br", "hr", "img", "link", "input"}
ARMS = ["base", "<b onclick='x()'>&amp;</b></svg><script>", "'><img src=x>", "]]>--><!--", "שלום & عربى",
        "very long " * 30 + "end"]
SHAPES = {"path", "circle"}  # written with "/>", as XML has it


class Page(HTMLParser):
    """What a page holds; what is wrong with it is in `wrong`."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.wrong, self.ids, self.wanted, self.links = [], [], [], [], []
        self.tags, self.text, self.captions, self.tables, self.row_heads = {}, [], 0, 0, 0

    def handle_starttag(self, tag, attributes):
        self.start(tag, dict(attributes))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.start(tag, dict(attributes))
        if tag not in SHAPES:
            self.wrong.append(f"<{tag}/>")

    def start(self, tag, attributes):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.wanted += attributes.get("aria-labelledby", "").split()
        self.links += [attributes["href"]] if "href" in attributes else []
        if any(name.startswith("on") or name == "src" for name in attributes):
            self.wrong.append(f"<{tag} {attributes}>")
        if tag == "th" and attributes.get("scope") not in ("col", "row"):
            self.wrong.append("a <th> without a scope")
        if tag == "svg" and attributes.get("role") != "img":
            self.wrong.append("an <svg> that is no image")

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data):
        self.text.append(data)


def check_page(folder, names):
    source = (folder / "report.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(source)
    page.close()
    wrong = page.wrong + [f"<{tag}> stays open" for tag in page.open]
    wrong += [f"id {name} twice" for name in set(page.ids) if page.ids.count(name) > 1]
    wrong += [f"no id {name}" for name in page.wanted if name not in page.ids]
    for link in page.links:
        beside = link.endswith((".csv", ".h5")) and (folder / link).is_file()
        there = link[1:] in page.ids if link.startswith("#") else beside
        wrong += [] if there else [f"a link to {link}"]
    if page.tags.get("caption", 0) != page.tags.get("table", 0):
        wrong.append("a table without a caption")
    wrong += [f"<{tag}>" for tag in ("b onclick", "img", "link", "iframe") if tag in page.tags]
    if page.tags.get("script") != 1 or re.search(r"\b(nan|inf)\b", source, re.I):
        wrong.append("a second script, or a number that is none")
    text = "".join(page.text)
    wrong += [f"the page does not name {name!r}" for name in names if name not in text]
    wrong += [f"a heading of level {level}" for level in re.findall(r"<h([3-6])", source)]
    pictures = re.findall(r"<svg.*?</svg>", source, re.S)
    for picture in pictures:
        tree = xml.fromstring(picture)
        if not (tree.findtext("title") and tree.findtext("desc")):
            wrong.append("a picture without a name or a description")
    for path in folder.glob("*.svg"):
        xml.parse(path)
    if wrong:
        sys.exit(f"{folder}: " + "\n".join(wrong[:20]))
    return source, pictures


def study_file(arms, axes, analysis=""):
    rows = "".join(f"  {json.dumps(name, ensure_ascii=False)}: {{optim.lr: {2 + i}e-3}}\n"
                   for i, name in enumerate(arms))
    return (f"study: {{name: \"<i>&\", failed: never, result: dev.loss, dir: study{analysis}}}\n"
            f"base: {{file: config.yaml, train.epochs: 1, eval.keep_logits: true}}\naxes: {{{axes}}}\narms:\n{rows}")


def run(program, *arguments):
    result = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=600, check=False)
    if result.returncode != 0:
        sys.exit(f"{arguments}: {result.stderr}")
    return result.stdout


def hostile(program):
    """The first pictures show the primary arm's pairs and ratios; points name their seeds and run."""
    primary = json.dumps(ARMS[1])
    analysis = (f", analysis: {{arms: [{primary}], tests: [mean, spread], margin: 0.05, ratio_margin: 1.25, seeds: 6, "
                "looks: [6]}")
    Path("study.yaml").write_text(study_file(ARMS, "seed.order: 0..5", analysis), encoding="utf-8")
    run(program, "study", "run", "study.yaml")
    run(program, "study", "report", "study.yaml", "--out", "report", "--tables")
    source, pictures = check_page(Path("report"), ARMS)
    first = xml.fromstring(pictures[0])
    titles = [node.text for node in first.iter("title")]
    pair = re.compile(r"seed\.order=\d.* against .*; runs [0-9a-f]{16} and [0-9a-f]{16}")
    dots = [title for title in titles if pair.search(title)]
    if len(dots) != 6 or not any("margin of equivalence: 0.05 nats" in title for title in titles):
        sys.exit(f"the first picture has {len(dots)} pairs; {titles}")
    rows = {node.text for node in xml.fromstring(pictures[1]).iter("title") if "SD ratio" in pictures[1]}
    if ARMS[1] not in rows:
        sys.exit(f"the second picture does not name the primary arm: {rows}")
    for part in ("as registered", "prefers-color-scheme:dark", "@media print", "XXH3", "Exploratory comparisons",
                 "tables.h5"):
        if part not in source:
            sys.exit(f"the page has no {part!r}")


def messages(data):
    """The fields of a message of protocol buffers: (number, value)."""
    at = 0

    def varint():
        nonlocal at
        value, shift = 0, 0
        while True:
            at, byte = at + 1, data[at]
            value, shift = value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value

    while at < len(data):
        number, wire = divmod(varint(), 8)
        size = {0: 0, 1: 8, 5: 4}.get(wire)
        size = varint() if size is None else size
        value = varint() if wire == 0 else data[at:at + size]
        at += size
        yield number, value


def check_events(program, run_folder):
    """Every finite number of the log that has a tag is in the event file, as a float."""
    run(program, "export", run_folder, "--tensorboard", "events/a")
    data, at, found = Path("events/a/events.out.tfevents.0.autodidact").read_bytes(), 0, {}
    while at < len(data):
        size = struct.unpack_from("<Q", data, at)[0]
        event = dict(messages(data[at + 12:at + 12 + size]))
        at += 16 + size
        for _, value in messages(event.get(5, b"")):
            fields = dict(messages(value))
            found[fields[1].decode(), event[2]] = struct.unpack("<f", fields[2])[0]
    expected = {}
    for line in (Path(run_folder) / "log.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        names = {"error": "dev/error", "loss": "dev/loss"} if "eval" in row else {
            "loss": "train/loss", "norm": "train/gradient_norm"}
        expected.update({(tag, row["step"]): row[name] for name, tag in names.items()})
    for key, value in expected.items():
        if not abs(found.get(key, float("nan")) - value) <= 1e-6 * max(1, abs(value)):
            sys.exit(f"{key}: the event file has {found.get(key)}, the log {value}")


def runs(program):
    """The report of two runs of the study, one under a hostile name."""
    cells = sorted(path.parent for path in Path("study").rglob("result.json"))
    name = ARMS[1].replace("/", "|")
    shutil.copytree(cells[0], name)
    told = json.loads(run(program, "report", name, str(cells[7]), "--out", "runs-report", "--json"))
    if [row["run"] for row in told["sections"]["runs"]["tables"]["runs"]] != [name, cells[7].name]:
        sys.exit(f"report --json has other runs: {told['sections']['runs']}")
    source, pictures = check_page(Path("runs-report"), [name, cells[7].name])
    for part in ("plot_loss", "plot_confusion_1", "plot_calibration", "plot_seconds", "optim.lr", "@media print"):
        if part not in source:
            sys.exit(f"the page of runs has no {part!r}")
    if len(pictures) < 8:
        sys.exit(f"the page of runs has {len(pictures)} pictures")
    check_events(program, str(cells[0]))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        tiny.write_all(Path(folder))
        hostile(program)
        runs(program)
        os.chdir("/")
    print("ok   pages of reports are well-formed, with hostile names")


if __name__ == "__main__":
    main()
