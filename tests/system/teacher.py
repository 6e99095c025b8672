#!/usr/bin/env python3
"""Reads the logs and results of the runs that teacher.sh makes, with Python's standard library."""

import json


def rows(run):
    return [json.loads(line) for line in open(f"{run}/log.jsonl")]


def steps(run):
    return [row for row in rows(run) if "parameters" in row]


def evaluated(run):
    return sorted({row["model"] for row in rows(run) if "eval" in row})


def main():
    assert evaluated("plain") == ["student"]
    assert evaluated("se") == ["run", "student", "window"]
    assert evaluated("sda") == ["run", "student", "teacher", "window"]
    assert evaluated("sdv") == ["student", "teacher"]
    for run in ("sda", "sdv", "best"):
        first, *rest = steps(run)
        assert first["distance"] is None and first["weight"] == 0, first
        assert all(row["distance"] > 0 and row["weight"] == 1 for row in rest), rest
    assert steps("sda")[1]["distance"] == steps("sdv")[1]["distance"], "with one past student both are the same"
    assert steps("sda")[3]["distance"] != steps("sdv")[3]["distance"]

    result = json.load(open("best/result.json"))
    scores = [(row["error"], row["step"]) for row in rows("best") if row.get("model") == "teacher"]
    assert result["model"] == "teacher" and (result["dev"]["error"], result["step"]) == min(scores), (result, scores)
    print("ok   columns of the log, the best of the teachers")


main()
