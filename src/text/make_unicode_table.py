#!/usr/bin/env python3
"""Writes unicode_table.h from Python's unicodedata: what BERT's tokenizer wants to know of every code point.

The table fixes the Unicode version, so that the ids of a text depend neither on the installed utf8proc nor on the
Python that Hugging Face's tokenizer happens to run on. Run with Python 3.11 (Unicode 14.0):

    python3 src/text/make_unicode_table.py > src/text/unicode_table.h
"""

import sys
import unicodedata

DROP, SPACE, PUNCTUATION, MARK, WORD = range(5)
CASED, IGNORABLE, INERT = 8, 16, 32
FINAL_SIGMA = "\u03c2"


def composes_backwards():
    """Code points that may join the one before them in NFC."""
    second = set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))  # Hangul vowels and finals
    for c in range(0x110000):
        decomposition = unicodedata.decomposition(chr(c))
        if decomposition and not decomposition.startswith("<"):
            second.update(int(part, 16) for part in decomposition.split()[1:])
    return second


def properties(c, second):
    char = chr(c)
    category = unicodedata.category(char)
    if char in "\t\n\r " or category in ("Zs", "Zl", "Zp"):
        kind = SPACE
    elif c in (0, 0xFFFD) or category[0] == "C":
        return DROP
    elif 33 <= c <= 47 or 58 <= c <= 64 or 91 <= c <= 96 or 123 <= c <= 126 or category[0] == "P":
        kind = PUNCTUATION
    elif category == "Mn":
        kind = MARK
    else:
        kind = WORD
    # str.lower shows both properties in what it makes of a capital sigma behind the character.
    if (char + "\u03a3").lower().endswith(FINAL_SIGMA):
        kind |= CASED
    elif ("A" + char + "\u03a3").lower().endswith(FINAL_SIGMA):
        kind |= IGNORABLE
    if unicodedata.combining(char) == 0 and unicodedata.normalize("NFC", char) == char and c not in second:
        kind |= INERT
    return kind


def main():
    if unicodedata.unidata_version != "14.0.0":
        sys.exit(f"expected Unicode 14.0.0, found {unicodedata.unidata_version}")
    second = composes_backwards()
    runs, previous = [], None
    for c in range(0x110000):
        value = properties(c, second)
        if value != previous:
            runs.append(c << 8 | value)
            previous = value
    print("/* Written by make_unicode_table.py from Unicode 14.0.0; not to be edited. Runs of code points with equal")
    print(
        " * properties: first code point << 8 | properties (enum ad_char_kind and the AD_CHAR_ flags of unicode.h). */"
    )
    print(
        "#ifndef AUTODIDACT_SRC_TEXT_UNICODE_TABLE_H\n#define AUTODIDACT_SRC_TEXT_UNICODE_TABLE_H\n\n#include <stdint.h>\n"
    )
    print("/* clang-format off */")
    print(f"static const uint32_t unicode_runs[{len(runs)}] = {{")
    for i in range(0, len(runs), 10):
        print("  " + " ".join(f"0x{run:08x}," for run in runs[i : i + 10]))
    print("};")
    print("/* clang-format on */\n\n#endif")


main()
