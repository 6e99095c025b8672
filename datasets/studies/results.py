#!/usr/bin/env python3
"""The tables and figures of a document, from what `autodidact study report` wrote of one or more studies.

    results.py RUNS DOCUMENT          copies numbers from RUNS/STUDY/report into DOCUMENT, for each study that it names
    results.py --check DOCUMENT       compares DOCUMENT with the tables that lie beside it; exit code 1 where they
                                      differ

In the document a table stands between <!-- table STUDY/NAME --> and <!-- end -->; all between is replaced. The CSV
files that it is made of are copied into DOCUMENT/STUDY/ (the document's name without its ending), and figures likewise:
![...](DOCUMENT/STUDY/plot_NAME.svg) takes plot_NAME.svg of the report. Python's standard library only."""

import argparse
import csv
import re
import shutil
import sys
from pathlib import Path

# Heading, what stands in the cells: columns of the CSV file, {x:%} in percent with two digits, {x:s} two significant
# digits, {x:p} a p-value.
TABLES = {
    "arms": ("arms", [("arm", "{arm}"), ("runs", "{n}"), ("mean, %", "{mean:%}"),
                      ("its 95 % CI", "{mean_interval_low:%} to {mean_interval_high:%}"), ("median, %", "{median:%}"),
                      ("SD, points", "{sd:%}"), ("its 95 % CI", "{sd_interval_low:%} to {sd_interval_high:%}"),
                      ("lowest", "{minimum:%}"), ("highest", "{maximum:%}")]),
    "comparison": ("comparison", [("arm", "{arm}"), ("verdict", "{verdict}"), ("pairs", "{pairs}"),
                                  ("difference, points", "{difference:%}"),
                                  ("95 % CI", "{interval_low:%} to {interval_high:%}"), ("p", "{p:p}"),
                                  ("with Holm", "{holm_p:p}"), ("of the baseline", "{share:%1}"),
                                  ("in its SDs", "{in_sds:s}"), ("better on", "{better:%0}")]),
    "spread": ("spread", [("arm", "{arm}"), ("spread over", "{source}"), ("verdict", "{verdict}"),
                          ("SD ratio", "{ratio:s3}"), ("95 % CI", "{interval_low:s3} to {interval_high:s3}"),
                          ("p", "{p:p}"), ("with Holm", "{holm_p:p}"), ("levels", "{levels}")]),
    "failures": ("failures", [("arm", "{arm}"), ("pairs", "{pairs}"), ("failed", "{failed}"),
                              ("of the baseline", "{baseline}"), ("exact p", "{p:p}")]),
    "cost": ("cost", [("arm", "{arm}"), ("steps", "{steps}"), ("products", "{relative_products:s3}"),
                      ("error, %", "{score:%}")]),
    "components": ("components", [("arm", "{arm}"), ("source", "{term}"), ("variance", "{variance:%2}"),
                                  ("SD, points", "{sd:%}"), ("share", "{share:%0}")]),
    "predictions": ("predictions",
                    [("arm", "{arm}"), ("runs", "{runs}"), ("churn, %", "{churn:%}"), ("NLL, nats", "{nll:s3}"),
                     ("ECE, %", "{ece:%}"), ("error of their vote, %", "{vote_error:%}")]),
}


def show(value, form):
    if value == "":
        return "n/a"
    if form is None:
        return value
    number = float(value)
    if form[0] == "%":
        scale, digits = {"%": (100, 2), "%0": (100, 0), "%1": (100, 1), "%2": (1e4, 3)}[form]
        return f"{number * scale:.{digits}f}" + (" %" if form in ("%0", "%1") else "")
    if form[0] == "p":
        return f"{number:.3f}" if number >= 0.001 else f"{number:.1g}"
    return f"{number:.{form[1:] or 2}g}" if abs(number) < 100 else f"{number:.0f}"


def cell(template, row):
    text = re.sub(r"\{(\w+)(?::([^}]+))?\}", lambda m: show(row[m.group(1)], m.group(2)), template)
    return "n/a" if "n/a" in text else text


def table(path, columns):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    lines = ["| " + " | ".join(head for head, _ in columns) + " |", "|" + "---|" * len(columns)]
    return lines + ["| " + " | ".join(cell(template, row) for _, template in columns) + " |" for row in rows]


MARK = r"<!-- table ([\w-]+)/(\w+) -->"


def fill(text, folder):
    """The document with its tables made anew from the CSV files in `folder`."""
    def one(match):
        name, columns = TABLES[match.group(2)]
        return "\n".join([match.group(0).partition("\n")[0], "",
                          *table(folder / match.group(1) / f"{name}.csv", columns), "", "<!-- end -->"])
    return re.sub(MARK + r"\n.*?<!-- end -->", one, text, flags=re.S)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare only")
    parser.add_argument("paths", nargs="+", metavar="RUNS DOCUMENT")
    arguments = parser.parse_args()
    document = Path(arguments.paths[-1])
    folder, text = document.with_suffix(""), document.read_text(encoding="utf-8")
    if arguments.check:
        if fill(text, folder) != text:
            sys.exit(f"{document}: the tables are not those of {folder}")
        return
    wanted = {(study, f"{TABLES[name][0]}.csv") for study, name in re.findall(MARK, text)}
    wanted |= set(re.findall(rf"\({folder.name}/([\w-]+)/(plot_\w+\.svg)\)", text))
    for study, name in sorted(wanted):
        (folder / study).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(arguments.paths[0]) / study / "report" / name, folder / study / name)
    document.write_text(fill(text, folder), encoding="utf-8")


if __name__ == "__main__":
    main()
