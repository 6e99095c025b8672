#!/usr/bin/env python3
"""Runs a part of the table of bad inputs (bad_inputs_table.py, bad_inputs_models.py) against a program.

    bad_inputs.py PROGRAM PART [NAME]    train: what this command refuses; commands: what others do; models: folders of
                                         models; only the rows whose name contains NAME

Each row gets its own copy of a valid model, data set, configuration and finished run (tiny.py), breaks one thing, and
states the exit code and what the message must say. Any end by a signal, any exit code of 99 (a sanitizer) or from 128,
any sanitizer report, and any output file that exists although the command failed is a failure. First, every command is
run on the unbroken input and must succeed, so that a row cannot pass for the wrong reason."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bad_inputs_bpe  # which adds its rows
import bad_inputs_models
import bad_inputs_numbers  # and this
import bad_inputs_sets  # and this
import bad_inputs_table
import bad_inputs_unigram  # so does this
import tiny

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))

REPORT = re.compile(r"Sanitizer|runtime error:|Segmentation fault|Assertion .* failed|stack smashing|free\(\): invalid")
TIME_LIMIT = 120  # seconds


def run(program, work, arguments, stdin=None, stdout=None, environment=None):
    """The finished process, its standard error as text (bytes that are no UTF-8 are shown as \\x..)."""
    sink = open(stdout, "wb") if stdout else subprocess.PIPE
    try:
        return subprocess.run([program, *arguments], cwd=work, input=stdin or b"", stdout=sink, stderr=subprocess.PIPE,
                              timeout=TIME_LIMIT, check=False, env={**os.environ, **(environment or {})})
    finally:
        if stdout:
            sink.close()


def faults(row, result, work):
    """What is wrong with the way the program took this row."""
    message = result.stderr.decode("utf-8", "backslashreplace")
    found = []
    if result.returncode != row.code:
        found.append(f"exit code {result.returncode}, expected {row.code}")
    if result.returncode < 0 or result.returncode == 99 or result.returncode >= 128:
        found.append("ended by a signal or a sanitizer")
    if REPORT.search(message):
        found.append("a sanitizer or the C library reported")
    for pattern in row.patterns:
        if not re.search(pattern, message):
            found.append(f"the message does not match /{pattern}/")
    for name in row.absent:
        if os.path.lexists(work / name):
            found.append(f"{name} was left behind")
    return found, message


def check_once(program, base, row, environment):
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "w"
        shutil.copytree(base, work)
        for inputs in work.glob("*/inputs.json"):  # as if the runs were trained here
            inputs.write_text(inputs.read_text().replace(str(base), str(work)))
        if row.make:
            row.make(work)
        try:
            result = run(program, work, row.command, row.stdin, row.stdout, {**(row.environment or {}), **environment})
        except subprocess.TimeoutExpired:
            return [f"still running after {TIME_LIMIT} s"], ""
        return faults(row, result, work)


def check_row(program, base, row):
    """A report of a sanitizer is made once more, with the names of functions."""
    found, message = check_once(program, base, row, {})
    if found and REPORT.search(message):
        options = os.environ.get("ASAN_OPTIONS", "") + ":symbolize=1"
        message = check_once(program, base, row, {"ASAN_OPTIONS": options.lstrip(":")})[1] or message
    return found, message


def parts():
    """The rows of the table by the test that runs them."""
    rows = bad_inputs_table.ROWS
    return {"train": [row for row in rows if row.command[:1] == ["train"]],
            "commands": [row for row in rows if row.command[:1] != ["train"]], "models": bad_inputs_models.ROWS}


def main():
    if len(sys.argv) not in (3, 4) or sys.argv[2] not in parts():
        sys.exit(__doc__)
    program, only = os.path.abspath(sys.argv[1]), sys.argv[3] if len(sys.argv) == 4 else ""
    rows = [row for row in parts()[sys.argv[2]] if only in row.name]
    names = [row.name for part in parts().values() for row in part]
    if len(set(names)) != len(names) or not rows:
        sys.exit("bad_inputs.py: doubled names in the table, or no row of that name")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        tiny.write_all(base)
        for name, arguments in bad_inputs_table.GOOD:
            result = run(program, base, arguments)
            if result.returncode != 0:
                sys.exit(f"bad_inputs.py: {name} fails on the unbroken input: {result.stderr.decode(errors='replace')}")
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            results = list(pool.map(lambda row: check_row(program, base, row), rows))
        for row, (found, message) in zip(rows, results):
            failed += bool(found)
            print(f"{'FAIL' if found else 'ok  '} {row.name}")
            for fault in found:
                print(f"     {fault}")
            if found:
                print("     " + message.strip().replace("\n", "\n     "))
    print(f"{len(rows)} bad inputs, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
