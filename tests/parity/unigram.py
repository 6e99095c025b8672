"""Unigram tokenizers and normalizers for pipelines.py: small ones, those that are refused, and trained ones."""

import base64
import json
import random

from charsmap import charsmap
from pipelines import CORPUS, SPECIAL, added, case, changed, roberta, xlnet
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, trainers

MARK = "\u2581"
SPACES = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}


def metaspace(scheme="always", split=True):
    return {"type": "Metaspace", "replacement": MARK, "prepend_scheme": scheme, "split": split}


def sequence(*parts):
    return {"type": "Sequence", "pretokenizers": list(parts)}


def chain(*parts):
    return {"type": "Sequence", "normalizers": list(parts)}


def plain(kind, **options):
    return {"type": kind, **options}


def precompiled(pairs):
    return plain("Precompiled", precompiled_charsmap=base64.b64encode(charsmap(pairs)).decode())


def some_charsmap():
    """Characters, clusters and beginnings of clusters; ASCII among them; some go, some grow."""
    return {"\t": " ", "\n": " ", "\u3000": " ", "\u00a0": " ", "\uff41": "a", "\u00e9": "e", "e\u0301": "E",
            "a\u0300b": "x", "\ufb01": "fi", "\u2126": "\u03a9", "\u00ad": "", "\u200b": "", "B": "b", "\r": "",
            "\u0301": "'", "\u0300": "",
            "\uac00": "\u1100\u1161", "\u1112\u1161\u11ab": "\ud55c", "\u1112": "h", "\u00a9\u200d": "c", "\u0600": "n",
            "\u0915": "k", "\u094d": "", "\U0001f469": "w", "\U0001f1e9": "D", "\u2581": "_", "''": '"', "'": MARK}


def fixed(pieces, normalizer=None, splitter=None, unk_id=0, processor=None, **model):
    """A tokenizer.json of pieces with scores."""
    pieces = [["<unk>", 0.0], ["<s>", 0.0], ["</s>", 0.0], ["<pad>", 0.0], ["<mask>", 0.0], *pieces]
    tokens = [{"id": i, "content": piece, "single_word": False, "lstrip": piece == "<mask>", "rstrip": False,
               "normalized": False, "special": True} for i, (piece, _) in enumerate(pieces[:5])]
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": tokens, "normalizer": normalizer,
            "pre_tokenizer": splitter, "post_processor": processor, "decoder": None,
            "model": {"type": "Unigram", "unk_id": unk_id, "vocab": pieces, **model}}


def tied(scores, seed):
    """All words of three letters with few different scores: equal ways everywhere."""
    draw = random.Random(seed)
    words = [a + b + c for a in "abe" for b in ["", *"abe"] for c in ["", *"abe"] if b or not c]
    return [[word, draw.choice(scores)] for word in words]


def pieces():
    """Of the corpus of pipelines.py."""
    counts = {}
    for text in CORPUS:
        for word in text.split():
            for i in range(len(word)):
                for j in range(i + 1, min(len(word), i + 5) + 1):
                    for piece in (word[i:j], MARK + word[i:j] if i == 0 else word[i:j]):
                        counts[piece] = counts.get(piece, 0) + 1
    kept = sorted(counts, key=lambda piece: (-counts[piece] * len(piece), piece))[:160]
    return [[MARK, -3.0], *[[piece, -(6.0 + 1 / (1 + counts[piece])) / len(piece)] for piece in kept]]


def train(texts, size, splitter, processor=roberta, normalizer=None):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = splitter
    trainer = trainers.UnigramTrainer(vocab_size=size, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processor(tokenizer)
    return dict(json.loads(tokenizer.to_str()), normalizer=normalizer)


def with_frame(made, processor):
    tokenizer = Tokenizer.from_str(json.dumps(made))
    tokenizer.post_processor = processor(tokenizer)
    return json.loads(tokenizer.to_str())


NORMALIZERS = {
    "NFC": plain("NFC"), "NFD": plain("NFD"), "NFKC": plain("NFKC"), "NFKD": plain("NFKD"), "Nmt": plain("Nmt"),
    "Lowercase": plain("Lowercase"), "StripAccents": plain("StripAccents"),
    "Strip": plain("Strip", strip_left=True, strip_right=True),
    "Strip left": plain("Strip", strip_left=True, strip_right=False),
    "Strip right": plain("Strip", strip_left=False, strip_right=True),
    "Prepend": plain("Prepend", prepend=MARK), "spaces": SPACES,
    "Replace": plain("Replace", pattern={"String": "oo"}, content="\u00f6"),
    "Replace by nothing": plain("Replace", pattern={"String": "a"}, content=""),
    "white space": plain("Replace", pattern={"Regex": "\\s+"}, content=" "),
    "DeBERTa's": plain("Replace", pattern={"Regex": "\\s{2,}|[\\n\\r\\t]"}, content=" "),
    "set": plain("Replace", pattern={"Regex": "[ab\u00e9]{2}|\\."}, content="<>"),
    "BERT's": plain("BertNormalizer", clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True),
    "BERT's cased": plain("BertNormalizer", clean_text=True, handle_chinese_chars=True, strip_accents=None,
                          lowercase=False),
    "BERT's accents": plain("BertNormalizer", clean_text=False, handle_chinese_chars=False, strip_accents=True,
                            lowercase=False),
    "Precompiled": precompiled(some_charsmap()),
    "Precompiled, all": precompiled({bytes([byte]): "x" for byte in range(1, 256)}),
    "ALBERT's": chain(plain("Replace", pattern={"String": "``"}, content='"'),
                      plain("Replace", pattern={"String": "''"}, content='"'), plain("NFKD"), plain("StripAccents"),
                      plain("Lowercase"), precompiled(some_charsmap()), SPACES),
    "nothing": chain(),
}


def small():
    splits = sequence(plain("WhitespaceSplit"), metaspace())
    for name, normalizer in NORMALIZERS.items():
        yield case(f"Unigram, {name}", fixed(pieces(), normalizer, metaspace()))
    for scheme in ("always", "first", "never"):
        for split in (True, False):
            yield case(f"Unigram, Metaspace {scheme} {split}", fixed(pieces(), None, metaspace(scheme, split)))
    base = fixed(pieces(), None, splits)
    yield case("Unigram, XLM-R's frames", with_frame(base, roberta))
    yield case("Unigram, XLNet's frames", with_frame(base, xlnet))
    yield case("Unigram, added tokens", added(
        base, AddedToken("new film", single_word=True), AddedToken("[E1]", rstrip=True)))
    yield case("Unigram, older Metaspace", changed(base, "pre_tokenizer.pretokenizers.1", {
        "type": "Metaspace", "replacement": MARK, "add_prefix_space": True}))
    yield case("Unigram, whole", fixed(pieces()))
    yield case("Unigram without a type", {**base, "model": {k: v for k, v in base["model"].items() if k != "type"}})
    yield case("Unigram, model's name", base, config={"tokenizer_class": "XLMRobertaTokenizer"}, vocab_txt="[PAD]\n")
    several = [[0.0], [0.0, -1.0], [-1.0, -2.0, -3.0], [-0.1, -0.2, -0.3], [1.5, 3.0], [-1e300, 1e300]]
    for i, scores in enumerate(several):
        yield case(f"Unigram, ties {i}", fixed(tied(scores, i)))
        yield case(f"Unigram, ties split {i}", fixed(tied(scores, 10 + i), None, splits))
    # Unknown text that is a token all the same; and the unknown token inside of it.
    yield case("Unigram, good unknowns", fixed([
        ["x", 40.0], ["ab", 30.0], ["a\u00e9", 31.0], ["<unk>a", 30.0], ["e", 50.0]]))
    long = ["-0.12345678901234567890123", "-3.463411331176758", "-12345678901234567890123e-22", "-0", "-1E-330",
            "-7e-1"]
    raw = json.dumps(fixed([["a", 7], ["b", -8.5], ["ab", 1]]))
    for letter, number in zip("gdflmt", long):
        raw = raw.replace('["ab", 1]', f'["{letter}", {number}], ["ab", 1]')
    yield case("Unigram, long numbers", raw)
    bytes_too = [[f"<0x{byte:02X}>", -9.0] for byte in range(256)]
    yield case("Unigram, bytes", fixed([*pieces(), *bytes_too], None, metaspace(), byte_fallback=True))
    yield case("Unigram, some bytes", fixed([*pieces(), *bytes_too[:200]], None, metaspace(), byte_fallback=True))
    yield case("Unigram, bytes not used", fixed([*pieces(), *bytes_too], None, metaspace(), byte_fallback=False))
    yield from refused(base)


def refused(base):
    def change(place, value, message):
        return case(f"refused: {place} {json.dumps(value)[:50]}", changed(base, place, value), refused=message)

    vocab = base["model"]["vocab"]
    for value, message in [
            ({}, '"vocab" is {}'), ([], '"vocab" is []'), ([*vocab, ["new"]], '"vocab" is ["new"]'),
            ([*vocab, ["new", "1"]], '"vocab" is ["new","1"]'), ([*vocab, [1, 1.0]], '"vocab" is [1,1.0]'),
            ([*vocab, ["", 1.0]], "is empty"), ([*vocab, ["a\nb", 1.0]], "is several lines"),
            ([*vocab, vocab[7]], "stands in line 8 already"), ([*vocab, ["new", 1.0, 2]], '"vocab" is ["new",1.0,2]')]:
        yield change("model.vocab", value, message)
    for value in (len(vocab), -1, "0", 1.0):
        yield change("model.unk_id", value, f'"unk_id" is {json.dumps(value)}, expected the number of a token')
    yield change("model.byte_fallback", 1, '"byte_fallback" is 1, expected true or false')
    for number in ("1e999", "-1e999", "NaN"):
        raw = json.dumps(base).replace(json.dumps(vocab[9][1]), number, 1)
        yield case(f"refused: the score {number}", raw, refused="tokenizer.json:")
    damaged = base64.b64encode(charsmap({"a": "b"}) + b"\xff").decode()
    for value, message in [
            (plain("Other"), "a normalizer is Other, expected one of the types BertNormalizer NFC"),
            (plain("ByteLevel"), "a normalizer is ByteLevel"), ("NFC", 'a normalizer is "NFC"'),
            ({}, "a normalizer is {}"),
            (plain("Sequence"), '"normalizers" is nothing, expected a list'),
            (chain(plain("NFCC")), "a normalizer is NFCC"),
            (plain("Strip", strip_left=True), 'normalizer Strip: "strip_right" is nothing, expected true or false'),
            (plain("BertNormalizer"), 'normalizer BertNormalizer: "clean_text" is nothing'),
            (plain("Prepend"), 'normalizer Prepend: "prepend" is nothing, expected a text'),
            (plain("Replace", content=" "), 'normalizer Replace: "pattern" is nothing'),
            (plain("Replace", pattern={"String": ""}, content=" "), 'normalizer Replace: "pattern" is {"String":""}'),
            (plain("Replace", pattern={"String": " "}), 'normalizer Replace: "content" is nothing'),
            (plain("Precompiled"), '"precompiled_charsmap" is nothing, expected a text in base64'),
            (plain("Precompiled", precompiled_charsmap=""), '"precompiled_charsmap" has 0 bytes'),
            (plain("Precompiled", precompiled_charsmap="AAA"), '"precompiled_charsmap" has 0 bytes'),
            (plain("Precompiled", precompiled_charsmap="CAAAAAAA"), '"precompiled_charsmap" has 6 bytes'),
            (plain("Precompiled", precompiled_charsmap=damaged), "no UTF-8")]:
        yield change("normalizer", value, message)
    for pattern in ("a*", "(a)", "^a", "a|", "[a-z]", "[^a]", "\\w", "a{2,3}", "ab+", ".", "[]", "a+?", "a{0,}",
                    "\\p{L}"):
        yield change("normalizer", plain("Replace", pattern={"Regex": pattern}, content=" "),
                     'normalizer Replace: "pattern" is')
    yield case("refused: spiece.model alone", None, refused="transformers makes it: python3 -c", spiece_model="x")
    yield case("refused: another model alone", None,
               refused="From a SentencePiece model transformers makes one: python3 -c")


def trained(texts):
    """name, tokenizer.json, tokenizer_config.json. One training takes minutes, so all share its vocabulary."""
    words = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    made = train(texts[::8], 8000, words)
    yield "Unigram", made, None
    for scheme in ("always", "first", "never"):
        other = dict(made, pre_tokenizer=metaspace(scheme))
        yield f"Unigram {scheme}", with_frame(other, xlnet) if scheme == "never" else other, None
    for name, normalizer in NORMALIZERS.items():
        if name in ("NFKC", "NFC", "DeBERTa's", "Precompiled", "ALBERT's", "BERT's"):
            yield f"Unigram behind {name}", dict(made, normalizer=normalizer), None
