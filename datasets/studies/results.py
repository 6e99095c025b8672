#!/usr/bin/env python3
"""The tables and figures of a document, from what `autodidact study report` wrote.

    results.py REPORT DOCUMENT        copies numbers from the folder REPORT into DOCUMENT
    results.py --check DOCUMENT       compares DOCUMENT with the tables that lie beside it; exit code 1 where they
                                      differ

In the document a table stands between <!-- table NAME --> and <!-- end -->; all between is replaced. The CSV files that
it is made of are copied into a folder beside the document, called as the document is without its ending, and figures
likewise: ![...](FOLDER/plot_NAME.svg) takes plot_NAME.svg of the report. Python's standard library only."""

import argparse
import csv
import re
import shutil
import sys
from pathlib import Path

# Heading, what stands in the cells: columns of the CSV file, {x:%} in percent with two digits, {x:s} two significant
# digits, {x:p} a p-value.
TABLES = {
    "arms": ("arms", [("arm", "{arm}"), ("runs", "{n}"), ("failed", "{failed}"), ("mean, %", "{mean:%}"),
                      ("its 95 % CI", "{mean_interval_low:%} to {mean_interval_high:%}"), ("median, %", "{median:%}"),
                      ("SD, points", "{sd:%}"), ("its 95 % CI", "{sd_interval_low:%} to {sd_interval_high:%}"),
                      ("lowest", "{minimum:%}"), ("highest", "{maximum:%}")]),
    "crossed": ("comparison_crossed", [("arm", "{arm}"), ("mean difference, points", "{difference:%}"),
                                       ("standard error", "{error:%}"), ("df", "{df:s}"),
                                       ("95 % CI", "{interval_low:%} to {interval_high:%}"),
                                       ("p", "{p:p}"), ("with Holm", "{holm_p:p}")]),
    "comparison": ("comparison", [("arm", "{arm}"), ("pairs", "{pairs}"), ("mean difference, points", "{difference:%}"),
                                  ("95 % CI, bootstrap", "{bootstrap_low:%} to {bootstrap_high:%}"),
                                  ("95 % CI, t", "{t_low:%} to {t_high:%}"),
                                  ("better on", "{better:%0}"), ("Wilcoxon p", "{wilcoxon_p:p}"),
                                  ("with Holm", "{holm_p:p}")]),
    "multi_bootstrap": ("multi_bootstrap", [("arm", "{arm}"), ("pairs", "{pairs}"), ("examples", "{examples}"),
                                            ("difference, points", "{difference:%}"),
                                            ("95 % CI", "{interval_low:%} to {interval_high:%}"), ("p", "{p:p}")]),
    "mcnemar": ("mcnemar", [("arm", "{arm}"), ("pairs", "{pairs}"), ("only the arm errs", "{only_arm:%}"),
                            ("only base errs", "{only_baseline:%}"), ("better, p < 0.05", "{better}"),
                            ("worse, p < 0.05", "{worse}"), ("undecided", "{undecided}")]),
    "spread": ("spread", [("arm", "{arm}"), ("pairs", "{pairs}"), ("SD ratio", "{ratio:s}"),
                          ("95 % CI, bootstrap", "{interval_low:s} to {interval_high:s}"),
                          ("permutation p", "{permutation_p:p}"), ("with Holm", "{holm_permutation_p:p}"),
                          ("Brown-Forsythe p", "{brown_forsythe_p:p}"), ("with Holm", "{holm_brown_forsythe_p:p}")]),
    "brown_forsythe": ("brown_forsythe",
                       [("of", "{runs}"), ("F", "{f:s}"), ("degrees of freedom", "{df1}, {df2}"), ("p", "{p:p}")]),
    "components": ("components", [("arm", "{arm}"), ("source", "{term}"), ("df", "{df}"),
                                  ("mean square", "{mean_square:%2}"), ("variance", "{variance:%2}"),
                                  ("95 % CI, MLS", "{mls_low:%2} to {mls_high:%2}"), ("SD, points", "{sd:%}")]),
    "test_set": ("test_set", [("arm", "{arm}"), ("runs", "{runs}"), ("SD on these examples", "{test_sd:%}"),
                              ("variance on them", "{test_variance:%2}"),
                              ("variance on new data", "{distribution_variance:%2}"),
                              ("95 % CI", "{distribution_interval_low:%2} to {distribution_interval_high:%2}"),
                              ("r of halves", "{halves:s}")]),
    "predictions": ("predictions",
                    [("arm", "{arm}"), ("runs", "{runs}"), ("churn, %", "{churn:%}"), ("kappa", "{kappa:s}"),
                     ("NLL, nats", "{nll:s3}"), ("ECE, %", "{ece:%}"), ("error of their vote, %", "{vote_error:%}"),
                     ("NLL of the vote", "{vote_nll:s3}")]),
    "power": ("power", [("arm", "{arm}"), ("d_z seen", "{effect:s}"), ("pairs for 80 %", "{pairs_needed}"),
                        ("SD ratio seen", "{sd_ratio:s}"), ("runs an arm for 80 %", "{runs_for_ratio}")]),
}


def show(value, form):
    if value == "":
        return "n/a"
    if form is None:
        return value
    number = float(value)
    if form[0] == "%":
        scale, digits = {"%": (100, 2), "%0": (100, 0), "%2": (1e4, 3)}[form]
        return f"{number * scale:.{digits}f}" + (" %" if form == "%0" else "")
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


def fill(text, folder):
    """The document with its tables made anew from the CSV files in `folder`."""
    def one(match):
        name, columns = TABLES[match.group(1)]
        return "\n".join([f"<!-- table {match.group(1)} -->", "", *table(folder / f"{name}.csv", columns), "",
                          "<!-- end -->"])
    return re.sub(r"<!-- table (\w+) -->\n.*?<!-- end -->", one, text, flags=re.S)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare only")
    parser.add_argument("paths", nargs="+", metavar="REPORT DOCUMENT")
    arguments = parser.parse_args()
    document = Path(arguments.paths[-1])
    folder, text = document.with_suffix(""), document.read_text(encoding="utf-8")
    if arguments.check:
        if fill(text, folder) != text:
            sys.exit(f"{document}: the tables are not those of {folder}")
        return
    report = Path(arguments.paths[0])
    folder.mkdir(exist_ok=True)
    for name in sorted({TABLES[name][0] for name in re.findall(r"<!-- table (\w+) -->", text)} | {"runs"}):
        shutil.copyfile(report / f"{name}.csv", folder / f"{name}.csv")
    for name in re.findall(rf"\({folder.name}/(plot_\w+)\.svg\)", text):
        shutil.copyfile(report / f"{name}.svg", folder / f"{name}.svg")
    document.write_text(fill(text, folder), encoding="utf-8")


if __name__ == "__main__":
    main()
