"""Rows of the table of bad inputs: a folder whose tokenizer is byte-level BPE, in one file or two."""

import json

from bad_inputs_rows import TRAIN, row

FILE = r"model/tokenizer\.json: "
TOKENIZE = ["tokenize", "--model", "model", "data/dev.tsv"]
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
VOCAB = {token: i for i, token in enumerate([*SPECIAL, *"abcdefghijklmnopqrstuvwxyz\u0120", "go", "od", "good"])}
MERGES = [["g", "o"], ["o", "d"], ["go", "od"]]


def tokenizer(place=None, value=None, raw=None):
    """Puts a tokenizer.json in the place of vocab.txt; `place`: keys with dots whose value is another."""
    made = {"added_tokens": [{"id": i, "content": SPECIAL[i], "special": True} for i in range(4)], "normalizer": None,
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True},
            "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0]},
            "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "vocab": VOCAB, "merges": MERGES}}
    if place:
        *keys, last = place.split(".")
        inner = made
        for key in keys:
            inner = inner[key]
        inner[last] = value

    def make(work):
        clear(work)
        text = json.dumps(made)
        (work / "model/tokenizer.json").write_text(raw(text) if raw else text)
    return make


def clear(work):
    for name in ("vocab.txt", "tokenizer_config.json", "special_tokens_map.json"):
        (work / "model" / name).unlink(missing_ok=True)


def two_files(vocab=json.dumps(VOCAB), merges="#version: 0.2\ng o\no d\ngo od\n", config=None):
    def make(work):
        clear(work)
        for name, content in [("vocab.json", vocab), ("merges.txt", merges), ("tokenizer_config.json", config)]:
            if content is not None:
                (work / "model" / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return make


def bad(name, place, value, *patterns):
    row(f"bpe-{name}", tokenizer(place, value), TOKENIZE, 1, FILE, *patterns)


def bad_pair(name, *patterns, **files):
    row(f"bpe-pair-{name}", two_files(**files), TOKENIZE, 1, *patterns)


row("bpe-good", tokenizer(), TOKENIZE, 0)
row("bpe-pair-good", two_files(), TOKENIZE, 0)
bad("merge-unknown-part", "model.merges", [*MERGES, ["zz", "a"]], r'merge 4: the vocabulary has no token "zz"')
bad("merge-unknown-result", "model.merges", [*MERGES, ["a", "b"]], r'merge 4: the vocabulary has no token "ab"')
bad("merge-doubled", "model.merges", [*MERGES, MERGES[0]], r'merge 4: it is there already, and gives "go"')
bad("merge-cyclic", "model.merges", [["", "a"]], r'merge 1: a part is empty, so it leads back to "a"')
bad("merge-of-three", "model.merges", ["g o o"], r'merge 1: expected two tokens with a space between them')
bad("merge-of-numbers", "model.merges", [[1, 2]], r'merge 1: expected "a b" or \["a", "b"\], found')
bad("merges-missing", "model.merges", None, r'model: "merges" is null, expected a list')
bad("vocab-list", "model.vocab", [], r'model: "vocab" is \[\], expected an object')
bad("id-out-of-range", "model.vocab", {**VOCAB, "good": 99}, r'token "good" has no id of its own in 0 \.\. 33')
bad("id-doubled", "model.vocab", {**VOCAB, "good": 5}, r'token "good" has no id of its own')
bad("id-negative", "model.vocab", {**VOCAB, "good": -1}, r'token "good" has no id of its own')
bad("id-hole", "model.vocab", {**VOCAB, "x1": 35}, r'token "x1" has no id of its own in 0 \.\. 34')
bad("id-text", "model.vocab", {**VOCAB, "good": "33"}, r'token "good" has no id of its own')
bad("dropout", "model.dropout", 0.1, r'model: "dropout" is 0\.1, expected null')
bad("byte-fallback", "model.byte_fallback", True, r'model: "byte_fallback" is true, expected false')
bad("suffix", "model.end_of_word_suffix", "</w>", r'model: "end_of_word_suffix" is "</w>"')
bad("prefix", "model.continuing_subword_prefix", "##", r'model: "continuing_subword_prefix" is "##"')
bad("unk", "model.unk_token", "[UNK]", r'model: "unk_token" is "\[UNK\]", expected a token of the vocabulary')
bad("model-key", "model.more", 1, r'model: BPE has the key "more" \(1\)')
bad("model-type", "model.type", "WordLevel", r'model: "type" is "WordLevel", expected one of WordPiece, BPE, Unigram')
bad("splitter", "pre_tokenizer", {"type": "Digits"}, r'pre_tokenizer: the component is \{"type":"Digits"\}, expected '
'Bert')
bad("splitter-key", "pre_tokenizer.more", 1, r'pre_tokenizer: ByteLevel has the key "more"')
bad("splitter-regex", "pre_tokenizer", {"type": "Split", "pattern": {"Regex": "a"}, "behavior": "Isolated"},
    r'pre_tokenizer: "pattern" is \{"Regex":"a"\}')
bad("processor", "post_processor", {"type": "Other"}, r'post_processor: the component is \{"type":"Other"\}')
bad("processor-number", "post_processor.sep", ["</s>", 3], r'gives the token "</s>" the number 3, expected 2')
bad("processor-token", "post_processor.cls", ["<cls>", 0], r'no token "<cls>"')
bad("template-empty", "post_processor", {"type": "TemplateProcessing", "single": [], "pair": [], "special_tokens": {}},
    r'post_processor: "single" is \[\]')
bad("added-number", "added_tokens", [{"id": 9, "content": "<s>", "special": True}],
    r'the added token "<s>" has the number 9')
row("bpe-truncated", tokenizer(raw=lambda text: text[: len(text) // 2]), TOKENIZE, 1, r"model/tokenizer\.json")
row("bpe-train", tokenizer("model.dropout", 0.5), TRAIN, 1, FILE, r'"dropout" is 0\.5', absent=["new/result.json"])
row("bpe-no-frame", tokenizer("post_processor", None), TRAIN, 1, r"model: the tokenizer puts no special token around",
    absent=["new/result.json"])
bad_pair("no-merges", r"model/merges\.txt", merges=None)
bad_pair("line", r"model/merges\.txt: merge 2: expected two tokens with a space", merges="g o\nx\n")
bad_pair("blank-line", r"model/merges\.txt: merge 2: expected two tokens with a space", merges="g o\n\no d\n")
bad_pair("bytes", r"model/merges\.txt.*UTF-8", merges=b"g o\n\xff o\n")
bad_pair("vocab-truncated", r"model/vocab\.json", vocab=json.dumps(VOCAB)[:60])
bad_pair("vocab-list", r"model/vocab\.json", vocab="[]")
bad_pair("class", r'"tokenizer_class" is "GPT2Tokenizer", expected RobertaTokenizer',
         config='{"tokenizer_class": "GPT2Tokenizer"}')
bad_pair("prefix", r'"add_prefix_space" is 1, expected true or false', config='{"add_prefix_space": 1}')
bad_pair("no-separator", r'"sep_token" is null', config='{"sep_token": null}')
