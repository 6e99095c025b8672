#!/usr/bin/env python3
"""Ids of tokenizers that follow a tokenizer.json: those of Tokenizer.from_file of Hugging Face's library `tokenizers`.

    pipelines.py [--only NAME]         writes data/NAME.json, small tokenizers with ids and refusals, which
                                       test_tokenizer_folders.c reads: pipelines of many kinds, unigram of unigram.py
    pipelines.py --check PROGRAM       compares these, and random ones, with the ids that `PROGRAM tokenize` prints
    pipelines.py --check PROGRAM --shared DIR [--only NAME] [FOLDER ...]
                                       the same for tokenizers trained on DIR's data sets, for the folders of
                                       DIR/tokenizers, and for the folders named: every line of the data sets, single
                                       and as pairs with limits, 40,000 hard texts, and every code point (minutes each)

A further kind of tokenizer adds its cases to `small` and `trained`. Needs the versions of truth.py."""

import argparse
import copy
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import tokenizers
import transformers
import truth
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from tokenizer import BLOCK, POINTS, random_texts, shared_files

TEXTS = [
    "", " ", "  ", "a", " a", "a ", "  a  b   c    ", "\t\n a\n\nb \r\n c\u00a0d\u3000 "
    "e\u2028\u2029f\u0085g\u200bh\ufeffi",
    "good film, bad plot! Good Film; BAD PLOT? the-end (of) [it]... ''quoted'' \"x\" $5.00 100% a_b_c",
    "don't I'll you're we've I'm he'd it's DON'T 's 'll '' ' 'S x'sx'rex'vex'llx 'd'm't ''re",
    "1 12 123 1a a1 3.14 \u00b2\u00bd\u2460\u0663\u0967\u2167 x\u00b2",
    "\u00e9\u00e8 e\u0301 \u00c5ngstr\u00f6m \u0130stanbul \u01c5 \u00df \ufb01n Stra\u00dfe \u03a3\u03c3\u03c2",
    "\uc88b\uc740 \uc601\ud654 \uc88b\uc740\uc601\ud654\uc785\ub2c8\ub2e4. \u1112\u1161\u11ab\u1100\u1173\u11af "
    "\uac00\u11a8",
    "\u4e2d\u6587\u7535\u5f71 \u65e5\u672c\u8a9e\u306e\u6620\u753b \u30ab\u3099 \uff76\uff9e "
    "\u0939\u093f\u0928\u094d\u0926\u0940 \u0e44\u0e17\u0e22",
    "\U0001f469\u200d\U0001f467\u200d\U0001f466 \u2764\ufe0f \U0001f1e9\U0001f1ea 1\ufe0f\u20e3 "
    "\U0001f3f4\U000e0067\U000e007f",
    "<s>a</s> b <mask> c<mask>d  <mask>  e <pad><unk> <unk>x </s></s> < s> <S>",
    "new film newfilm New  Film renew film  new film.", "[E1]x [E1] [e1] x[E1][/E1]  [/E1]  y",
    "a\u2581b \u2581c \u2581\u2581d\u2581", "hug pug hugs bun pun mug  hugging\u0301face",
    "goodgoodgoodgoodgoodgoodfilmfilmfilmplotplotbadbadbad" * 3, "x" * 300, "\u00e9" * 70, "!?" * 40, " \t" * 40,
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaabaaaaaaaaaaaaaaaaaaab", "\u202ertl\u202c \u2066x\u2069 \u00adsoft\u00ad "
    "\u0000".rstrip("\0"),
]
PAIRS = [(a, b, limit) for a, b in [("good film", "bad plot"), ("", "x"), ("x", ""), ("good film of the day", "a"),
                                    ("a b c d e f g", "h i j k l m n o"), (" a", " b")]
         for limit in (0, 7, 8, 11, 14)]
CORPUS = ["good film bad plot the end of it is not good", "the film is good , the plot is bad .",
          "hugging hugs hug pug pun",
          "it's don't we're I'll you've he'd I'm", "100 200 12 2020 1999",
          "\uc88b\uc740 \uc601\ud654 \uc601\ud654\ub2e4",
          "a\u0301 e\u0301 \u00e9\u00e8 caf\u00e9 na\u00efve", "x y z new film renew", "aaaa aaaaaaaa aab baa"] * 8
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


# ---- Pieces of pipelines ----


def roberta(tokenizer):
    """RoBERTa's frames for a tokenizer."""
    return processors.RobertaProcessing(("</s>", tokenizer.token_to_id("</s>")), ("<s>", tokenizer.token_to_id("<s>")))


def template(tokenizer, single, pair):
    names = {name for name in f"{single} {pair}".replace(":0", "").replace(":1", "").replace(":2", "").split()
             if name[0] != "$"}
    return processors.TemplateProcessing(single=single, pair=pair,
                                         special_tokens=[(name, tokenizer.token_to_id(name)) for name in sorted(names)])


def xlnet(tokenizer):
    return template(tokenizer, "$A:0 </s>:0 <s>:2", "$A:0 </s>:0 $B:1 </s>:1 <s>:2")


def train_bpe(texts, size, splitter, processor=roberta, bytes_too=True, normalizer=None, **options):
    tokenizer = Tokenizer(models.BPE(**options))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = splitter
    alphabet = pre_tokenizers.ByteLevel.alphabet() if bytes_too else []
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=size, special_tokens=SPECIAL,
                                                             show_progress=False,
                                                             initial_alphabet=alphabet))
    if processor:
        tokenizer.post_processor = processor(tokenizer)
    return json.loads(tokenizer.to_str())


def train_wordpiece(texts, size, processor=roberta, splitter=False, normalizer=None, **normal):
    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer(**normal) if splitter is False else normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer() if splitter is False else splitter
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=size, special_tokens=SPECIAL,
                                                                   show_progress=False))
    if processor:
        tokenizer.post_processor = processor(tokenizer)
    return json.loads(tokenizer.to_str())


def byte_level(prefix=False, **options):
    return pre_tokenizers.ByteLevel(add_prefix_space=prefix, **options)


def added(made, *tokens):
    """With further added tokens."""
    tokenizer = Tokenizer.from_str(json.dumps(made))
    tokenizer.add_tokens([token if isinstance(token, AddedToken) else AddedToken(token) for token in tokens])
    return json.loads(tokenizer.to_str())


def changed(made, place, value):
    """With another value at a place, a path of keys with dots."""
    made = copy.deepcopy(made)
    *keys, last = place.split(".")
    inner = made
    for key in keys:
        inner = inner[int(key) if isinstance(inner, list) else key]
    inner[int(last) if isinstance(inner, list) else last] = value
    return made


# ---- Small cases ----


def case(name, made, refused=None, config=None, **files):
    """A folder: a tokenizer.json, tokenizer_config.json, and files by their texts. pair: RoBERTa's of two files."""
    contents = {"config.json": "{}"}
    if made is not None:
        contents["tokenizer.json"] = made if isinstance(made, str) else json.dumps(made, ensure_ascii=False)
    if config is not None:
        contents["tokenizer_config.json"] = json.dumps(config, ensure_ascii=False)
    contents.update({key.replace("_json", ".json").replace("_txt", ".txt").replace("_model", ".model"): text for key,
                     text in files.items()})
    return {"name": name, "files": contents, **({"refused": refused} if refused else {})}


def two_files(made):
    """vocab.json and merges.txt."""
    merges = "".join(" ".join(merge) + "\n" for merge in made["model"]["merges"])
    return {"vocab_json": json.dumps(made["model"]["vocab"], ensure_ascii=False),
            "merges_txt": "#version: 0.2\n" + merges}


def two_ids():
    """A template with a special token that is two, the second text's separator with its type."""
    def piece(name, kind):
        return {"Sequence" if name in "AB" else "SpecialToken": {"id": name, "type_id": kind}}
    return {"type": "TemplateProcessing", "single": [piece("two", 0), piece("A", 0), piece("</s>", 0)],
            "pair": [piece("two", 0), piece("A", 0), piece("two", 0), piece("</s>", 1), piece("B", 1)],
            "special_tokens": {"two": {"id": "two", "ids": [0, 3], "tokens": ["<s>", "<unk>"]},
                               "</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]}}}


def small_bpe():
    base = train_bpe(CORPUS, 380, byte_level())
    yield case("BPE", base)
    yield case("BPE, prefix", train_bpe(CORPUS, 380, byte_level(True)))
    yield case("BPE, no pattern", train_bpe(CORPUS, 380, byte_level(use_regex=False)))
    yield case("BPE, merges as texts", changed(base, "model.merges", [" ".join(m) for m in base["model"]["merges"]]))
    yield case("BPE without a type", {**base, "model": {k: v for k, v in base["model"].items() if k != "type"}})
    yield case("BPE, ignore_merges", changed(changed(base, "model.ignore_merges", True), "model.merges",
                                             base["model"]["merges"][:40]))
    yield case("BPE, XLNet's frames", train_bpe(CORPUS, 380, byte_level(), xlnet))
    yield case("BPE, doubled tokens", train_bpe(CORPUS, 380, byte_level(), lambda t: template(
        t, "<s> <s> $A </s>", "<s> $A </s>:1 </s>:1 $B:1 </s>:1")))
    yield case("BPE, a special token of two", changed(base, "post_processor", two_ids()))
    yield case("BPE, no frames", train_bpe(CORPUS, 380, byte_level(), None))
    yield case("BPE, two processors", changed(base, "post_processor", {
        "type": "Sequence", "processors": [{"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True},
                                           base["post_processor"]]}))
    yield case("BPE, Bert's processor", changed(base, "post_processor", {"type": "BertProcessing", "sep": ["</s>", 2],
                                                                         "cls": ["<s>", 0]}))
    mask = [dict(token, lstrip=token["content"] == "<mask>") for token in base["added_tokens"]]
    yield case("BPE, <mask> takes spaces", changed(base, "added_tokens", mask))
    yield case("BPE, added tokens", added(base, AddedToken("new film", single_word=True), AddedToken("[E1]",
        lstrip=True),
                                          AddedToken("[/E1]", rstrip=True, normalized=False), AddedToken("  "),
                                          AddedToken("\u4e2d", special=True)))
    yield case("BPE, added spaces", added(base, AddedToken(" ", rstrip=True),
                                          AddedToken("a", lstrip=True, rstrip=True)))
    yield case("BPE, split by words", train_bpe(CORPUS, 380, pre_tokenizers.Sequence([
        pre_tokenizers.WhitespaceSplit(), byte_level(True)])))
    yield case("BPE, split by punctuation", train_bpe(CORPUS, 380, pre_tokenizers.Sequence([
        pre_tokenizers.Punctuation(), byte_level()])))
    for behavior in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"):
        for invert in (False, True):
            yield case(f"BPE, Split {behavior} {invert}", train_bpe(CORPUS, 380, pre_tokenizers.Sequence([
                pre_tokenizers.Split("a", behavior, invert), byte_level()])))
        yield case(f"BPE, Punctuation {behavior}", train_bpe(CORPUS, 380, pre_tokenizers.Sequence([
            pre_tokenizers.Punctuation(behavior), byte_level()])))
    for unknown in (None, "<unk>"):
        for fuse in (False, True):
            yield case(f"BPE of characters, {unknown} {fuse}",
                       train_bpe(CORPUS, 120, pre_tokenizers.Whitespace(), bytes_too=False, unk_token=unknown,
                                 fuse_unk=fuse))
    yield case("BPE of characters, Bert's words", train_bpe(CORPUS, 120, pre_tokenizers.BertPreTokenizer(),
                                                            bytes_too=False, unk_token="<unk>"))
    yield case("BPE of characters, whole", train_bpe(CORPUS, 120, None, bytes_too=False, unk_token="<unk>"))
    for scheme in ("always", "first", "never"):
        for split in (True, False):
            yield case(f"BPE of characters, Metaspace {scheme} {split}", train_bpe(
                CORPUS, 150, pre_tokenizers.Metaspace(prepend_scheme=scheme, split=split), bytes_too=False,
                unk_token="<unk>", fuse_unk=True))
    older = train_bpe(CORPUS, 150, pre_tokenizers.Metaspace(), bytes_too=False, unk_token="<unk>")
    yield case("Metaspace, older", changed(older, "pre_tokenizer", {"type": "Metaspace", "replacement": "\u2581",
                                                                    "add_prefix_space": True}))
    yield case("Metaspace, older without", changed(older, "pre_tokenizer", {
        "type": "Metaspace", "replacement": "\u2581", "str_rep": "\u2581", "add_prefix_space": False,
        "prepend_scheme": "never"}))
    yield case("WordPiece, RoBERTa's frames", train_wordpiece(CORPUS, 150), config={
        "tokenizer_class": "PreTrainedTokenizerFast", "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>",
        "unk_token": "<unk>", "mask_token": "<mask>"})
    for name, normalizer, splitter in [
            ("words", None, pre_tokenizers.Whitespace()), ("no pre-tokenizer", normalizers.Lowercase(), None),
            ("Metaspace", normalizers.NFKC(), pre_tokenizers.Metaspace()), ("bytes", None, byte_level(True))]:
        yield case(f"WordPiece, {name}", train_wordpiece(CORPUS, 150, normalizer=normalizer, splitter=splitter))
    yield case("WordPiece, no frames", train_wordpiece(CORPUS, 150, None))
    yield case("WordPiece, clean_text", train_wordpiece(CORPUS, 150, clean_text=False),
               config={"tokenizer_class": "PreTrainedTokenizerFast"})
    first = train_bpe(CORPUS, 150, pre_tokenizers.Metaspace(prepend_scheme="first"), bytes_too=False,
                      unk_token="<unk>", normalizer=normalizers.Prepend("a"))
    yield case("Metaspace first, Prepend and added tokens", added(first, "a", AddedToken("film", lstrip=True)))
    yield case("refused: Metaspace first, NFD and added tokens",
               added(changed(first, "normalizer", {"type": "NFD"}), "e"), refused='"prepend_scheme" is "NFD"')
    yield case("WordPiece, cased alone", train_wordpiece(CORPUS, 150, lowercase=False))
    for name, config in [("none", None), ("class", {"tokenizer_class": "RobertaTokenizer"}),
                         ("prefix", {"add_prefix_space": True}),
                         ("mask", {"mask_token": dict(content="<mask>", lstrip=True, rstrip=False, single_word=False,
                                                      normalized=False, special=True, __type="AddedToken")})]:
        yield case(f"two files, {name}", None, config=config, **two_files(base))
    yield case("two files and special_tokens_map.json", None, special_tokens_map_json=json.dumps(
        {"cls_token": "</s>", "sep_token": "<s>", "additional_special_tokens": ["new film"]}), **two_files(base))
    yield case("all files", base, **two_files(base))


def refused_bpe():
    base = train_bpe(CORPUS, 300, byte_level())
    merges, vocab = base["model"]["merges"], base["model"]["vocab"]
    last = max(vocab, key=vocab.get)

    def refused(name, place, value, message):
        return case(f"refused: {name}", changed(base, place, value), refused=message)

    for name, merge, message in [
            ("a merge of an unknown token", ["zzz", "a"], 'the vocabulary has no token "zzz"'),
            ("a merge to an unknown token", ["a", last], "the vocabulary has no token"),
            ("a merge twice", merges[0], "it is there already"), ("an empty part", ["", "a"], "leads back to"),
            ("three parts", "a b c", "expected two tokens with a space between them"),
            ("one part", "ab", "expected two tokens with a space between them"),
            ("a merge of numbers", [1, 2], 'expected "a b"'), ("a merge of three", ["a", "b", "c"], 'expected "a b"')]:
        some = [" ".join(m) for m in merges] if isinstance(merge, str) else merges
        yield refused(name, "model.merges", [*some, merge], message)
    for name, change, message in [
            ("an id past the end", {last: len(vocab) + 5}, "has no id of its own"),
            ("an id twice", {last: 0}, "has no id of its own"), ("an id below 0", {last: -1}, "has no id of its own"),
            ("an id that is no number", {last: "7"}, "has no id of its own"), ("a hole", {"new": len(vocab) + 1},
                                                                               "no id of its own"),
            ("a NUL", {"x\0": len(vocab)}, "has U+0000"),
            ("an empty token", {"": len(vocab)}, "empty line")]:
        yield refused(name, "model.vocab", {**vocab, **change}, message)
    for place, value, message in [
            ("model.dropout", 0.1, '"dropout" is 0.1, expected null'),
            ("model.byte_fallback", True, '"byte_fallback" is true, expected false'),
            ("model.continuing_subword_prefix", "##", '"continuing_subword_prefix" is "##"'),
            ("model.end_of_word_suffix", "</w>", '"end_of_word_suffix" is "</w>"'),
            ("model.fuse_unk", "yes", '"fuse_unk" is "yes", expected true or false'),
            ("model.vocab", [], '"vocab" is []'), ("model.merges", {}, '"merges" is {}'), ("model.other", 1,
                'has the key "other"'),
            ("model.type", "WordLevel", '"type" is "WordLevel"'), ("pre_tokenizer.type", "Digits",
                                                                   "pre_tokenizer: the component is"),
            ("pre_tokenizer.add_prefix_space", 1, '"add_prefix_space" is 1'), ("pre_tokenizer.more", 1,
                                                                               'has the key "more"'),
            ("pre_tokenizer", {"type": "Split", "pattern": {"Regex": "a+"}, "behavior": "Isolated", "invert": False},
             '"pattern" is'),
            ("pre_tokenizer", {"type": "Split", "pattern": {"String": "a"}, "behavior": "Other", "invert": False},
             '"behavior" is "Other"'),
            ("pre_tokenizer", {"type": "Metaspace", "replacement": "ab"}, '"replacement" is "ab"'),
            ("pre_tokenizer", {"type": "Metaspace", "replacement": "_", "prepend_scheme": "last"},
             '"prepend_scheme" is "last"'),
            ("pre_tokenizer", {"type": "Metaspace", "replacement": "_", "add_prefix_space": False},
             '"prepend_scheme" is nothing'),
            ("pre_tokenizer", {"type": "Sequence", "pretokenizers": [{"type": "ByteLevel"}, {"type": "Whitespace"}]},
             "behind ByteLevel"),
            ("pre_tokenizer", {"type": "Sequence"}, '"pretokenizers" is nothing'),
            ("normalizer", {"type": "Other"}, "normalizer"), ("post_processor.type", "Other",
                                                              "post_processor: the component is"),
            ("post_processor.sep", ["</s>", 3], 'gives the token "</s>" the number 3'), ("post_processor.sep",
                ["</s>"], '"sep" is'),
            ("post_processor.cls", ["<cls>", 0], 'no token "<cls>"'),
            ("post_processor", {"type": "Sequence", "processors": [base["post_processor"]] * 2}, "one component that"),
            ("post_processor", {"type": "TemplateProcessing", "single": [], "pair": [], "special_tokens": {}},
             '"single" is []'),
            ("post_processor", {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "B", "type_id": 0}}],
                                "pair": [],
                                "special_tokens": {}}, '"Sequence" is'),
            ("post_processor", {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x", "type_id": 0}}],
                                "pair": [],
                                "special_tokens": {}}, '"SpecialToken" is'),
            ("added_tokens.0.id", 4, 'the added token "<s>" has the number 4')]:
        shown = json.dumps(value)[:60]
        yield refused(f"{place} {shown}", place, value, message)
    characters = train_bpe(CORPUS, 120, pre_tokenizers.Whitespace(), bytes_too=False, unk_token="<unk>")
    yield case("refused: unknown unk_token", changed(characters, "model.unk_token", "<none>"),
               refused='"unk_token" is "<none>"')
    whole = json.dumps(base)
    yield case("refused: truncated", whole[: len(whole) // 2], refused="tokenizer.json:")
    yield case("refused: another vocab.json", base, refused="has another id",
               vocab_json=json.dumps({**vocab, "a": vocab["b"], "b": vocab["a"]}))
    pair = two_files(base)
    yield case("refused: no merges.txt", None, refused="merges.txt", vocab_json=pair["vocab_json"])
    yield case("refused: no vocab.json", None, merges_txt=pair["merges_txt"],
               refused="neither vocab.txt, vocab.json, spiece.model nor tokenizer.json")
    yield case("refused: another class", None, config={"tokenizer_class": "GPT2Tokenizer"},
               refused='"tokenizer_class" is "GPT2Tokenizer"', **pair)
    yield case("refused: a line of merges.txt", None, refused="merges.txt: merge 3",
               **{**pair, "merges_txt": "\n".join(pair["merges_txt"].split("\n")[:3] + ["x y z"])})
    yield case("refused: vocab.json truncated", None, refused="vocab.json:",
               **{**pair, "vocab_json": pair["vocab_json"][:200]})


def unigram():
    import unigram  # which imports this file

    return unigram


def small():
    """By the name of the file that has them."""
    return {"pipelines": [*small_bpe(), *refused_bpe()], "unigram": [*unigram().small()]}


# ---- What the library says ----


def write_files(one, place):
    place.mkdir()
    for name, text in one["files"].items():
        (place / name).write_text(text, encoding="utf-8", newline="")


def reference(folder):
    """The tokenizer of a folder: its tokenizer.json, or else RoBERTa's of transformers."""
    if (folder / "tokenizer.json").exists():
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    else:
        tokenizer = transformers.RobertaTokenizerFast.from_pretrained(str(folder)).backend_tokenizer
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def ids_of(tokenizer, text):
    """Of a text, or a pair with a limit."""
    if isinstance(text, str):
        return tokenizer.encode(text).ids
    a, b, limit = text
    if limit:
        tokenizer.enable_truncation(limit)
    ids = tokenizer.encode(a, b).ids
    tokenizer.no_truncation()
    return ids


def room(tokenizer, pair):
    return tokenizer.num_special_tokens_to_add(pair) + 1 + pair


def shorten(kept):
    """What many folders have in common stands once: blocks, for which texts of files have @@number@@."""
    blocks, ids, folders = [], [], []

    def place(of, item):
        if item not in of:
            of.append(item)
        return of.index(item)

    for one in kept:
        files = dict(one["files"])
        for name, text in files.items():
            if name == "tokenizer.json":
                try:
                    model = json.loads(text)["model"]
                except ValueError:
                    model = {}
                parts = [json.dumps(model[key], ensure_ascii=False) for key in ("vocab", "merges") if key in model]
                for part in filter(lambda part: len(part) > 100, parts):
                    text = text.replace(part, f"@@{place(blocks, part)}@@")
            files[name] = f"@@{place(blocks, text)}@@" if len(text) > 200 else text
        folders.append(dict(one, files=files, **({"ids": place(ids, one["ids"])} if "ids" in one else {})))
    return {"blocks": blocks, "ids": ids, "folders": folders}


def write(path, cases):
    kept = []
    texts = [*TEXTS, *PAIRS]
    with tempfile.TemporaryDirectory() as scratch:
        for i, one in enumerate(cases):
            write_files(one, Path(scratch) / str(i))
            if not one.get("refused"):
                tokenizer = reference(Path(scratch) / str(i))
                one["ids"] = [ids_of(tokenizer, text) for text in texts]
            kept.append(one)
    made = {"tokenizers": tokenizers.__version__, "transformers": transformers.__version__, "texts": texts,
            **shorten(kept)}
    path.write_text(json.dumps(made, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(path, path.stat().st_size, "bytes,", len(kept), "folders")


# ---- What the program says ----


def run_program(program, folder, lines, *options):
    run = subprocess.run([program, "tokenize", "--model", str(folder), *options], input="".join(lines).encode(),
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if run.returncode:
        return run.stderr.decode().strip()
    return [[int(i) for i in line.split()] for line in run.stdout.decode().split("\n")[:-1]]


def differ(name, what, program, folder, texts, expected, *options):
    """Prints and returns how many differ."""
    lines = [text if isinstance(text, str) else text[0] + "\t" + text[1] for text in texts]
    found = run_program(program, folder, [line + "\n" for line in lines], *options)
    if isinstance(found, str):
        print(f"{name}, {what}: {found}")
        return len(texts)
    bad = [(text, f, e) for text, f, e in zip(texts, found, expected, strict=True) if f != e]
    print(f"{name}, {what}: {len(texts)} texts, {sum(map(len, expected))} tokens, {len(bad)} differ", flush=True)
    for text, f, e in bad[:3]:
        print("  ", ascii(text)[:300], "\n    found   ", f[:40], "\n    expected", e[:40])
    return len(bad)


def is_line(text):
    return "\n" not in text


def is_side(text):
    return "\n" not in text and "\t" not in text


def check_singles(name, what, program, folder, tokenizer, texts):
    texts = list(filter(is_line, texts))
    return differ(name, what, program, folder, texts, [e.ids for e in tokenizer.encode_batch(texts)])


def check_pairs(name, what, program, folder, tokenizer, pairs, limits=(0, 16, 33, 128)):
    wrong = 0
    for limit in limits:
        some = pairs if limit == 0 else pairs[:: len(limits)]
        if limit:
            tokenizer.enable_truncation(limit)
        expected = [e.ids for e in tokenizer.encode_batch(some)]
        tokenizer.no_truncation()
        wrong += differ(name, f"{what}, pairs cut to {limit}", program, folder, some, expected, "--pair",
                        *(["--limit", str(limit)] if limit else []))
    return wrong


def hard_texts(tokenizer, count):
    """Mixed scripts, marks, controls, spaces, added tokens, contractions."""
    special = sorted({token.content for token in tokenizer.get_added_tokens_decoder().values()})[:40]
    special += ["'s", "'ll", " '", "  ", "\u00a0", "\u2028", "\u2581", "\u1112\u1161\u11ab", "1\ufe0f\u20e3", "\u0301"]
    yield from filter(is_line, (text for text in TEXTS))
    yield from random_texts(count, special)


def point_texts():
    for i in range(0, len(POINTS), BLOCK):
        yield " ".join(f"a{c}b {c} 1{c}2 {c}{c}!{c}  {c}" for c in map(chr, POINTS[i : i + BLOCK]) if c not in "\n\t")


def check_folder(name, program, folder, shared):
    tokenizer, wrong = reference(folder), 0
    for place, examples in shared_files(shared):
        if examples[0][1] is not None:
            wrong += check_pairs(name, place, program, folder, tokenizer,
                                 [e for e in examples if is_side(e[0]) and is_side(e[1])])
        else:
            texts = [a for a, _ in examples]
            wrong += check_singles(name, place, program, folder, tokenizer, texts)
            sides = list(filter(is_side, texts))[:4000]
            wrong += check_pairs(name, place, program, folder, tokenizer, list(zip(sides, sides[1:] + sides[:1])))
    hard = list(hard_texts(tokenizer, 40000))
    wrong += check_singles(name, "hard texts", program, folder, tokenizer, hard)
    sides = list(filter(is_side, hard))[:8000]
    wrong += check_pairs(name, "hard texts", program, folder, tokenizer, list(zip(sides, sides[1:] + sides[:1])))
    return wrong + check_singles(name, "every code point", program, folder, tokenizer, point_texts())


def trained(shared):
    """name, tokenizer.json, tokenizer_config.json: trained on the data sets."""
    texts = [a for place, examples in shared_files(shared) for a, _ in examples[:8000]]
    yield "byte-level BPE", train_bpe(texts, 12000, byte_level()), None
    yield "byte-level BPE, prefix space", train_bpe(texts, 12000, byte_level(True), xlnet), None
    yield "BPE of words", train_bpe(texts, 12000, pre_tokenizers.Whitespace(), bytes_too=False, unk_token="<unk>",
                                    fuse_unk=True), None
    yield "WordPiece", train_wordpiece(texts, 12000), {
        "tokenizer_class": "PreTrainedTokenizerFast", "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>",
        "unk_token": "<unk>", "mask_token": "<mask>"}
    yield from unigram().trained(texts)


def folders_of(shared, scratch, named):
    yield from ((str(folder), folder) for folder in named)
    for folder in [] if named else sorted((shared / "tokenizers").iterdir()):
        yield folder.name, folder
        if (folder / "merges.txt").exists():
            place = scratch / f"{folder.name}-pair"
            place.mkdir()
            for file in folder.iterdir():
                if file.name != "tokenizer.json":
                    (place / file.name).write_bytes(file.read_bytes())
            yield place.name, place
    for name, made, config in [] if named else trained(shared):
        place = scratch / name
        write_files(case(name, made, config=config), place)
        yield name, place


def check_shared(program, shared, only, named):
    with tempfile.TemporaryDirectory() as scratch:
        return sum(check_folder(name, program, folder, shared)
                   for name, folder in folders_of(shared, Path(scratch), named) if only in name)


def check_small(program):
    wrong, texts = 0, list(random_texts(300, [*SPECIAL, "'s", "  ", "\u2581", "new film", "[E1]", "good", " film"]))
    with tempfile.TemporaryDirectory() as scratch:
        for i, one in enumerate(sum(small().values(), [])):
            folder = Path(scratch) / str(i)
            write_files(one, folder)
            if not one.get("refused"):
                wrong += check_singles(one["name"], "texts", program, folder, reference(folder), [*TEXTS, *texts])
                continue
            found = run_program(program, folder, ["a\n"])
            if not isinstance(found, str) or one["refused"] not in found:
                wrong += 1
                print(f"{one['name']}: expected a refusal with '{one['refused']}', found {found}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", metavar="PROGRAM")
    parser.add_argument("--shared", type=Path)
    parser.add_argument("--only", default="", help="folders with this in their name")
    parser.add_argument("folder", type=Path, nargs="*")
    arguments = parser.parse_args()
    truth.require(tokenizers, transformers)
    transformers.logging.set_verbosity_error()
    if not arguments.check:
        for name, cases in small().items():
            if arguments.only in name:
                write(Path(__file__).parent / "data" / f"{name}.json", cases)
        return
    program = os.path.abspath(arguments.check)
    wrong = (check_shared(program, arguments.shared, arguments.only, arguments.folder) if arguments.shared
             else check_small(program))
    print(f"{wrong} differ from tokenizers {tokenizers.__version__}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
