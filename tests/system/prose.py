#!/usr/bin/env python3
"""Rules about the English of documents and headers. structure.py runs them; alone, this prints what they find.

    prose.py [--longest N] [FILE ...]     sentences of more than N words (40); all documents and public headers by
                                          default

A sentence ends at a full stop, question or exclamation mark that white space follows. Code in backquotes is one word.
Code blocks are no prose. Each cell of a table, each item of a list and each comment of a header is a text of its
own."""

import argparse
import re
import sys
from pathlib import Path

LONGEST_SENTENCE = 40  # words
CODE = "c0de"  # stands for what backquotes hold
WIDEST_LINE = 120  # columns of a line of a document
# What ends with a full stop and ends no sentence.
ABBREVIATIONS = r"(?<!\bal)(?<!\bvs)(?<!\bi\.e)(?<!\be\.g)(?<!\bcf)(?<!\bch)(?<!\bapp)"
SENTENCE_END = re.compile(rf"{ABBREVIATIONS}[.!?][)\"'*]*(?=\s|$)")
NEW_TEXT = re.compile(r"\s*([-*] |\d+\. |#+ |\||!\[|<|>? ?$)")
# Words of docs/glossary.md that no newcomer guesses: a header that uses one links to it.
HOUSE = r"lanes?|shard|bucket|grains?|delegates?|touched rows|trials?|leases?|ledger|the ring"


def documents(root):
    """The documents that people read: not the recipes of docs/howto, whose diffs are code."""
    return [path for folder in (".", "docs", "datasets", "datasets/*", "hostfiles")
            for path in sorted(root.glob(f"{folder}/*.md"))]


def headers(root):
    return sorted((root / "include").rglob("*.h"))


def plain(text):
    """Text without Markdown: code is one word, of a link its text stays."""
    text = re.sub(r"`+[^`]*`+", f" {CODE} ", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"https?://\S+", "link", text)


def sentences(text):
    """(offset, number of words) of each sentence of a text."""
    begin = 0
    for end in [match.end() for match in SENTENCE_END.finditer(text)] + [len(text)]:
        words = [word for word in text[begin:end].split() if re.search(r"\w", word)]
        if any(word.strip(",") != CODE for word in words):  # a list of names is no sentence
            yield begin, len(words), " ".join(text[begin:end].split()[:6])
        begin = end


def texts_of_document(lines):
    """(first line, text) of each paragraph, item and cell; code blocks left out."""
    found, code = [], False
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("```"):
            code = not code
            found.append(None)
        elif code or line.strip() in ("", ">"):
            found.append(None)
        elif line.lstrip().startswith("|"):
            cells = re.sub(r"`[^`]*`", lambda m: m.group(0).replace("|", " "), line).replace("\\|", " ").split("|")
            found += [None, *[[number, [cell]] for cell in cells], None]
        elif NEW_TEXT.match(line) or not found or found[-1] is None:
            found.append([number, [line]])
        else:
            found[-1][1].append(line)
    return [(number, "\n".join(part)) for number, part in filter(None, found)]


def texts_of_header(text):
    """(first line, text) of each comment, cut at its empty lines, items and tables (words set apart by blanks)."""
    for match in re.finditer(r"/\*(.*?)\*/", text, re.S):
        begin = text.count("\n", 0, match.start()) + 1
        part, first = [], begin
        for number, line in enumerate(match.group(1).split("\n"), begin):
            line = re.sub(r"^\s*\*", "", line)
            if not line.strip() or re.search(r"\S {3,}\S", line) or re.match(r"\s*- ", line):
                yield first, "\n".join(part)
                part, first = [], number
            part.append(line)
        yield first, "\n".join(part)


def long_sentences(path, longest):
    """(line, number of words, how it begins) of each sentence with more words than `longest`."""
    text = path.read_text(encoding="utf-8")
    texts = texts_of_document(text.split("\n")) if path.suffix == ".md" else texts_of_header(text)
    for number, part in texts:
        # The same number of lines, so that a sentence is found where it begins.
        flat = plain(re.sub(r"`[^`]*`", lambda m: CODE + "\n" * m.group(0).count("\n"), part))
        for begin, count, start in sentences(flat):
            if count > longest:
                lead = len(flat[begin:]) - len(flat[begin:].lstrip())
                yield number + flat.count("\n", 0, begin + lead), count, start


def help_sentences(path, longest):
    """The same of the texts of a source file: help, messages, and what says when a key has an effect."""
    text = path.read_text(encoding="utf-8")
    for match in re.finditer(r'(?<!include )"(?:\\.|[^"\\\n])*"(?:\s*\\?\s*"(?:\\.|[^"\\\n])*")*', text):
        joined = "".join(re.findall(r'"((?:\\.|[^"\\])*)"', match.group(0)))
        for part in re.split(r"\\[nv]", joined):
            for _, count, start in sentences(part):
                if count > longest:
                    yield text.count("\n", 0, match.start()) + 1, count, start


def check_sentences(root, _build):
    """No sentence of a document, a public header or a help text is too long to be read once."""
    helps = [*sorted((root / "src/cli").glob("*.[ch]")), root / "include/autodidact/base/config.h"]
    found = [(path, found) for path in [*documents(root), *headers(root)]
             for found in long_sentences(path, LONGEST_SENTENCE)]
    found += [(path, found) for path in helps for found in help_sentences(path, LONGEST_SENTENCE)]
    for path, (line, count, start) in found:
        yield (f"{path.relative_to(root)}:{line}: a sentence of {count} words; the limit is {LONGEST_SENTENCE}: "
               f"{start} ...")


def check_document_lines(root, _build):
    """Lines of documents are wrapped; tables and code are not."""
    for path in documents(root):
        code = False
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            code ^= line.lstrip().startswith("```")
            if len(line) > WIDEST_LINE and not code and not line.lstrip().startswith("|") and " " in line.strip():
                yield f"{path.relative_to(root)}:{number}: has {len(line)} columns; the limit is {WIDEST_LINE}"


def check_glossary(root, _build):
    """Public headers that use the words of the house link to their glossary."""
    glossary = (root / "docs/glossary.md").read_text(encoding="utf-8")
    for path in headers(root):
        comments = "\n".join(re.findall(r"/\*.*?\*/", path.read_text(encoding="utf-8"), re.S))
        found = re.search(rf"\b(?:{HOUSE})\b", comments)
        if found and "docs/glossary.md" not in comments:
            yield f"{path.relative_to(root)}:1: uses {found.group(0)} and has no `Words: docs/glossary.md.`"
    for header in re.findall(r"`([a-z]+/\w+\.h)`", glossary):
        if not any((root / folder / header).is_file() for folder in ("include/autodidact", "src", ".")):
            yield f"docs/glossary.md:1: there is no {header}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--longest", type=int, default=LONGEST_SENTENCE)
    parser.add_argument("files", nargs="*", type=Path)
    arguments = parser.parse_args()
    root = Path(__file__).resolve().parent.parent.parent
    found = 0
    for path in arguments.files or [*documents(root), *headers(root)]:
        for line, count, start in long_sentences(path, arguments.longest):
            print(f"{path}:{line}: {count} words: {start} ...")
            found += 1
    print(f"{found} sentences of more than {arguments.longest} words")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
