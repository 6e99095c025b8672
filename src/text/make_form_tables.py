#!/usr/bin/env python3
"""Writes the tables of normal forms and of grapheme clusters, asked of Hugging Face's library `tokenizers` itself as
make_unicode_table.py does. Its normal forms and its clusters are of different versions of Unicode.

    for name in form canonical compatible cluster pages; do
      python3 src/text/make_form_tables.py $name > src/text/${name}_table.h
    done

Needs the version of `tokenizers` that tests/parity/truth.py names."""

import bisect
import functools
import re
import sys
from pathlib import Path

from make_unicode_table import HANGUL, POINTS, array, tokenizers, truth
from tokenizers import normalizers

from charsmap import charsmap  # beside truth.py, where make_unicode_table looks

nfd, nfkd = normalizers.NFD().normalize_str, normalizers.NFKD().normalize_str
nfc, nfkc = normalizers.NFC().normalize_str, normalizers.NFKC().normalize_str
FORMS = [nfd, nfkd, nfc, nfkc]
RANK, MARK, MOVES = 1, 64, 128  # bits of a form's run; MOVES << number of the form
FORM_BITS, CLUSTER_BITS = 11, 7

JAMO_LEAD, JAMO_VOWEL, JAMO_TAIL, OPEN, CLOSED = "\u1100\u1161\u11a8\uac00\uac01"


def moves(a, b):
    """Whether the second of two characters that are their own NFD goes before the first."""
    return nfd("x" + a + b) != "x" + a + b


def ranks():
    """The place of each combining character among the classes, from 1 on."""
    whole = [chr(c) for c in POINTS if nfd(chr(c)) == chr(c)]
    combining = [c for c in whole if moves("\u0345", c) or moves(c, "\u0334")]  # the highest class, the lowest
    classes = []
    for char in sorted(combining, key=functools.cmp_to_key(lambda a, b: -1 if moves(b, a) else int(moves(a, b)))):
        if not classes or moves(char, classes[-1][0]):
            classes.append([])
        classes[-1].append(char)
    assert len(classes) < MARK
    return {ord(c): rank for rank, chars in enumerate(classes, 1) for c in chars}


def pairs():
    """[first, second, what they become] without Hangul."""
    result = []
    for c in POINTS:
        codes = nfd(chr(c))
        if c in HANGUL or len(codes) < 2 or nfc(codes) != chr(c):
            continue
        first = nfc(codes[:-1])
        assert len(first) == 1 and nfc(first + codes[-1]) == chr(c)
        result.append((ord(first), ord(codes[-1]), c))
    return sorted(result)


def form_runs():
    strip = normalizers.StripAccents().normalize_str
    rank, seconds = ranks(), {second for _, second, _ in pairs()}
    seconds |= set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))

    def value(c):
        char, result = chr(c), rank.get(c, 0) * RANK
        result |= MARK if strip("a" + char) == "a" else 0
        for number, form in enumerate(FORMS):
            first = rank.get(c) or rank.get(ord(nfkd(char)[0]))
            if form(char) != char or first or (number >= 2 and c in seconds):
                result |= MOVES << number
        return result

    return runs(value, FORM_BITS)


def runs(value, bits):
    result, previous = [], None
    for c in range(0x110000):
        now = 0 if 0xD800 <= c < 0xE000 else value(c)
        if now != previous:
            result.append(hex(c << bits | now))
            previous = now
    return result


def parts(form, points):
    return [hex(c << 21 | ord(part)) for c in points for part in form(chr(c))]


def single_runs(points):
    """Of characters that become one other: [first, count, step, what is added]."""
    result = []
    for c in points:
        delta = ord(nfkd(chr(c))) - c
        last = result[-1] if result else None
        if last and last[3] == delta and last[1] == 1 and c - last[0] <= 2:
            last[1:3] = 2, c - last[0]
        elif last and last[3] == delta and last[1] > 1 and c == last[0] + last[1] * last[2]:
            last[1] += 1
        else:
            result.append([c, 1, 1, delta])
    return result


def split():
    return [c for c in POINTS if c not in HANGUL and nfkd(chr(c)) != nfd(chr(c))]


def write_form():
    print("/* Runs of code points with equal properties: the first one, and below it the properties (forms.c). */")
    print(f"#define FORM_BITS {FORM_BITS}")
    array("uint32_t", "form_runs", form_runs())
    print("/* What two become: first << 42 | second << 21 | both. */")
    array("uint64_t", "form_pairs", [hex(a << 42 | b << 21 | c) for a, b, c in pairs()])
    print("/* Compatibility decompositions into one character: `count` code points from `first` on, `step` apart,")
    print(" * have `delta` added. */")
    singles = single_runs([c for c in split() if len(nfkd(chr(c))) == 1])
    array("struct ad_code_run", "form_singles", ["{%#x, %d, %d, %d}" % tuple(run) for run in singles])


def write_canonical():
    print("/* Full canonical decompositions without Hangul, an entry a part: code point << 21 | part. */")
    array("uint64_t", "canonical_parts", parts(nfd, [c for c in POINTS if c not in HANGUL and nfd(chr(c)) != chr(c)]))


def write_compatible():
    print("/* Full compatibility decompositions into several parts, where the canonical ones are others. */")
    array("uint64_t", "compatible_parts", parts(nfkd, [c for c in split() if len(nfkd(chr(c))) > 1]))


def counter():
    """Every byte of this charsmap becomes an x: so many units has a text. A unit is a cluster shorter than six bytes,
    or a character of a longer one."""
    normalize = normalizers.Precompiled(charsmap({bytes([b]): "x" for b in range(1, 256)})).normalize_str
    return lambda text: len(normalize(text))


def cluster(units, char):
    """The class of a character, and its two further properties, by texts whose count they decide."""
    acute, joiner, pict, letter, linker = "\u0301\u200d\u00a9\u0915\u094d"
    size = len(char.encode())
    # In all of these one long cluster counts each character; a shorter one behind it counts once.
    lead = units(char + JAMO_LEAD + acute) == 3 and size == 3
    vowel = units(char + JAMO_VOWEL + acute) == 3 and size == 3
    tail = units(char + JAMO_TAIL + acute) == 3 and size == 3
    after_lead, after_open = units(JAMO_LEAD + char + acute), units(OPEN + char + acute)
    extends = units("a" + char) == 1
    if char in "\r\n":
        kind = "CR" if char == "\r" else "LF"
    elif char == joiner:
        kind = "JOINER"
    elif extends:
        kind = "EXTEND" if units(pict + char + joiner + pict + acute) == 5 else "SPACING"
    elif units(char + "a") == 1:
        kind = "PREPEND"
    elif units(char + joiner + acute) == 2:
        kind = "CONTROL"
    elif lead:
        kind = "LEAD"
    elif vowel:
        kind = "VOWEL" if after_open == 3 else "OPEN"
    elif tail:
        kind = "TAIL" if after_open == 3 else "CLOSED"
    else:
        kind = "OTHER"
    joined = ("LEAD", "VOWEL", "OPEN", "CLOSED", "EXTEND", "SPACING", "JOINER")
    assert (after_lead == 3) == (kind in joined) or size > 3 or kind in ("CR", "LF", "CONTROL")
    emoji = kind == "OTHER" and units(char + joiner + pict + acute) == 4
    consonant = kind == "OTHER" and units(char + linker + letter + acute) == 4
    inner = extends and units(letter + linker + char + letter + acute) == 5
    links = extends and units(letter + char + letter + acute) == 4
    return KINDS.index(kind) | (16 * (1 if emoji else 2 if consonant else 3 if links else 4 if inner else 0))


KINDS = "OTHER CR LF CONTROL EXTEND JOINER SPACING PREPEND LEAD VOWEL TAIL OPEN CLOSED".split()


def write_cluster():
    units = counter()
    print("/* Runs of code points of one kind: the first one, and below it the kind (clusters.c). */")
    print(f"#define CLUSTER_BITS {CLUSTER_BITS}")
    array("uint32_t", "cluster_runs", runs(lambda c: cluster(units, chr(c)), CLUSTER_BITS))


def write_pages():
    """Where the search in each table of runs begins, which stand beside this file."""
    print("/* The run of each 256th code point up to U+20000. */")
    here = Path(__file__).parent
    for name, file in ("unicode", "unicode"), ("form", "form"), ("cluster", "cluster"):
        text = (here / f"{file}_table.h").read_text()
        bits = int(re.search(rf"{name.upper()}_BITS (\d+)", text)[1])
        body = re.search(rf"{name}_runs\[\d+\] = {{(.*?)}}", text, re.S)[1]
        starts = [int(run, 16) >> bits for run in re.findall(r"0x\w+", body)]
        array("uint16_t", f"{name}_pages", [str(bisect.bisect_right(starts, c) - 1) for c in range(0, 0x20100, 256)])


def main():
    truth.require(tokenizers)
    name = sys.argv[1]
    guard = f"AUTODIDACT_SRC_TEXT_{name.upper()}_TABLE_H"
    include = '"unicode.h"' if name == "form" else "<stdint.h>"
    print(f"/* Written by make_form_tables.py from tokenizers {tokenizers.__version__}; not to be edited. */")
    print(f"#ifndef {guard}\n#define {guard}\n\n#include {include}\n\n/* clang-format off */")
    writers = {"form": write_form, "canonical": write_canonical}
    writers |= {"compatible": write_compatible, "cluster": write_cluster, "pages": write_pages}
    writers[name]()
    print("#endif")


if __name__ == "__main__":
    main()
