#!/usr/bin/env python3
"""Writes data/normalizers.json, which test_normalizer.c reads: what Hugging Face's library `tokenizers` makes of every
code point and of hard texts in each normalizer of unigram.py, as digests. Needs the versions of truth.py."""

import json
import random
import zlib
from pathlib import Path

import tokenizers
import truth
from tokenizers import Tokenizer
from unigram import NORMALIZERS, fixed

BLOCK = 4096
SPECIAL = ("\u0301\u0316\u0345\u0334\u0344\u0340\u200d\u200c\ufe0f\u094d\u0915\u09cd\u0cbe\u1161\u11a8\u1100\uac00"
           "\uac01\u00a9\u00ae\u0600\u06dd\u070f\r\n \t\u3000\u00a0\u2581\u0f71\u0f72\u0f74\u1fbf\u0130\u212b\u1e9b"
           "\u0323\ufb01e'")
RANGES = [(0x20, 0x7F), (0xA0, 0x250), (0x300, 0x370), (0x370, 0x700), (0x900, 0xE00), (0xE00, 0x1200),
          (0xAC00, 0xD7A4), (0x1E00, 0x2100), (0x2100, 0x3400), (0x4E00, 0x5000), (0xF900, 0x10000), (0x10000, 0x12000),
          (0x1D100, 0x1D800), (0x1F1E6, 0x1FB00), (0xE0000, 0xE0200), (1, 0xD800), (0xE000, 0x110000)]


def block_text(first):
    """What test_normalizer.c writes too."""
    return "".join(f"a{chr(c)}b {chr(c)}" for c in range(first, first + BLOCK) if c and not 0xD800 <= c < 0xE000)


def hard_texts(count):
    draw = random.Random(17)
    for _ in range(count):
        ranges = draw.sample(RANGES, 2)
        yield "".join(draw.choice(SPECIAL) if draw.random() < 0.4 else chr(draw.randrange(*draw.choice(ranges)))
                      for _ in range(draw.choice([1, 2, 3, 4, 6, 10, 20, 40])))


def main():
    truth.require(tokenizers)
    texts, made = list(hard_texts(400)), []
    for name, normalizer in NORMALIZERS.items():
        normalize = Tokenizer.from_str(json.dumps(fixed([], normalizer))).normalizer.normalize_str
        made.append({"name": name, "normalizer": normalizer,
                     "points": [zlib.crc32(normalize(block_text(c)).encode()) for c in range(0, 0x110000, BLOCK)],
                     "texts": [zlib.crc32(normalize(text).encode()) for text in texts]})
    path = Path(__file__).parent / "data" / "normalizers.json"
    whole = {"tokenizers": tokenizers.__version__, "texts": texts, "normalizers": made}
    path.write_text(json.dumps(whole, ensure_ascii=True, separators=(",", ":")) + "\n", encoding="utf-8")
    print(path, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
