"""Rules about closed sets, which structure.py runs: each set is listed once, and its members are named in their own
files."""

import re

from tree import code_files, lines


def named_elsewhere(root, named, own, what, text_of=lambda path: path.read_text(encoding="utf-8")):
    """Lines outside of `own`, files and folders, in which the pattern finds a member of a set."""
    for path in code_files(root, ["src", "mpi", "include"]):
        if path.suffix in (".c", ".h") and not any(path.is_relative_to(place) for place in own):
            for number, line in enumerate(text_of(path).split("\n"), 1):
                if named.search(line):
                    yield f"{path.relative_to(root)}:{number}: names {what}: {line.strip()}"


def without_comments(path):
    text = path.read_text(encoding="utf-8")
    return re.sub(r"/\*.*?\*/", lambda found: "\n" * found.group().count("\n"), text, flags=re.S)


def check_teacher_methods(root, _build):
    """A teacher method is named by its own file and the registry alone."""
    registry = root / "include/autodidact/base/teacher_methods.h"
    methods = re.findall(r"^  X\((\w+), +(\w+),", registry.read_text(encoding="utf-8"), re.M)
    if not methods:
        yield f"{registry.relative_to(root)}:1: holds no line of a method"
    names = "|".join(name for pair in methods for name in pair)
    named = re.compile(rf"\b(?:AD_TEACHER|ad_teacher)_(?:{names})\b|teacher\.method!?=\w")
    own = {root / f"src/learn/teacher/{name}.c" for _, name in methods} | {registry}
    yield from named_elsewhere(root, named, own, "a teacher method")
    for path in sorted(own):
        if not path.is_file():
            yield f"{path.relative_to(root)}:1: is no file; each method has one"


def check_keys(root, _build):
    """Keys of the configuration are listed in base/config.h alone: what treats keys alike asks for their role
    (base/roles.h)."""
    config = root / "include/autodidact/base/config.h"
    keys = re.findall(r'^  X\(\w+, \w+, \w+, "([a-z0-9_.]+)"', config.read_text(encoding="utf-8"), re.M)
    if not keys:
        yield f"{config.relative_to(root)}:1: holds no line of a key"
    literal = re.compile("|".join(f'"{re.escape(key)}"' for key in keys))
    sections = "|".join(sorted({key.split(".")[0] for key in keys}))
    compared = re.compile(rf'\bstrn?cmp\((?:[^;"]|"[^"]*",)*?({literal.pattern}|"(?:{sections})\.")')
    for path in code_files(root, ["src", "mpi", "include"]):
        place = path.relative_to(root)
        # Names of other programs stand beside the keys that they mean.
        if (path.suffix not in (".c", ".h")
                or str(place) in ("include/autodidact/base/config.h", "src/base/config_names.c")):
            continue
        text = path.read_text(encoding="utf-8")
        for match in re.finditer(r"=\s*\{.*?\};", text, re.S):
            if len(set(literal.findall(match.group(0)))) > 1:
                yield f"{place}:{text.count(chr(10), 0, match.start()) + 1}: lists keys of the configuration"
        for match in compared.finditer(text):
            yield f"{place}:{text.count(chr(10), 0, match.start()) + 1}: compares a name with {match.group(1)}"


def check_citation(root, _build):
    """CITATION.cff has authors, a date and the version of CMakeLists.txt; `autodidact --cite` prints them."""
    text = (root / "CITATION.cff").read_text(encoding="utf-8")
    version = re.search(r"^project\(autodidact VERSION ([0-9.]+)",
                        (root / "CMakeLists.txt").read_text(encoding="utf-8"), re.M)
    number = re.escape(version.group(1) if version else "?")
    for what, wanted in [("the version of CMakeLists.txt", f"version: {number}"),
                         ("a date", r"date-released: \d{4}-[01]\d-[0-3]\d"),
                         ("authors", r"authors:\n  - (name|family-names): \S.*")]:
        if not re.search(rf"^{wanted}$", text, re.M):
            yield f"CITATION.cff:1: has not {what}"


def check_choices(root, _build):
    """Choices, variants, splits and activations are constants of their enums: no casts, no numbers."""
    sets = re.findall(r"^#define AD_SET_(\w+)\(X\)",
                      (root / "include/autodidact/base/choices.h").read_text(encoding="utf-8"), re.M)
    config = (root / "include/autodidact/base/config.h").read_text(encoding="utf-8")
    fields = re.findall(r"^  X\(CHOICE, \w+, (\w+),", config, re.M)
    if not sets or not fields:
        yield "include/autodidact/base/choices.h:1: holds no set, or config.h no choice"
    cast = re.compile(rf"(?<!sizeof)\(enum ad_(?:{'|'.join(sets + ['split', 'activation', 'role', 'identity'])})\)")
    number = re.compile(rf"\b(?:{'|'.join(fields)})\s*[=!]=\s*\d")
    for path in code_files(root, ["src", "mpi"]):
        for number_of, line in enumerate(lines(path), 1):
            if path.suffix in (".c", ".h") and (cast.search(line) or number.search(line)):
                yield (f"{path.relative_to(root)}:{number_of}: casts a choice or compares it with a number: "
                       f"{line.strip()}")


def check_run_files(root, _build):
    """The names in a run's folder are text in store/run_files.h alone, and the user guide's table has each."""
    text = (root / "include/autodidact/store/run_files.h").read_text(encoding="utf-8")
    files = re.findall(r'^  X\(AD_RUN_FILE_\w+, "([^"]+)"', text, re.M)
    folders = re.findall(r'^  X\(AD_RUN_FOLDER_\w+, "([^"]+)"', text, re.M)
    if not files or not folders:
        yield "include/autodidact/store/run_files.h:1: holds no files, or no folders"
    named = re.compile(rf'"(?:[^" ]*/)?({"|".join(map(re.escape, files))})"')
    for path in code_files(root, ["src", "mpi", "include"]):
        for number, line in enumerate(lines(path), 1):
            match = named.search(line) if path.suffix in (".c", ".h") and path.name != "run_files.h" else None
            if match and not line.lstrip().startswith(("*", "/*")):
                yield f"{path.relative_to(root)}:{number}: has {match.group(1)} as text; store/run_files.h names it"
    guide = (root / "docs/user-guide.md").read_text(encoding="utf-8")
    for name in files + [f"{folder}/" for folder in folders]:
        if not re.search(rf"^\| .*`{re.escape(name)}", guide, re.M):
            yield f"docs/user-guide.md:1: the table of a run's folder has no {name}"


def check_architectures(root, _build):
    """An architecture is named by its own folder and the registry alone."""
    registry = root / "include/autodidact/model/architectures.h"
    names = re.findall(r"^  X\(\w+, +(\w+)\)", registry.read_text(encoding="utf-8"), re.M)
    if not names:
        yield f"{registry.relative_to(root)}:1: holds no line of an architecture"
    one = "|".join(names)
    named = re.compile(
        rf"\b(?:ad_architecture|ad_)_(?:{one})(?:_|\b)|\bmodel/(?:{one})/|\"(?:{one})(?:[.\"]|For|Model)", re.I)
    own = [root / f"src/model/{name}" for name in names]
    # Comments may name one: "as BERT's".
    yield from named_elsewhere(root, named, [*own, registry], "an architecture", without_comments)
    for folder in own:
        if not folder.is_dir():
            yield f"{folder.relative_to(root)}:1: is no folder; each architecture has one"


def architectures(root):
    """{model_type: title} of all tables."""
    found = {}
    registry = (root / "include/autodidact/model/architectures.h").read_text(encoding="utf-8")
    for name in re.findall(r"^  X\(\w+, +(\w+)\)", registry, re.M):
        text = "\n".join(path.read_text(encoding="utf-8") for path in sorted((root / f"src/model/{name}").glob("*.c")))
        title = re.search(r'\.title = "([^"]+)"', text)
        types = re.findall(r'\.model_type = "([^"]+)"', text)
        for block in re.findall(r"struct ad__model_type \w+\[\] = \{(.*?)\};", text, re.S):
            types += re.findall(r'\{"([^"]+)", *"', block)
        found |= {kind: title.group(1) if title else "" for kind in types or [name]}
    return found


def table_of(root, heading):
    """(line number, cells) of each row of the table below a heading of docs/models.md."""
    inside = False
    for number, line in enumerate(lines(root / "docs/models.md"), 1):
        inside = line == f"## {heading}" or inside and not line.startswith("## ")
        if inside and line.startswith("| `"):
            yield number, [cell.strip() for cell in line.strip("|").split("|")]


def check_models(root, _build):
    """docs/models.md has what the registries of architectures and tokenizers have, each with tests that exist. The
    README names each architecture, and launch/get-model fetches each tokenizer's file or says why not."""
    place = "docs/models.md"
    kinds = dict(re.findall(r'^  X\(\w+, +"([^"]+)", +"([^"]+)"',
                            (root / "include/autodidact/text/tokenizer_kinds.h").read_text(encoding="utf-8"), re.M))
    golden = (root / "tests/golden/golden.json").read_text(encoding="utf-8")
    for heading, expected in (("Architectures", architectures(root)),
                              ("Tokenizers", {kind: f"`{file}`" for kind, file in kinds.items()})):
        rows = list(table_of(root, heading))
        found = {cells[0].strip("`"): cells[1] for _, cells in rows}
        if not expected:
            yield f"{place}:1: the registry for \"{heading}\" has no lines that this rule understands"
        for name in sorted(found.keys() | expected.keys()):
            if found.get(name) != expected.get(name):
                yield (f"{place}:1: {heading}: {name} is {found.get(name, 'not there')}, the registry has "
                       f"{expected.get(name, 'none such')}")
        for number, cells in rows:
            tests = re.findall(r"`([^`]+)`", cells[-1])
            for test in tests:
                files = [f"tests/unit/test_{test.removeprefix('unit.')}.c", f"tests/parity/data/{test}.h5",
                         f"tests/parity/data/{test}.json"]
                if not (f'"{test}": {{' in golden or any((root / file).is_file() for file in files)):
                    yield f"{place}:{number}: there is no test {test}"
            if not tests:
                yield f"{place}:{number}: names no test"
    readme = re.search(r"^\*\*The models\*\* .*?(?=\n\n)", (root / "README.md").read_text(encoding="utf-8"),
                       re.M | re.S)
    for title in sorted(set(architectures(root).values())):
        if readme is None or not re.search(rf"\b{re.escape(title)}\b", readme.group(0)):
            yield f"README.md:1: the paragraph **The models** does not name {title}"
    script = (root / "launch/get-model").read_text(encoding="utf-8")
    fetched = re.search(r"^optional=\((.*?)\)", script, re.M | re.S)
    refused = re.findall(r"[\w.]+\.model\b", script)
    for file in kinds.values():
        if fetched is None or file not in fetched.group(1).split() + refused:
            yield f"launch/get-model:1: neither fetches {file} nor says why not"


def check_tasks(root, _build):
    """A task is named by its own file and the registry alone, but for the words of other programs."""
    registry = root / "include/autodidact/task/tasks.h"
    tasks = re.findall(r"^  X\((\w+)\)", registry.read_text(encoding="utf-8"), re.M)
    if not tasks:
        yield f"{registry.relative_to(root)}:1: holds no line of a task"
    named = re.compile(rf"\bad_task_(?:{'|'.join(tasks)})\b|\"(?:{'|'.join(tasks)})\"")
    own = {root / f"src/task/{name}.c" for name in tasks} | {registry}
    foreign = {root / "src/base/config_names.c", root / "src/cli/foreign.c"}
    yield from named_elsewhere(root, named, own | foreign, "a task")
    for path in sorted(own):
        if not path.is_file():
            yield f"{path.relative_to(root)}:1: is no file; each task has one"
