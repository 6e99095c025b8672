#!/usr/bin/env python3
"""Rules about the source tree that a compiler does not check.

    structure.py check [--build DIR]      prints each violation as path:line: text; exit code 1 if there is one
    structure.py self-test [--build DIR]  plants a violation of each rule in a copy and expects it to be found
    structure.py table                    the table of modules as docs/design.md holds it

Python's standard library only."""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from prose import check_document_lines, check_glossary, check_sentences
from registries import (check_architectures, check_choices, check_citation, check_keys, check_models, check_run_files,
                        check_tasks, check_teacher_methods)
from tree import CODE, code_files, is_python, lines

# Who may include whose headers, besides its own. docs/design.md prints this table; `check` compares the two.
MAY_INCLUDE = {
    "base": [],
    "statistics": ["base"],
    "math": ["base"],
    "text": ["math", "base"],
    "task": ["math", "base"],
    "data": ["text", "task", "math", "base"],
    "model": ["data", "text", "task", "math", "base"],
    "learn": ["model", "data", "text", "task", "math", "base"],
    "store": ["learn", "model", "data", "text", "task", "math", "base"],
    "study": ["store", "model", "data", "task", "base"],
    "report": ["study", "store", "learn", "task", "statistics", "base"],
    "mpi": ["store", "learn", "model", "data", "text", "math", "base"],
    "run": ["mpi", "study", "store", "learn", "model", "data", "text", "task", "math", "base"],
    "cli": ["run", "mpi", "report", "study", "store", "learn", "model", "data", "text", "task", "math", "base"],
}
LONGEST = 600  # lines of a file
LONGEST_COMMAND = 150  # of a file of src/cli: arguments, a few calls, printing
WIDEST, DEEPEST = 120, 60  # columns of a line, lines of a function
# Modules whose inside headers and symbols keep the rules too.
STRICT = ["statistics", "task", "study", "report"]
# Where no line is wider.
NARROW = ["src", "mpi", "include", "tests", "examples", "cmake", "docs/howto", "CONTRIBUTING.md", "CHANGELOG.md"]
NARROW_PYTHON = [*NARROW, "launch", "datasets"]


def includes(path):
    """(line number, text between the quotes or brackets) of every #include."""
    for number, line in enumerate(lines(path), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            yield number, match.group(1) == "<", match.group(2)


def module_of(root, path):
    """The module that a source file or header belongs to; None outside of them."""
    parts = path.relative_to(root).parts
    if parts[0] == "include":
        return parts[2] if len(parts) > 3 else None
    if parts[0] == "src":
        return parts[1] if len(parts) > 2 else None
    return "mpi" if parts[0] == "mpi" else None


def check_mpi_header(root, _build):
    """mpi.h stays under mpi/, its header for callers, and its tests and benchmarks."""
    for path in code_files(root, ["src", "include", "tests", "mpi"]):
        place = path.relative_to(root)
        own = place.parts[0] == "mpi" or place.name == "caller.h"
        if own or place.parts[:2] in [("tests", "mpi"), ("tests", "bench")]:
            continue
        for number, _, name in includes(path):
            if name == "mpi.h":
                yield f"{place}:{number}: includes mpi.h, which only mpi/ may do"


def check_dependencies(root, build):
    """Modules include one way only."""
    generated = Path(build or "") / "generated"
    for path in code_files(root, ["src", "include", "mpi"]):
        place, module = path.relative_to(root), module_of(root, path)
        if path.suffix not in (".c", ".h") or module is None:
            continue
        if module not in MAY_INCLUDE:
            yield f"{place}:1: module {module} is not in the table of modules"
            continue
        for number, system, name in includes(path):
            if system:
                continue
            candidates = [path.parent / name, root / "include" / name, root / "src" / name,
                          root / "src" / "math" / name]
            target = next((c.resolve() for c in candidates if c.is_file()), None)
            if target is None and build and (generated / name).is_file():
                continue  # written by the build
            if target is None:
                yield f"{place}:{number}: \"{name}\" is no file of this tree; a library's header is written in <>"
                continue
            other = module_of(root.resolve(), target)
            if other is None:
                yield f"{place}:{number}: \"{name}\" belongs to no module"
            elif other != module and other not in MAY_INCLUDE[module]:
                yield (f"{place}:{number}: {module} includes {name}; "
                       f"it may include {', '.join(MAY_INCLUDE[module]) or 'nothing'}")


def check_table(root, _build):
    """docs/design.md holds the table of modules."""
    if table() not in (root / "docs/design.md").read_text(encoding="utf-8"):
        yield "docs/design.md:1: does not hold the table of modules as `structure.py table` prints it"


def check_length(root, _build):
    """No long files."""
    for path in code_files(root, ["src", "mpi", "include", "tests", "launch"]):
        count = path.read_text(encoding="utf-8").count("\n")
        most = LONGEST_COMMAND if path.relative_to(root).parts[:2] == ("src", "cli") else LONGEST
        if count > most:
            yield f"{path.relative_to(root)}:{count}: has {count} lines; the limit is {most}"


def compile_flags(root, build):
    """Include folders of the build, so that headers find the libraries they need, and its instruction sets
    (-march=)."""
    database = Path(build or "") / "compile_commands.json"
    if not build or not database.is_file():
        raise SystemExit("structure.py: no compile_commands.json in the build folder; give it with --build")
    found, sets = [], [""]
    for entry in json.loads(database.read_text()):
        words = shlex.split(entry["command"])
        for word, following in zip(words, words[1:] + [""]):
            pair = [word, following] if word == "-isystem" else [word] if word.startswith("-I") else []
            if pair and str(Path(pair[-1].removeprefix("-I"))).startswith(str(root)):
                continue  # the tree's own folders are given below, as those of a copy differ
            if pair and pair not in found:
                found.append(pair)
            if word.startswith("-march=") and word not in sets:
                sets.append(word)
    return [word for pair in found for word in pair], sets


def check_headers_compile(root, build):
    """Every header compiles by itself, with one of the instruction sets that the build uses."""
    headers = [p for p in code_files(root, ["include", "src", "mpi", "tests"]) if p.suffix == ".h"]
    source = Path(build).resolve().parent.parent if build else root
    flags, sets = compile_flags(source, build)
    own = [f"-I{root / folder}" for folder in ("include", "src", "src/math", "tests", "tests/unit")]
    command = ["cc", "-std=gnu11", "-D_GNU_SOURCE", "-DAD_KERNEL_SET=v3", "-Wall", "-Wextra", "-Wstrict-prototypes",
               "-Werror", "-fsyntax-only", *own, *flags, "-x", "c", "-"]

    def compile_one(path):
        # Included twice: the guard is exercised as well. A typedef keeps the unit from being empty.
        text = f'#include "{path}"\n#include "{path}"\ntypedef int ad_not_empty;\n'
        for march in sets:
            result = subprocess.run([*command, *([march] if march else [])], input=text, capture_output=True, text=True)
            if result.returncode == 0:
                break
        return result

    foreign = re.compile(r"(arm_neon|immintrin)\.h: No such file")  # vectors of another CPU

    with ThreadPoolExecutor(2) as pool:
        for path, result in zip(headers, pool.map(compile_one, headers)):
            if result.returncode != 0 and not foreign.search(result.stderr):
                first = next((l for l in result.stderr.split("\n") if "error" in l), result.stderr.strip())
                yield f"{path.relative_to(root)}:1: does not compile alone: {first}"


def strict_files(root, suffixes):
    """The files of the strict modules, inside and public ones."""
    for module in STRICT:
        for path in code_files(root, [f"src/{module}", f"include/autodidact/{module}"]):
            if path.suffix in suffixes:
                yield path, path.relative_to(root)


def check_guards(root, _build):
    """Headers have an include guard named by their path."""
    inside = [path for path, place in strict_files(root, [".h"]) if place.parts[0] == "src"]
    for path in [*code_files(root, ["include"]), *inside]:
        place = path.relative_to(root / "include" if path.is_relative_to(root / "include") else root)
        guard = re.sub(r"[^A-Z0-9]", "_", str(place).upper())
        guard = guard if guard.startswith("AUTODIDACT_") else "AUTODIDACT_" + guard
        text = [l for l in re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S).split("\n")
                if l.strip()]
        if text[:2] != [f"#ifndef {guard}", f"#define {guard}"] or text[-1].split()[:1] != ["#endif"]:
            yield f"{path.relative_to(root)}:1: has no include guard named {guard} around everything"


def check_lines(root, _build):
    """No line is wider than a page shows, but rows of tables in documents."""
    held = [path for name in NARROW for path in [root / name, *(root / name).rglob("*")]
            if path.suffix in (".c", ".h", ".md")]
    held += [path for path in code_files(root, NARROW_PYTHON) if is_python(path)]
    for path in sorted(held):
        for number, line in enumerate(lines(path), 1):
            if len(line) > WIDEST and not (path.suffix == ".md" and line.startswith("|")):
                yield f"{path.relative_to(root)}:{number}: has {len(line)} columns; the limit is {WIDEST}"


def check_functions(root, _build):
    """No function is longer than a page shows."""
    for path in code_files(root, ["src", "mpi", "include", "examples", "tests"]):
        begin = 0
        for number, line in enumerate(lines(path) if path.suffix in (".c", ".h") else [], 1):
            if re.match(r"[A-Za-z].*[^:]$", line):
                begin = number
            if line == "}" and number - begin >= DEEPEST:
                yield (f"{path.relative_to(root)}:{begin}: a function of {number - begin + 1} lines; "
                       f"the limit is {DEEPEST}")


def check_symbols(root, _build):
    """Functions and data that the files of a module share begin with ad__, so that no program's names meet them."""
    shared = re.compile(r"(?!static\b|typedef\b|struct \w+ \{|enum\b)[a-z][\w\s*]*?\b\**(\w+)(?:\(|\[|;)")
    for path, place in strict_files(root, [".h"]):
        text = strip_code(path.read_text(encoding="utf-8")) if place.parts[0] == "src" else ""
        for number, line in enumerate(text.split("\n"), 1):
            match = shared.match(line)
            if match and not match.group(1).startswith("ad__"):
                yield f"{place}:{number}: {match.group(1)} does not begin with ad__"


def strip_code(text):
    """The text with the insides of comments and strings blanked, line structure kept. Comments become /.../."""
    def blank(match):
        found = match.group(0)
        if found.startswith("/"):
            return "/" + re.sub(r"[^\n]", ".", found[1:-1]) + "/"
        return found[0] + re.sub(r"[^\n]", " ", found[1:-1]) + found[-1]

    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"", blank, text, flags=re.S)


def check_comments(root, _build):
    """Every function of a public header, and every function pointer of a table, has a comment.

    It stands right above, at the end of the line, or above the group (lines without a blank one between them)."""
    begins = re.compile(
        r"^\s*(?!return\b|typedef\b|else\b)[A-Za-z_][\w\s*]*?\b\**(ad_\w+)\s*\(|^\s+[A-Za-z_][\w\s*]*\(\*(\w+)\)\s*\(")
    for path in code_files(root, ["include"]):
        raw, depth, documented = lines(path), 0, False
        for number, line in enumerate(strip_code(path.read_text(encoding="utf-8")).split("\n"), 1):
            stripped = line.strip()
            if stripped.startswith(("/.", ".", "*")) or stripped.endswith(("./", "/")):
                documented = True
            if stripped == "" or stripped.startswith("#"):
                documented = False
            match = begins.match(line) if depth == 0 or "(*" in line else None
            if match and not documented:
                yield (f"{path.relative_to(root)}:{number}: {match.group(1) or match.group(2)} has no comment: "
                       f"{raw[number - 1].strip()}")
            if not stripped.startswith("#"):
                depth += line.count("{") - line.count("}")


def check_tests_registered(root, build):
    """Every test of the folders is one of ctest's, and the other way round."""
    listed = subprocess.run(["ctest", "-N", "--test-dir", build], capture_output=True, text=True, check=True).stdout
    known = set(re.findall(r"Test\s+#\d+:\s+(\S+)", listed))
    expected = {"unit." + p.stem.removeprefix("test_") for p in (root / "tests/unit").glob("*.c")}
    expected |= {f"{kind}.{p.stem}" for kind in ("system", "mpi", "slurm")
                 for p in (root / "tests" / kind).glob("*.sh")}
    for path in (root / "tests/mpi").glob("test_*.c"):
        ranks = re.match(r"/\* ranks: ([0-9 ]+) \*/\n", path.read_text(encoding="utf-8"))
        for count in ranks.group(1).split() if ranks else ["?"]:
            expected.add(f"mpi.{path.stem.removeprefix('test_')}.{count}")
    for name in sorted(expected - known):
        yield f"tests:1: {name} has a file but is not in ctest"
    for name in sorted(n for n in known - expected if n.startswith(("unit.", "system.", "mpi.", "slurm."))):
        yield f"tests:1: {name} is in ctest but has no file"
    for path in sorted((root / "tests/unit").glob("*.c")):
        if not path.name.startswith("test_"):
            yield f"tests/unit/{path.name}:1: the name of a unit test begins with test_"


def check_one_format(root, _build):
    """The rows of a run's files are printed and read by src/store alone (store/rows.h); tests make them by it."""
    members = re.compile(r'\\"(eval|chain|macro_f1|best_scores|log_bytes|distance)\\"')
    own = ("src/store/rows.c", "src/store/run_state.c", "tests/unit/test_rows.c", "tests/unit/test_compare.c")
    for path in code_files(root, ["src", "mpi", "tests/unit", "tests/mpi", "tests/support"]):
        place = path.relative_to(root)
        for number, line in enumerate(lines(path), 1):
            match = members.search(line) if path.suffix in (".c", ".h") and str(place) not in own else None
            if match:
                yield f"{place}:{number}: has a row's {match.group(1)} as text; store/rows.h prints and reads rows"


def check_prefixes(root, _build):
    """What the libraries show to a linker begins with ad_, in the modules that keep to that."""
    for path in code_files(root, ["src/run"]):
        if path.suffix != ".c":
            continue
        text = strip_code(path.read_text(encoding="utf-8"))
        for match in re.finditer(r"^(?!static\b|typedef\b|enum\b[^(]*\{|struct\b[^(]*\{)[a-z][\w \*]*?\b(\w+)\(", text,
                                 re.M):
            if not match.group(1).startswith("ad_"):
                line = text.count("\n", 0, match.start()) + 1
                yield f"{path.relative_to(root)}:{line}: {match.group(1)} is neither static nor begins with ad_"


def check_marks(root, _build):
    """Nothing is left for later."""
    marks = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]) + r")\b")
    documents = [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]
    for path in [*code_files(root, ["src", "mpi", "include", "tests", "launch", "cmake"]), *documents]:
        for number, line in enumerate(lines(path), 1):
            # The mark of a word to fill in, as mktemp takes it, is no mark of work left.
            match = marks.search(line)
            if match:
                yield f"{path.relative_to(root)}:{number}: {match.group(0)}"


def check_documents(root, _build):
    """Links between the documents lead somewhere, and the tables of the READMEs have every command."""
    for path in [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md")),
                 *sorted((root / "datasets").glob("*.md"))]:
        for number, line in enumerate(lines(path), 1):
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", line):
                if not (path.parent / target).exists():
                    yield f"{path.relative_to(root)}:{number}: there is no {target}"
    commands = re.findall(r"^\s*X\((\w+),", (root / "src/cli/commands.h").read_text(encoding="utf-8"), re.M)
    for file in ("README.md", "README.ko.md"):
        readme = (root / file).read_text(encoding="utf-8")
        for name in commands:
            if not re.search(rf"^\| `{name}\b", readme, re.M):
                yield f"{file}:1: the table of commands has no {name}"


def check_fast_math(root, _build):
    """The arithmetic is the one of the standard."""
    flags = re.compile("-f" + "fast-math|-O" + "fast|-f" + "unsafe-math|-f"
                       + "associative-math|-ffp-contract=f" + "ast")
    build_files = [root / "CMakeLists.txt", root / "CMakePresets.json"]
    for path in [*build_files, *code_files(root, ["src", "mpi", "include", "tests", "launch", "cmake"])]:
        for number, line in enumerate(lines(path), 1):
            if flags.search(line):
                yield f"{path.relative_to(root)}:{number}: {flags.search(line).group(0)} changes the arithmetic"


def check_process_and_memory(root, _build):
    """Nothing in the libraries ends the process (mpi/ owns the one abort, base/guard.c its child), and memory goes
    through base/memory.h."""
    ends = re.compile(r"(?<![\w.>])(exit|_exit|_Exit|quick_exit|abort)\s*\(")
    takes = re.compile(r"(?<![\w.>])(malloc|calloc|realloc|aligned_alloc|posix_memalign|strdup|strndup|asprintf)\s*\(")
    for path in code_files(root, ["src", "mpi"]):
        place = path.relative_to(root)
        if path.suffix not in (".c", ".h"):
            continue
        for number, line in enumerate(strip_code(path.read_text(encoding="utf-8")).split("\n"), 1):
            if (ends.search(line) and place.parts[:2] != ("src", "cli")
                    and str(place) not in ("mpi/runtime.c", "src/base/guard.c")):
                yield f"{place}:{number}: ends the process: {line.strip()}"
            if takes.search(line) and str(place) != "src/base/memory.c":
                yield f"{place}:{number}: memory that base/memory.h does not count: {line.strip()}"


def check_one_parser(root, _build):
    """JSON is read by base/json.h alone, so that all of it gives the same messages."""
    for path in code_files(root, ["src", "mpi"]):
        place = path.relative_to(root)
        for number, line in enumerate(strip_code(path.read_text(encoding="utf-8")).split("\n"), 1):
            if (path.suffix in (".c", ".h") and re.search(r"\bjson_load\w*\s*\(", line)
                    and str(place) != "src/base/json.c"):
                yield f"{place}:{number}: parses JSON past base/json.h: {line.strip()}"


def check_one_voice(root, _build):
    """What goes to a terminal goes through base/log.h, the commands of src/cli, or the report of a data set."""
    prints = re.compile(r"(?<![\w.>])(v?f?printf|f?puts|putchar|fputc|perror|psignal)\s*\(|\bstderr\b")
    for path in code_files(root, ["src", "mpi"]):
        place = path.relative_to(root)
        speaks = (place.parts[:2] == ("src", "cli")
                  or str(place) in ("src/base/log.c", "src/data/report.c", "src/store/run.c"))
        text = "" if speaks or path.suffix not in (".c", ".h") else strip_code(path.read_text(encoding="utf-8"))
        for number, line in enumerate(text.split("\n"), 1):
            if prints.search(line):
                yield f"{place}:{number}: speaks past base/log.h: {line.strip()}"


def check_used_results(root, _build):
    """The compiler looks at the results of all functions of HDF5 that are called."""
    known = set(re.findall(r"X\((H5\w+)\)", (root / "cmake/used_results.h").read_text(encoding="utf-8")))
    for path in code_files(root, ["src", "mpi"]):
        text = strip_code(path.read_text(encoding="utf-8")) if path.suffix in (".c", ".h") else ""
        for number, line in enumerate(text.split("\n"), 1):
            for name in set(re.findall(r"\b(H5[A-Z]{1,2}[a-z]\w*)\s*\(", line)) - known:
                yield f"{path.relative_to(root)}:{number}: cmake/used_results.h has no {name}"


def check_environment(root, _build):
    """Kernels and products are chosen once: below study nothing else looks at the environment."""
    reads = re.compile(r"(?<![\w.>])(secure_)?getenv\s*\(|\benviron\b")
    for path in code_files(root, [f"src/{module}"
                                  for module in ("base", "math", "text", "task", "data", "model", "learn", "store")]):
        if path.suffix in (".c", ".h") and path != root / "src/math/context.c":
            for number, line in enumerate(strip_code(path.read_text(encoding="utf-8")).split("\n"), 1):
                if reads.search(line):
                    yield (f"{path.relative_to(root)}:{number}: looks at the environment, which math/context.c does: "
                           f"{line.strip()}")


CHECKS = [check_mpi_header, check_dependencies, check_table, check_length, check_headers_compile, check_guards,
          check_lines, check_functions, check_symbols, check_comments,
          check_tests_registered, check_marks, check_documents, check_fast_math, check_process_and_memory,
          check_one_parser, check_one_voice, check_used_results, check_one_format, check_prefixes,
          check_environment, check_teacher_methods, check_keys, check_choices, check_citation, check_run_files,
          check_architectures, check_models, check_tasks, check_sentences, check_document_lines, check_glossary]


def table():
    """The table of modules in Markdown."""
    rows = ["| module | may include |", "|---|---|"]
    rows += [f"| `{name}` | {', '.join(f'`{o}`' for o in others) or 'nothing'} |"
             for name, others in MAY_INCLUDE.items()]
    return "\n".join(rows) + "\n"


def check(root, build):
    found = 0
    for rule in CHECKS:
        violations = list(rule(root, build))
        found += len(violations)
        print(f"{'FAIL' if violations else 'ok  '} {rule.__name__.removeprefix('check_')}: "
              f"{rule.__doc__.split(chr(10))[0]}")
        for violation in violations:
            print(f"  {violation}")
    return found


# (rule, file, text added to its end or a function of its text, what the violation must say)
def swap(old, new):
    def edit(text):
        if old not in text:
            raise SystemExit(f"structure.py: the self-test expects {old!r} in the file it edits")
        return text.replace(old, new, 1)
    return edit


PLANTS = [
    (check_mpi_header, "src/base/log.c", "#include <mpi.h>\n", "includes mpi.h"),
    (check_mpi_header, "tests/unit/test_base.c", "# include <mpi.h>\n", "includes mpi.h"),
    (check_dependencies, "src/base/log.c", '#include "autodidact/model/params.h"\n', "base includes"),
    (check_dependencies, "include/autodidact/text/tokenizer.h", '#include "autodidact/model/params.h"\n',
     "text includes"),
    (check_dependencies, "src/statistics/power.c", '#include "autodidact/store/lease.h"\n', "statistics includes"),
    (check_dependencies, "src/study/plan.c", '#include "autodidact/report/report.h"\n', "study includes"),
    (check_dependencies, "src/model/params.c", '#include "../cli/planted.h"\n', "is no file"),
    (check_dependencies, "src/planted/new.c", '#include "autodidact/base/log.h"\n', "not in the table"),
    (check_table, "docs/design.md", swap("| `base` | nothing |", "| `base` | `math` |"), "does not hold"),
    (check_length, "src/base/log.c", "\n" * (LONGEST + 1), "the limit is"),
    (check_length, "src/cli/planted.c", "\n" * (LONGEST_COMMAND + 1), "the limit is"),
    (check_length, "launch/planted", "#!/bin/sh\n" * (LONGEST + 1), "the limit is"),
    (check_headers_compile, "include/autodidact/base/log.h", swap("#endif", "size_t ad_planted(FILE *f);\n#endif"),
     "compile alone"),
    (check_headers_compile, "include/autodidact/base/log.h", swap("#endif", "int ad_planted();\n#endif"),
     "compile alone"),
    (check_guards, "include/autodidact/base/log.h", swap("#ifndef AUTODIDACT_BASE_LOG_H", "#ifndef LOG_H"),
     "no include guard"),
    (check_guards, "include/autodidact/base/log.h", "int ad_after_the_guard(void);\n", "no include guard"),
    (check_guards, "src/report/document.h", swap("#ifndef AUTODIDACT_SRC_", "#ifndef AUTODIDACT_"), "no include guard"),
    (check_lines, "src/study/plan.c", f"/* {'a' * WIDEST} */\n", "columns; the limit is"),
    (check_lines, "docs/howto/planted.md", "a" * WIDEST + "a\n", "columns; the limit is"),
    (check_lines, "tests/parity/planted.py", f"# {'a' * WIDEST}\n", "columns; the limit is"),
    (check_lines, "launch/planted", f"#!/usr/bin/env python3\n# {'a' * WIDEST}\n", "columns; the limit is"),
    (check_functions, "src/cli/planted.c", "int ad_planted(void)\n{" + "\n" * DEEPEST + "}\n", "a function of"),
    (check_functions, "tests/unit/test_base.c", "int planted(void)\n{" + "\n" * DEEPEST + "}\n", "a function of"),
    (check_symbols, "src/report/document.h", swap("#endif", "int planted(void);\n#endif"), "planted does not begin"),
    (check_symbols, "src/report/document.h", swap("#endif", "extern const int planted[3];\n#endif"),
     "planted does not begin"),
    (check_comments, "include/autodidact/base/log.h", swap("#endif", "int ad_planted(void);\n\n#endif"),
     "ad_planted has no comment"),
    (check_comments, "include/autodidact/base/log.h",
     swap("#endif", "static inline int ad_planted(int x) { return x; }\n#endif"), "ad_planted has no comment"),
    (check_comments, "include/autodidact/base/log.h",
     swap("#endif", "struct ad_p {\n  int x; /* fine */\n\n  void (*planted)(int a,\n                  int b);\n};\n"
                    "#endif"), "planted has no"),
    (check_tests_registered, "tests/unit/test_planted.c", "int main(void) { return 0; }\n", "not in ctest"),
    (check_tests_registered, "tests/mpi/test_planted.c", "/* ranks: 2 */\nint main(void) { return 0; }\n",
     "mpi.planted.2 has a file"),
    (check_tests_registered, "tests/slurm/planted.sh", "", "slurm.planted has a file"),
    (check_tests_registered, "tests/unit/planted.c", "int main(void) { return 0; }\n", "begins with test_"),
    (check_marks, "src/base/log.c", "/* TO" + "DO: later */\n", "TO" + "DO"),
    (check_citation, "CITATION.cff", swap("version: 0.", "version: 9."), "has not the version"),
    (check_marks, "launch/planted", "#!/bin/sh\n# FIX" + "ME\n", "FIX" + "ME"),
    (check_documents, "README.md", "[planted](docs/planted.md)\n", "there is no docs/planted.md"),
    (check_documents, "docs/howto/README.md", "[planted](planted.md)\n", "there is no planted.md"),
    (check_documents, "README.ko.md", swap("| `runs ", "| `run "), "the table of commands has no runs"),
    (check_documents, "src/cli/commands.h", "  X(planted, 0, \"\", \"\")\n", "has no planted"),
    (check_fast_math, "CMakeLists.txt", "add_compile_options(-f" + "fast-math)\n", "changes the arithmetic"),
    (check_process_and_memory, "src/base/log.c", "void f(void) { exit(1); }\n", "ends the process"),
    (check_process_and_memory, "src/model/params.c", "void *f(void) { return malloc(1); }\n", "does not count"),
    (check_one_parser, "src/model/params.c", "void *f(void) { return json_loads(0, 0, 0); }\n", "past base/json.h"),
    (check_one_voice, "src/model/params.c", 'void f(void) { printf("x"); }\n', "past base/log.h"),
    (check_one_format, "src/run/stop.c", 'const char planted[] = "{\\"eval\\":1}";\n', "has a row's eval"),
    (check_prefixes, "src/run/stop.c", "int planted(void) {\n  return 0;\n}\n", "planted is neither static"),
    (check_environment, "src/learn/trainer.c", 'int f(void) { return getenv("A") != 0; }\n',
     "looks at the environment"),
    (check_teacher_methods, "src/learn/trainer.c", "int f(int m) { return m == AD_TEACHER_SDA; }\n",
     "names a teacher method"),
    (check_teacher_methods, "src/cli/train.c", "static const char text[] = \"teacher.method=sda\";\n",
     "names a teacher method"),
    (check_teacher_methods, "include/autodidact/base/teacher_methods.h", swap("  X(SE,    se,", "  X(NEW,   new,"),
     "new.c:1: is no file"),
    (check_keys, "src/run/stop.c", 'static const char *const planted[] = {"optim.lr", "optim.clip"};\n', "lists keys"),
    (check_keys, "src/run/stop.c", 'int f(const char *key) { return strcmp(key, "run.dir"); }\n', "compares a name"),
    (check_keys, "src/run/stop.c", 'int f(const char *key) { return strncmp(key, "seed.", 5); }\n', "compares a name"),
    (check_choices, "src/run/stop.c", "int f(int x) { return g((enum ad_variant)x); }\n", "casts a choice"),
    (check_choices, "src/run/stop.c", "int f(const struct ad_config *c) { return c->run_select == 1; }\n",
     "casts a choice"),
    (check_run_files, "src/run/stop.c", 'const char planted[] = "log.jsonl";\n', "has log.jsonl as text"),
    (check_run_files, "docs/user-guide.md", swap("| `timing.jsonl`", "| `times.jsonl`"), "has no timing.jsonl"),
    (check_architectures, "src/learn/trainer.c", "int f(int a) { return a == AD_ARCHITECTURE_BERT; }\n",
     "names an architecture"),
    (check_architectures, "src/store/run.c", "static const char word[] = \"bert.embeddings.word_embeddings.weight\";\n",
     "names an architecture"),
    (check_architectures, "include/autodidact/model/architectures.h", swap("X(BERT, bert)", "X(NEW, new)"),
     "new:1: is no folder"),
    (check_models, "docs/models.md", swap("| `bert` |", "| `bart` |"), "bert is not there"),
    (check_models, "docs/models.md", swap("`encoder-cls-tanh`", "`encoder-none`"), "no test encoder-none"),
    (check_models, "include/autodidact/text/tokenizer_kinds.h", swap('"WordPiece", "vocab.txt"', '"New", "new.txt"'),
     "New is not there"),
    (check_models, "launch/get-model", swap("optional=(vocab.txt", "optional=("), "neither fetches vocab.txt"),
    (check_models, "README.md", swap("**The models** are BERT", "**The models** are"), "does not name BERT"),
    (check_tasks, "src/learn/trainer.c", "const void *planted(void) { return &ad_task_classification; }\n",
     "names a task"),
    (check_tasks, "include/autodidact/task/tasks.h", swap("  X(classification)", "  X(tagging)"),
     "tagging.c:1: is no file"),
    (check_sentences, "docs/slurm.md", "\n" + "word " * 41 + "end.\n", "a sentence of 42 words"),
    (check_sentences, "docs/slurm.md", "\n| a | " + "word, " * 41 + "|\n", "a sentence of 41 words"),
    (check_sentences, "include/autodidact/base/log.h", f"/* {'word' + chr(10) + ' * word ' * 40} */\n",
     "a sentence of 41 words"),
    (check_document_lines, "README.md", "word " * 25 + "\n", "has 125 columns"),
    (check_glossary, "include/autodidact/base/log.h", "/* Of a shard. */\n", "uses shard"),
    (check_glossary, "docs/glossary.md", "| planted | | `base/planted.h` |\n", "there is no base/planted.h"),
    (check_used_results, "src/store/hdf5_file.c", "void f(void) { H5Fplanted(0); }\n", "has no H5Fplanted"),
]


def self_test(root, build):
    failures, before = 0, {}
    for rule, name, change, expected in PLANTS:
        if rule not in before:
            before[rule] = set(rule(root, build))
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "tree"
            copy.mkdir()
            for part in ("src", "mpi", "include", "tests", "launch", "cmake", "docs", "datasets", "examples"):
                shutil.copytree(root / part, copy / part, ignore=shutil.ignore_patterns("fixtures", "__pycache__"))
            for path in [p for p in root.iterdir() if p.is_file() and not p.name.startswith(".")]:
                shutil.copy(path, copy / path.name)
            target = copy / name
            target.parent.mkdir(parents=True, exist_ok=True)
            text = target.read_text(encoding="utf-8") if target.exists() else ""
            target.write_text(change(text) if callable(change) else text + change, encoding="utf-8")
            found = [v for v in rule(copy, build) if expected in v and v not in before[rule]]
        if not found:
            failures += 1
        print(f"{'ok  ' if found else 'FAIL'} {rule.__name__.removeprefix('check_')} "
              f"sees the violation planted in {name}")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["check", "self-test", "table"])
    parser.add_argument("--build", help="a configured build folder (for ctest and the libraries' headers)")
    arguments = parser.parse_args()
    root = Path(__file__).resolve().parent.parent.parent
    if arguments.mode == "table":
        print(table(), end="")
        return 0
    build = os.path.abspath(arguments.build) if arguments.build else None
    failures = check(root, build) if arguments.mode == "check" else self_test(root, build)
    print(f"structure.py {arguments.mode}: {failures} failed" if failures
          else f"structure.py {arguments.mode}: all passed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
