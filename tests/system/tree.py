"""The files of a source tree, for the rules of structure.py and registries.py."""

CODE = (".c", ".h", ".py", ".sh", ".cmake")


def code_files(root, folders):
    """Source files and scripts under the folders, fixtures left out."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if not path.is_file() or "__pycache__" in path.parts or "fixtures" in path.parts:
                continue
            script = path.suffix == "" and path.read_bytes()[:2] == b"#!"
            if path.suffix in CODE or path.name == "CMakeLists.txt" or script:
                yield path


def is_python(path):
    """Whether a file that code_files found is one of Python: by its ending, or as a script by its first line."""
    return path.suffix == ".py" or path.suffix == "" and "python" in lines(path)[0]


def lines(path):
    return path.read_text(encoding="utf-8").split("\n")
