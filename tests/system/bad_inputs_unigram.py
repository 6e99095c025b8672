"""Rows of the table of bad inputs: a folder whose tokenizer.json is of the kind Unigram, or has a normalizer."""

import json

from bad_inputs_rows import TRAIN, row

FILE = r"model/tokenizer\.json: "
TOKENIZE = ["tokenize", "--model", "model", "data/dev.tsv"]
PIECES = [["<unk>", 0.0], ["<s>", 0.0], ["</s>", 0.0], ["<pad>", 0.0], ["\u2581good", -1.5], ["\u2581", -2.0]]


def tokenizer(place=None, value=None, raw=None):
    """Puts a tokenizer.json in the place of vocab.txt; `place`: keys with dots whose value is another."""
    made = {"added_tokens": [{"id": i, "content": PIECES[i][0], "special": True} for i in range(4)], "normalizer": None,
            "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True},
            "post_processor": None, "model": {"type": "Unigram", "unk_id": 0, "vocab": PIECES}}
    if place:
        *keys, last = place.split(".")
        inner = made
        for key in keys:
            inner = inner[key]
        inner[last] = value

    def make(work):
        for name in ("vocab.txt", "tokenizer_config.json", "special_tokens_map.json"):
            (work / "model" / name).unlink(missing_ok=True)
        text = json.dumps(made)
        (work / "model/tokenizer.json").write_text(raw(text) if raw else text)
    return make


def bad(name, place, value, *patterns):
    row(f"unigram-{name}", tokenizer(place, value), TOKENIZE, 1, FILE, *patterns)


bad("vocab-missing", "model.vocab", None, r'model: "vocab" is null, expected a list of \[token, score\]')
bad("vocab-empty", "model.vocab", [], r'"vocab" is \[\]')
bad("piece-short", "model.vocab", [*PIECES, ["a"]], r'"vocab" is \["a"\]')
bad("piece-empty", "model.vocab", [*PIECES, ["", -1.0]], r'"vocab": token 6 is empty')
bad("piece-doubled", "model.vocab", [*PIECES, PIECES[4]], r"vocab:7: token .*good. stands in line 5 already")
bad("piece-lines", "model.vocab", [*PIECES, ["a\nb", -1.0]], r'"vocab": token 6 is several lines')
bad("score-text", "model.vocab", [*PIECES, ["a", "-1"]], r'"vocab" is \["a","-1"\]')
bad("unk-out-of-range", "model.unk_id", 6, r'"unk_id" is 6, expected the number of a token')
bad("unk-negative", "model.unk_id", -1, r'"unk_id" is -1')
bad("byte-fallback", "model.byte_fallback", "yes", r'"byte_fallback" is "yes", expected true or false')
bad("normalizer-unknown", "normalizer", {"type": "ByteLevel"}, "a normalizer is ByteLevel, expected one of")
bad("normalizer-flag", "normalizer", {"type": "Strip"}, r'normalizer Strip: "strip_left" is nothing')
bad("normalizer-regex", "normalizer", {"type": "Replace", "pattern": {"Regex": "(a|b)*"}, "content": ""},
    r'normalizer Replace: "pattern" is \{"Regex":"\(a\|b\)\*"\}')
bad("normalizer-empty-pattern", "normalizer", {"type": "Replace", "pattern": {"String": ""}, "content": "x"},
    r'normalizer Replace: "pattern" is \{"String":""\}')
bad("charsmap-no-base64", "normalizer", {"type": "Precompiled", "precompiled_charsmap": "?"},
    r'normalizer Precompiled: "precompiled_charsmap" has 0 bytes')
bad("charsmap-short", "normalizer", {"type": "Precompiled", "precompiled_charsmap": "AAQAAAAA"},
    r'normalizer Precompiled: "precompiled_charsmap" has 6 bytes')
row("unigram-score-infinite", tokenizer(raw=lambda text: text.replace("-1.5", "1e999")), TOKENIZE, 1, FILE, r"1e999")
row("unigram-score-nan", tokenizer(raw=lambda text: text.replace("-1.5", "NaN")), TOKENIZE, 1, r"tokenizer\.json",
    r"NaN")
row("unigram-truncated", tokenizer(raw=lambda text: text[:200]), TOKENIZE, 1, r"tokenizer\.json")
row("unigram-no-unk", tokenizer("model.unk_id", None), TOKENIZE, 1, r'has no "unk_id"')
row("unigram-train", tokenizer("model.unk_id", 9), TRAIN, 1, FILE, r'"unk_id" is 9', absent=["new/result.json"])
row("sentencepiece-alone", lambda work: [(work / "model/vocab.txt").unlink(),
                                         (work / "model/spiece.model").write_bytes(b"\n\x0e\n\x05<unk>")], TOKENIZE, 1,
    r"model: there is no tokenizer\.json beside model/spiece\.model; transformers makes it: python3 -c")
