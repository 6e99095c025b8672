#!/usr/bin/env python3
"""Ids of Hugging Face's library `tokenizers`, by way of transformers' AutoTokenizer, for texts that are hard to get
right.

    tokenizer.py --shared DIR                  writes data/tokenizer.h5, which test_tokenizer_parity.c reads
    tokenizer.py --shared DIR --check PROGRAM  compares with the ids that `PROGRAM tokenize` prints, now: the same texts
                                               and every code point c in texts of its own, as c, acb and a c (some
                                               minutes)

DIR holds vocab/bert-base-uncased-vocab.txt, kor/koelectra-vocab.txt and the data sets sst2, agnews, snli and kor, of
which only digests are kept. Needs the versions of truth.py, h5py, numpy, xxhash."""

import argparse
import csv
import json
import random
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

import h5py
import numpy as np
import tokenizers
import transformers
import truth
import xxhash
from tokenizers import normalizers

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PIECES = ["un", "##aff", "##able", "run", "##ning", "##ing", "the", "ab", "##bc", "straße", "\u03c3\u03c2"]
BLOCK = 64  # code points a text
POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
HEAD = 128  # tokens that head_tail keeps of the head


def own_ranges():
    """Code points that the small vocabulary has as tokens: all assigned ones but Chinese characters, of which it has
    those that others are normalised to; and what any is normalised to."""
    normal = [normalizers.BertNormalizer(strip_accents=strip, lowercase=True).normalize_str for strip in (True, False)]
    wanted = set()
    for c in POINTS:
        char = chr(c)
        if unicodedata.category(char)[0] in "CZ":
            continue
        if c < 0x3400 or 0x4DC0 <= c < 0x4E00 or 0xA000 <= c < 0x20000 or 0xE0000 <= c:
            wanted.add(c)
    for c in POINTS:
        texts = [of(chr(c)).replace(" ", "") for of in normal]
        if any(text != chr(c) for text in texts):
            wanted.update(ord(n) for text in texts for n in text)
    ranges = []
    for c in sorted(wanted):
        if ranges and ranges[-1][1] == c:
            ranges[-1][1] = c + 1
        else:
            ranges.append([c, c + 1])
    return ranges


def own_vocabulary(ranges):
    tokens = SPECIAL + PIECES
    for low, high in ranges:
        for c in range(low, high):
            tokens += [chr(c), "##" + chr(c)]
    return tokens


def point_texts(ranges):
    """Every code point in a word; those of the small vocabulary, and the low ones, in more places than one."""
    many = {c for low, high in ranges for c in range(low, high)} | set(range(0x2100))
    for i in range(0, len(POINTS), BLOCK):
        text = ""
        for c in POINTS[i : i + BLOCK]:
            char = chr(c)
            text += f"a{char}b {char} "
            if c in many:
                text += f"A{char}\u0301 {char}\u03a3 A\u03a3{char}A "
        yield text


def long_words():
    for letter in ["a", "\u00e9", "e\u0301", "\u4e2d", "\U00010400", "a\u200d", "\uac00", "\u0131\u0307", "\u03a3"]:
        for n in (1, 33, 34, 49, 50, 51, 99, 100, 101, 102, 300):
            yield letter * n
            yield "x" + letter * n + "-" + letter * n


def special_texts():
    yield from ["", " ", "\t\r\n \u3000", "\0", "\ufffd", "\u0301", "\ufeffa", "a\0b", "[", "]", "[]", "##", "##a a##b"]
    for token in SPECIAL:
        inner = token[1:-1]
        yield from [
            token,
            token + token,
            f"a{token}b",
            f" {token} .",
            f"[{token}]",
            f"{token[:-1]}{token}",
            token.lower(),
            f"[ {inner}]",
            f"[{inner}",
            f"{inner}]",
            f"[\u200b{inner}]",
            f"[{inner}\u00ad]x",
            f"x [{inner[0]}\0{inner[1:]}] y",
            f"[{inner}\u0301]",
            f"\u0301{token}\u0301",
            f"A\u03a3{token}\u03a3",
            f"\u4e2d{token}\u4e2d",
            f"[\ufffd{inner}] [{inner}\ufffd]",
        ]
    yield from [
        "[SE[SEP]P]",
        "[[[CLS]",
        "\u2028[S\u200bEP]\u2029",
        "[S\u200bEP][S\u200bEP]",
        "[\u4e2dSEP]",
        "[\u200bSEP]\u4e2d",
    ]
    yield from [
        "unaffable running",
        "UNAFFABLE",
        "The the.the",
        "abbc abbcx abc",
        "stra\u00dfe STRASSE",
        "\u03a3\u03a3 \u03a3\u03a3.",
    ]
    yield from [
        "\u039f\u0394\u039f\u03a3",
        "\u039f\u0394\u039f\u03a3.",
        "\u03a3",
        "A\u03a3\u00ad",
        "A\u0301\u03a3\u0301",
        "A'\u03a3'",
        "A\u03a3'A",
        "A.\u03a3",
        "1\u03a3",
        "a\u02b0\u03a3",
    ]
    yield from [
        "\u0130I\u0307i\u0307\u0131",
        "\u1e9e\u00df",
        "\ufb01\ufb03",
        "\u01c4\u01c5\u01c6",
        "A\u0130\u03a3 \u0130\u0323\u0301",
        "\u212a\u212b\u2126",
        "\u1fef\u037e\u0387\u2000a\u2001b",
    ]
    yield from [
        "a" + "\u0301\u0323\u0345\u0315" * 40,
        "\u1100\u1161\u11a8\u1100\u1161 \uac00\u11a8 \u1161\u11a8",
        "\U0001d15e\U0001d160\U00011099\U000110ba",
    ]
    yield from [
        "\U0001f469\u200d\U0001f467\u200d\U0001f466 \u2764\ufe0f\U0001f1e9\U0001f1ea 1\ufe0f\u20e3",
        "\u202ertl\u202c \u2066x\u2069",
        "a\u00a0b\u2007c\u202fd\u205fe\u3000f\u1680g",
    ]


ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz" * 2,
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "0123456789",
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    (0xC0, 0x250),
    (0x300, 0x370),
    (0x370, 0x400),
    "\u03a3\u03c3\u03c2A\u00ad'\u02b0.",
    (0x400, 0x530),
    (0x590, 0x600),
    (0x600, 0x700),
    (0x900, 0x980),
    (0xE00, 0xE60),
    (0xF00, 0xFD0),
    (0x1100, 0x1200),
    (0x1D00, 0x1E00),
    (0x1E00, 0x2000),
    (0x2000, 0x2070),
    (0x2070, 0x2200),
    (0x3000, 0x3100),
    (0x4E00, 0xA000),
    (0xAC00, 0xD7A4),
    (0xF900, 0xFB50),
    (0xFB50, 0xFF00),
    (0xFF00, 0x10000),
    (0x10400, 0x10500),
    (0x11000, 0x11700),
    (0x1D100, 0x1D200),
    (0x1D400, 0x1D800),
    (0x1E900, 0x1E960),
    (0x1F300, 0x1FA00),
    (0x20000, 0x20100),
    (0x2F800, 0x2FA20),
    (0xE0000, 0xE0200),
    (0, 0x20),
    (0x7F, 0xA1),
    "\u200b\u200c\u200d\ufeff\u2060\u00ad\ufe0f",
    "\u0301\u0300\u0323\u0327\u0345\u1ab0\u034f",
    "\u0301\u034f\u0334\u0345\U0001d165\U0001d16d\U0001e008\u1b44\u302e\U0001e94a\U00011446",
    "\u2028\u2029\u3000\u00a0\x85\x1c\t\r\n",
    (0xD7B0, 0x11000),
    (0, 0xD800),
]


def random_texts(count, special=SPECIAL):
    rng = random.Random(20020345)
    for _ in range(count):
        some = rng.sample(ALPHABETS, rng.choice([1, 2, 3, 5, 12])) + ALPHABETS[:1] + ["  "]
        text = ""
        for _ in range(rng.choice([3, 10, 40])):
            alphabet = rng.choice(some)
            if rng.random() < 0.02:
                text += rng.choice(special)
            for _ in range(rng.choice([1, 1, 2, 5])):
                if isinstance(alphabet, str):
                    text += rng.choice(alphabet)
                else:
                    c = rng.randrange(*alphabet)
                    text += "" if 0xD800 <= c < 0xE000 else chr(c)
        yield text


def cut_texts():
    """Texts for truncation: single ones of all lengths around 128, and pairs."""
    rng = random.Random(7)
    words = [
        "the",
        "running",
        "unaffable",
        "\u4e2d",
        "Stra\u00dfe",
        ".",
        "\u03a3\u03a3\u03a3",
        "[MASK]",
        "\0",
        "e\u0301",
    ]

    def text(n):
        return " ".join(rng.choice(words) for _ in range(n))

    singles = ["", "the", text(20), text(60), text(90)]
    pairs = [
        (text(a), text(b)) for a, b in [(0, 0), (0, 9), (9, 0), (1, 1), (3, 12), (12, 3), (10, 10), (7, 8), (2, 1)]
    ]
    return singles, pairs


class Reference:
    """Hugging Face's tokenizer on a vocabulary."""

    def __init__(self, vocabulary, folder, **options):
        folder.mkdir(parents=True)
        with open(folder / "vocab.txt", "w", encoding="utf-8", newline="\n") as out:
            out.writelines(token + "\n" for token in vocabulary)
        (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
        (folder / "tokenizer_config.json").write_text(json.dumps(options))
        self.folder = folder
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder))

    def encode(self, a, b=None, limit=None):
        """ids, tokens of the first segment. Asked of the library, as transformers takes an empty second text for
        none."""
        backend = self.tokenizer.backend_tokenizer
        if limit is None:
            backend.no_truncation()
        else:
            backend.enable_truncation(limit)
        out = backend.encode(a, b)
        return out.ids, len(out.ids) - sum(out.type_ids)

    def ids(self, a, b=None):
        return self.encode(a, b)[0]

    def all_ids(self, examples):
        """Of many texts, or pairs of these, at once."""
        inputs = [a if b is None else (a, b) for a, b in examples]
        self.tokenizer.backend_tokenizer.no_truncation()
        return [encoding.ids for encoding in self.tokenizer.backend_tokenizer.encode_batch(inputs)]

    def head_tail(self, a, limit):
        ids = self.ids(a)
        keep = limit - 2
        if len(ids) <= limit:
            return ids
        if keep <= HEAD:
            return ids[: 1 + keep] + ids[-1:]
        return ids[: 1 + HEAD] + ids[-1 - (keep - HEAD) :]


KOREAN = ["question-pair-train.tsv", "question-pair-dev.tsv", "sts-train.tsv", "sts-dev.tsv", "sts-test.tsv"]
KOREAN += ["xnli.dev.ko.tsv"]


def shared_files(shared):
    """name, examples as (a, b or None): every line of the data sets, Korean ones with all columns as one text."""
    for place in ["sst2/train.tsv", "sst2/dev.tsv", "sst2/test.tsv", "agnews/train_10k.tsv"]:
        with open(shared / place, encoding="utf-8", newline="") as lines:
            text = lines.read()
        yield place, [(line.split("\t")[0], None) for line in text.rstrip("\n").split("\n")]
    with open(shared / "agnews/test.csv", encoding="utf-8", newline="") as lines:
        yield "agnews/test.csv", [(" ".join(row[1:]), None) for row in csv.reader(lines)]
    for place in ["snli/snli_1.0_dev.jsonl", "snli/snli_1.0_test.jsonl"]:
        with open(shared / place, encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        yield place, [(row["sentence1"], row["sentence2"]) for row in rows]
    for place in KOREAN:
        with open(shared / "kor" / place, encoding="utf-8", newline="") as lines:
            text = lines.read()
        yield f"kor/{place}", [(line, None) for line in text.rstrip("\n").split("\n")]


OWN_OPTIONS = {
    "own-uncased": {"do_lower_case": True},
    "own-cased": {"do_lower_case": False},
    "own-accents": {"do_lower_case": True, "strip_accents": False, "tokenize_chinese_chars": False},
    "own-stripped": {"do_lower_case": False, "strip_accents": True},
}
SHARED_VOCABULARIES = {"bert": "vocab/bert-base-uncased-vocab.txt", "koelectra": "kor/koelectra-vocab.txt"}
SHARED_OPTIONS = {"uncased": {"do_lower_case": True}, "cased": {"do_lower_case": False}}


def references(shared, ranges, folder):
    """name, whether its vocabulary is a shared one, tokenizer: the small vocabulary and two real ones."""
    for name, options in OWN_OPTIONS.items():
        yield name, False, Reference(own_vocabulary(ranges), folder / name, **options)
    for start, place in SHARED_VOCABULARIES.items():
        with open(shared / place, encoding="utf-8", newline="") as lines:
            vocabulary = lines.read().rstrip("\n").split("\n")
        for end, options in SHARED_OPTIONS.items():
            yield f"{start}-{end}", True, Reference(vocabulary, folder / f"{start}-{end}", **options)


def put(group, name, values, kind):
    values = np.asarray(values, dtype=kind)
    chunks = (min(len(values), 65536),) + values.shape[1:] if len(values) else None
    group.create_dataset(name, data=values, chunks=chunks, **({"compression": 9, "shuffle": True} if chunks else {}))


def put_sequences(group, name, sequences):
    """Sequences of ids as <name>_count [n] and <name>_ids."""
    put(group, name + "_count", [len(s) for s in sequences], "u4")
    put(group, name + "_ids", [i for s in sequences for i in s], "u4")


def put_strings(group, name, strings):
    encoded = [s.encode("utf-8") for s in strings]
    put(group, name + "_size", [len(e) for e in encoded], "u4")
    put(group, name + "_bytes", np.frombuffer(b"".join(encoded), dtype="u1"), "u1")


def write_cuts(file, reference):
    """Expected ids of single texts at every limit, both ways of cutting, and of pairs at every limit."""
    singles, pairs = cut_texts()
    put_strings(file, "cut_single", singles)
    put_strings(file, "cut_pair", [side for pair in pairs for side in pair])
    rows, ids = [], []  # which text, limit (0: none), how
    for i, text in enumerate(singles):
        for limit in range(3, len(reference.ids(text)) + 2):
            rows += [(i, limit, 0), (i, limit, 1)]
            ids += [reference.encode(text, None, limit)[0], reference.head_tail(text, limit)]
    put(file, "cut_single_case", rows, "u4")
    put_sequences(file, "cut_single", ids)
    rows, ids = [], []  # which pair, limit (0: none), tokens of the first segment
    for i, (a, b) in enumerate(pairs):
        for limit in [0, *range(5, len(reference.ids(a, b)) + 2)]:
            encoded, first = reference.encode(a, b, limit or None)
            rows.append((i, limit, first))
            ids.append(encoded)
    put(file, "cut_pair_case", rows, "u4")
    put_sequences(file, "cut_pair", ids)


def write(shared, path):
    ranges = own_ranges()
    texts = [*special_texts(), *long_words(), *random_texts(2000)]
    points = list(point_texts(ranges))
    with tempfile.TemporaryDirectory() as folder, h5py.File(path, "w") as file:
        file.attrs["transformers"] = transformers.__version__
        file.attrs["tokenizers"] = tokenizers.__version__
        put(file, "ranges", ranges, "u4")
        put_strings(file, "head", SPECIAL + PIECES)
        put_strings(file, "texts", texts)
        for name, is_shared, reference in references(shared, ranges, Path(folder)):
            group = file.create_group(name)
            put_sequences(group, "texts", [reference.ids(t) for t in texts])
            put_sequences(group, "points", [reference.ids(t) for t in points])
            if name == "own-uncased":
                write_cuts(file, reference)
            for place, examples in shared_files(shared) if is_shared else []:
                ids = reference.all_ids(examples)
                flat = np.array([n for row in ids for n in [len(row), *row]], dtype="<u4")
                group.attrs[place] = np.array([len(ids), xxhash.xxh3_64_intdigest(flat.tobytes())], dtype="u8")
            print(name, flush=True)
    print(path, path.stat().st_size, "bytes")


def printed(reference, program, examples):
    """The ids that the program prints."""
    pair = examples[0][1] is not None
    lines = "".join((a if b is None else a + "\t" + b) + "\n" for a, b in examples)
    command = [program, "tokenize", "--model", str(reference.folder)] + ["--pair"] * pair
    run = subprocess.run(command, input=lines.encode("utf-8"), stdout=subprocess.PIPE, check=True)
    return [[int(i) for i in line.split()] for line in run.stdout.decode().splitlines()]


def compare(reference, program, examples, what):
    """Prints and returns how many of the examples differ; a text with a line feed in it is none for the program."""
    examples = [(a, b) for a, b in examples if "\n" not in a + (b or "") and (b is None or "\t" not in a + b)]
    bad, count, tokens = [], 0, 0
    for i in range(0, len(examples), 200000):
        part = examples[i : i + 200000]
        found, expected = printed(reference, program, part), reference.all_ids(part)
        bad += [e for e, f, x in zip(part, found, expected, strict=True) if f != x]
        count, tokens = count + len(part), tokens + sum(map(len, expected))
    print(f"{what}: {count} texts, {tokens} tokens, {len(bad)} differ", flush=True)
    for example in bad[:3]:
        print("  ", ascii(example)[:400])
    return len(bad)


def check(shared, program):
    ranges = own_ranges()
    texts = [*special_texts(), *long_words(), *random_texts(20000), *point_texts(ranges)]
    points = [text for c in map(chr, POINTS) for text in (c, f"a{c}b", f"a {c}")]
    different = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, is_shared, reference in references(shared, ranges, Path(folder)):
            different += compare(reference, program, [(t, None) for t in texts], name)
            different += compare(reference, program, [(t, None) for t in points], f"{name}, every code point")
            for place, examples in shared_files(shared) if is_shared else []:
                different += compare(reference, program, examples, f"{name} {place}")
    print(f"{different} differ from tokenizers {tokenizers.__version__}")
    return 1 if different else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--check", metavar="PROGRAM")
    arguments = parser.parse_args()
    truth.require(tokenizers, transformers)
    transformers.logging.set_verbosity_error()
    if arguments.check:
        sys.exit(check(arguments.shared, arguments.check))
    write(arguments.shared, Path(__file__).parent / "data" / "tokenizer.h5")


if __name__ == "__main__":
    main()
