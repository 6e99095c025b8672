#!/usr/bin/env python3
"""study status --watch and --html: a line for each change while a study runs, and a page that browsers load again.

    study_watch.py    in a folder of tiny.py; AD_PROGRAM is the program"""

import html.parser
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))

PROGRAM = os.environ["AD_PROGRAM"]
STUDY = """study: {dir: watched, name: "watched <&> \\e[2J"}
base: config.yaml
axes: {seed.init: 0..2}
arms: {a: {}, "b<i>": {optim.lr: 2e-3}, bad: {optim.lr: 10, optim.decay: 10, train.epochs: 40}}
"""


class Page(html.parser.HTMLParser):
    """The rows of the tables, the seconds of the refresh, and tags that were opened and not closed."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.refresh, self.open = [], None, []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag == "meta" and dict(attrs).get("http-equiv") == "refresh":
            self.refresh = int(dict(attrs)["content"])
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        if self.open.pop() != tag:
            sys.exit(f"the page closes {tag} where something else is open")

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def page(refresh):
    text = Path("watched.html").read_text(encoding="utf-8")
    found = Page(text)
    foreign = [part for part in ("\x1b", "<i>", "http:", "https:") if part in text]
    if found.open or found.refresh != refresh or foreign:
        sys.exit(f"the page: {found.open} is open, {foreign} is there, refresh {found.refresh}, expected {refresh}\n"
                 f"{text}")
    return found.rows


def status(*more, code=0):
    done = subprocess.run([PROGRAM, "study", "status", "watched.yaml", *more], capture_output=True, text=True)
    if done.returncode != code:
        sys.exit(f"status {more}: exit code {done.returncode}, expected {code}: {done.stdout}{done.stderr}")
    return done


def main():
    Path("watched.yaml").write_text(STUDY)
    shutil.rmtree("watched", ignore_errors=True)
    status("--html", "watched.html")
    rows = page(10)
    if [row[:5] for row in rows[1:5]] != [["a", "3", "0", "0", "3"], ["b<i>", "3", "0", "0", "3"],
                                         ["bad", "3", "0", "0", "3"], ["all", "9", "0", "0", "9"]]:
        sys.exit(f"before the study: {rows}")
    # Begun before there is a plan: it sees the cells that come.
    with subprocess.Popen([PROGRAM, "study", "status", "watched.yaml", "--watch", "--every", "1", "--html",
                           "watched.html"], stdout=subprocess.PIPE, text=True) as watch:
        try:
            first = watch.stdout.readline()
            study = subprocess.run([PROGRAM, "study", "run", "watched.yaml"], capture_output=True, text=True)
            lines = watch.communicate(timeout=60)[0].splitlines()
        finally:
            watch.kill()
    if watch.returncode != 0 or study.returncode != 0 or "0.0 % of the work is done" not in first:
        sys.exit(f"watch ended with {watch.returncode}, the study with {study.returncode}: {first}{study.stderr}")
    cells = json.loads(status("--json").stdout)["cells"]
    time = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  "
    for cell in cells:
        label = f"{cell['arm']}, seed.init={cell['axes']['seed.init']}"
        said = [line for line in lines if f"  {label}: {cell['state']}, " in line]
        what = r"dev\.error [0-9.]+" if cell["state"] == "done" else "the loss over .* is NaN.*"
        if len(said) != 1 or re.fullmatch(rf"{time}{re.escape(label)}: {cell['state']}, ({what}) \(\d of 9 done\)",
                                          said[0]) is None:
            sys.exit(f"{label}: found {said}, all: {lines}")
    rows = page(None)
    if sorted(row[1] for row in rows[6:]) != ["done"] * 6 + ["failed"] * 3:
        sys.exit(f"the page at the end: {rows}")
    results = {row[0]: row[4] for row in rows[6:]}
    for cell in cells:
        if cell["state"] == "done" and float(results[f"{cell['arm']}, seed.init={cell['axes']['seed.init']}"]) != \
                float(f"{cell['result']:.5g}"):
            sys.exit(f"{cell}: the page has {results}")
    for more, message in ((("--watch", "--json"), r"both --json and --watch"), (("--every", "5"), r"--watch with it"),
                          (("--watch", "--every", "0"), r"--every is '0'"),
                          (("--watch", "--every", "soon"), r"--every is 'soon'")):
        if re.search(message, status(*more, code=1).stderr) is None:
            sys.exit(f"{more}: expected /{message}/")
    if "could not be written" not in status("--html", "nowhere/page.html", code=2).stderr:
        sys.exit("a page that cannot be written is not told")


if __name__ == "__main__":
    main()
    print("ok   study status, watched")
