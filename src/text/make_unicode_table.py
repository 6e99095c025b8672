#!/usr/bin/env python3
"""Writes unicode_table.h: what Hugging Face's library `tokenizers` makes of every code point in BERT's normalizer and
pre-tokenizer, asked of the library itself. Its tables are of several versions of Unicode, and the ids of a text follow
them, whatever the machine has installed. With the word "classes" it writes class_table.h, the same of the pattern of
GPT-2 (ByteLevel).

    python3 src/text/make_unicode_table.py > src/text/unicode_table.h
    python3 src/text/make_unicode_table.py classes > src/text/class_table.h

Needs the version of `tokenizers` that tests/parity/truth.py names."""

import functools
import sys
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

sys.path.insert(0, str(Path(__file__).parents[2] / "tests/parity"))
import truth

DROP, SPACE, PUNCTUATION, MARK, WORD = range(5)
ORDER, SPLITS, LOWERS, LETTER, ALONE, BITS = 8, 64, 128, 256, 512, 10
ANY_ORDER = 7  # of a mark: it is no starter
HANGUL = range(0xAC00, 0xD7A4)
POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def normalizer(**on):
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**off, **on}).normalize_str


clean, strip = normalizer(clean_text=True), normalizer(strip_accents=True)
lower, nfd = normalizer(lowercase=True), normalizers.NFD().normalize_str
alone = normalizer(handle_chinese_chars=True)
split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str


def kind(char):
    """The kinds are those of text that is cleaned before it is stripped."""
    text = clean(f"a{char}b")
    if text in ("ab", "a b"):
        return DROP if text == "ab" else SPACE
    if strip(f"a{char}") == "a":
        return MARK
    return PUNCTUATION if len(split(f"a{char}b")) == 3 else WORD


def moves(a, b):
    """Whether the second of two characters that are their own NFD goes before the first."""
    return nfd("x" + a + b) != "x" + a + b


def orders(kinds):
    """Which combining characters there are, and for those that are no marks their rank among each other."""
    whole = [chr(c) for c in POINTS if nfd(chr(c)) == chr(c)]
    combining = [c for c in whole if moves("\u0345", c) or moves(c, "\u0334")]  # the highest class, the lowest
    kept = [c for c in combining if kinds[ord(c)] != MARK]
    ranks = []  # lists of characters of one class, ascending
    for char in sorted(kept, key=functools.cmp_to_key(lambda a, b: -1 if moves(b, a) else int(moves(a, b)))):
        if not ranks or moves(char, ranks[-1][0]):
            ranks.append([])
        ranks[-1].append(char)
    assert len(ranks) < ANY_ORDER and all(kinds[ord(c)] == WORD for c in kept)
    result = {ord(c): ANY_ORDER for c in combining}
    result.update({ord(c): rank + 1 for rank, chars in enumerate(ranks) for c in chars})
    return result


def letters():
    """What stands beside a token that matches single words only: the regular expression \\w."""
    tokenizer = Tokenizer(models.WordLevel({"?": 0, "x": 1}, unk_token="?"))
    tokenizer.add_tokens([AddedToken("x", single_word=True, normalized=False)])
    # A split token keeps its own text; "x" as part of a longer word is none.
    return {c for c in POINTS if len(tokenizer.encode("x" + chr(c)).ids) == 1}


split_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str


def split_class(char):
    """Its class in GPT-2's pattern: what it stays together with."""
    for place, other in enumerate("!a1"):
        if len(split_bytes(other + char)) == 1:
            return place
    assert len(split_bytes("  " + char + char)) == 1, hex(ord(char))
    return 3


def split_runs():
    """Those of ASCII have a table of their own."""
    runs, previous = [], None
    for c in POINTS:
        value = split_class(chr(c))
        if value != previous:
            runs.append(c << 2 | value)
            previous = value
    return runs


def parts(c, kinds, order):
    """The full decomposition without the marks. A mark's own is all marks and needs no entry."""
    codes = [ord(part) for part in nfd(chr(c))]
    kept = [code for code in codes if kinds[code] != MARK]
    if kinds[c] == MARK:
        assert not kept
        if order.get(codes[0]):
            order[c] = ANY_ORDER
        return []
    if c in HANGUL or codes == [c] or kinds[c] == SPACE:
        assert kinds[c] != SPACE or all(kinds[code] == SPACE for code in codes)
        return []
    assert kept and not order.get(kept[0]) and all(kinds[code] not in (DROP, SPACE) for code in kept), hex(c)
    return kept


def lower_runs():
    """[first, count, step, what is added]."""
    runs = []
    for c in POINTS:
        low = lower(chr(c))
        # So that to lower first, or twice, is the same.
        assert lower(low) == low and lower(nfd(low)) == nfd(low) == nfd(lower(nfd(chr(c)))), hex(c)
        if low == chr(c):
            continue
        assert len(low) == 1 or (c, low) == (0x130, "i\u0307")
        delta = ord(low[0]) - c
        last = runs[-1] if runs else None
        if last and last[3] == delta and last[1] == 1 and c - last[0] <= 2:
            last[1:3] = 2, c - last[0]
        elif last and last[3] == delta and last[1] > 1 and c == last[0] + last[1] * last[2]:
            last[1] += 1
        else:
            runs.append([c, 1, 1, delta])
    return runs


def property_runs(kinds, order, splits, letter):
    # Also those between two that have a lower case: that makes fewer runs.
    lowers = {c for first, count, step, _ in lower_runs() for c in range(first, first + (count - 1) * step + 1)}
    runs, previous = [], None
    for c in range(0x110000):
        if 0xD800 <= c < 0xE000:
            value = DROP
        else:
            value = kinds[c] | ORDER * order.get(c, 0) | (SPLITS if splits[c] or c in HANGUL else 0)
            value |= (LOWERS if c in lowers else 0) | (LETTER if c in letter else 0)
            value |= ALONE if alone(chr(c)) == f" {chr(c)} " else 0
        if value != previous:
            runs.append(c << BITS | value)
            previous = value
    return runs


def array(kind, name, values):
    print(f"static const {kind} {name}[{len(values)}] = {{")
    line = "   "
    for value in values:
        if len(line) + len(value) + 2 > 120:
            print(line)
            line = "   "
        line += f" {value},"
    print(line + "\n};\n")


def begin(name, include="<stdint.h>"):
    guard = f"AUTODIDACT_SRC_TEXT_{name}_H"
    print(f"/* Written by make_unicode_table.py from tokenizers {tokenizers.__version__}; not to be edited. */")
    print(f"#ifndef {guard}\n#define {guard}\n\n#include {include}\n\n/* clang-format off */")


def classes():
    truth.require(tokenizers)
    begin("CLASS_TABLE")
    print("/* Runs of code points of a class of GPT-2's pattern: the first one, and below it the class (unicode.h). */")
    array("uint32_t", "unicode_classes", [hex(run) for run in split_runs()])
    print("#endif")


def main():
    truth.require(tokenizers)
    kinds = {c: kind(chr(c)) for c in POINTS}
    order = orders(kinds)
    splits = {c: parts(c, kinds, order) for c in POINTS}
    begin("UNICODE_TABLE", '"unicode.h"')
    print(f'#define UNICODE_RULES "tokenizers {tokenizers.__version__}"\n')
    print("/* Runs of code points with equal properties: the first one, and below it the properties (unicode.h). */")
    print(f"#define UNICODE_BITS {BITS}")
    array("uint32_t", "unicode_runs", [hex(run) for run in property_runs(kinds, order, splits, letters())])
    print("/* Lower case: `count` code points from `first` on, `step` apart, have `delta` added. */")
    array("struct ad_code_run", "unicode_lower", ["{%#x, %d, %d, %d}" % tuple(run) for run in lower_runs()])
    print("#endif")


if __name__ == "__main__":
    classes() if sys.argv[1:] == ["classes"] else main()
