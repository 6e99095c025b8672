#!/usr/bin/env python3
"""Many small model folders that declare added tokens, special tokens, classes and flags in every place that
transformers looks at, and the ids that its AutoTokenizer gives texts in each.

    folders.py                  writes data/folders.json, which test_tokenizer_folders.c reads
    folders.py --check PROGRAM  compares with what `PROGRAM tokenize` prints, now, and does the same with as many random
                                folders (--random N, default 300; --seed)

A folder that the program refuses on purpose has the words of its message beside it. Needs the versions of truth.py."""

import argparse
import itertools
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

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ("good bad film plot the a is not ##s ##ly . , "
         "[ ] e 1 ##1 x ##x new é ##é 中 E mask cls <s> </s> <unk> <pad> <mask>".split())
CASED = ["Good", "Film", "É", "Ee", "##Ee", "İ", "i"]
VOCABULARY = SPECIAL + WORDS + CASED
TEXTS = [
    "[E1] good film [/E1] bad plot",
    "good[E1]film x[E1]x [E1]1 [e1] [ E1 ] ×[E1]é[E1]中",
    "a  [E1]   the [MASK] is[MASK]not [mask] [Mask] [CLS][SEP] [PAD] [UNK]",
    "Good Film bad GOOD goodness É é E\u0301 i\u0307 İ 中中a",
    "new film newfilm New  Film NEW FILM xnew film new filmx <s> good </s> <mask> <unk> <pad>",
    "\u200b[E\u200b1] \u0301[E1]\u0301 [E1]\u00a0\u3000[/E1]\u000b[E1]\u0085a [E1] ",
    "",
]


def flags(content, **on):
    return dict(dict(content=content, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True),
                **on)


def typed(content, **on):
    return dict(flags(content, **on), __type="AddedToken")


def pipeline(vocabulary, added=(), cls="[CLS]", sep="[SEP]", unk="[UNK]", template=False, **normalizer):
    vocab = {token: i for i, token in enumerate(vocabulary)}
    listed = [dict(flags(token), id=vocab[token]) for token in SPECIAL if token in vocab]
    if template:
        special = lambda name, kind: {"SpecialToken": {"id": name, "type_id": kind}}
        text = lambda name, kind: {"Sequence": {"id": name, "type_id": kind}}
        single = [special(cls, 0), text("A", 0), special(sep, 0)]
        tokens = {name: {"id": name, "ids": [vocab[name]], "tokens": [name]} for name in (cls, sep)}
        processor = {"type": "TemplateProcessing", "single": single,
                     "pair": single + [text("B", 1), special(sep, 1)], "special_tokens": tokens}
    else:
        processor = {"type": "BertProcessing", "sep": [sep, vocab[sep]], "cls": [cls, vocab[cls]]}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": listed + list(added),
        "normalizer": dict(dict(type="BertNormalizer", clean_text=True, handle_chinese_chars=True, strip_accents=None,
                                lowercase=True), **normalizer),
        "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": processor, "decoder": None,
        "model": {"type": "WordPiece", "unk_token": unk, "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": vocab},
    }


def folder(name, config=None, map=None, added=None, vocabulary=VOCABULARY, more=0, json_file=None, text_file=True,
           refused=None, text=False, **model):
    """One case. more: rows of the model past the vocabulary. text: for want of such rows [MASK] is text, on purpose."""
    files = {"config.json": dict({"model_type": "bert", "vocab_size": len(vocabulary) + more}, **model)}
    for place, content in [("tokenizer_config.json", config), ("special_tokens_map.json", map),
                           ("added_tokens.json", added), ("tokenizer.json", json_file)]:
        if content is not None:
            files[place] = content
    result = {"name": name,
              "files": {place: json.dumps(content, ensure_ascii=False) for place, content in files.items()}}
    if text_file:
        result["files"]["vocab.txt"] = "".join(token + "\n" for token in vocabulary)
    if refused:
        result["refused"] = refused
    if text:
        result["text"] = True
    return result


def places():
    """[E1] and [/E1], declared in every place, in the vocabulary and behind it, for several classes."""
    pair, size = ["[E1]", "[/E1]"], len(VOCABULARY)
    numbered = {str(size + i): flags(token) for i, token in enumerate(pair)}
    declared = {
        "additional": dict(config={"additional_special_tokens": pair}),
        "additional objects": dict(config={"additional_special_tokens": [typed(t) for t in pair]}),
        "extra": dict(config={"extra_special_tokens": pair}),
        "extra by name": dict(config={"extra_special_tokens": {"first_token": pair[0], "second": pair[1]}}),
        "own keys": dict(config={"begin_token": pair[0], "end_token": typed(pair[1])}),
        "bos and eos": dict(config={"bos_token": pair[0], "eos_token": pair[1]}),
        "decoder": dict(config={"added_tokens_decoder": numbered}),
        "decoder and list": dict(config={"added_tokens_decoder": numbered, "additional_special_tokens": pair}),
        "map": dict(map={"additional_special_tokens": pair}),
        "map, extra": dict(map={"extra_special_tokens": pair}),
        "map, extra objects": dict(map={"extra_special_tokens": [{"content": t, "lstrip": True} for t in pair]}),
        "map, own keys": dict(map={"begin_token": pair[0], "end_token": flags(pair[1])}),
        "map, list in both": dict(config={"extra_special_tokens": pair[:1]}, map={"extra_special_tokens": pair[1:]}),
        "map, but a list": dict(config={"additional_special_tokens": []}, map={"additional_special_tokens": pair}),
        "map, but a decoder": dict(config={"added_tokens_decoder": {}}, map={"additional_special_tokens": pair}),
        "added_tokens.json": dict(added=dict(zip(pair, [size, size + 1]))),
        "added_tokens.json, turned": dict(added=dict(zip(pair[::-1], [size + 1, size]))),
        "added_tokens.json, special": dict(config={"additional_special_tokens": pair},
                                           added=dict(zip(pair, [size, size + 1]))),
        "both lists": dict(config={"extra_special_tokens": pair[:1], "additional_special_tokens": pair[1:]}),
    }
    for what, files in declared.items():
        for within in (False, True):
            vocabulary = VOCABULARY + pair if within else VOCABULARY
            yield folder(f"{what}, {within}", vocabulary=vocabulary, more=0 if within else 2, **files)
    native = [dict(flags(token), id=size + i) for i, token in enumerate(pair)]
    for kind in (None, "BertTokenizer", "BertTokenizerFast", "PreTrainedTokenizerFast", "TokenizersBackend",
                 "ConvBertTokenizer", "RetriBertTokenizerFast", "ElectraTokenizerFast", "DistilBertTokenizer",
                 "MobileBertTokenizer", "SqueezeBertTokenizer", "LayoutLMTokenizer", "LxmertTokenizer",
                 "DPRReaderTokenizer"):
        config = {"tokenizer_class": kind} if kind else {}
        for within, template in itertools.product((False, True), repeat=2):
            vocabulary = VOCABULARY + pair if within else VOCABULARY
            for what, files in [("", {}), ("additional", {"additional_special_tokens": pair}),
                                ("decoder", {"added_tokens_decoder": numbered}),
                                ("decoder, none", {"added_tokens_decoder": {}})]:
                yield folder(f"tokenizer.json, {kind}, {within}, {template}, {what}", dict(config, **files),
                             vocabulary=vocabulary, more=0 if within else 2, text_file=within,
                             json_file=pipeline(vocabulary, native, template=template, lowercase=False))


def all_flags():
    for on in itertools.product((False, True), repeat=4):
        chosen = dict(zip(("single_word", "lstrip", "rstrip", "normalized"), on))
        for case in (False, True):
            tokens = ["[E1]", "new film", "É", "x", "中a", "E1", "[/E1]"]
            decoder = {str(len(VOCABULARY) + i): flags(t, **chosen)
                       for i, t in enumerate(t for t in tokens if t not in VOCABULARY)}
            decoder.update({str(VOCABULARY.index(t)): flags(t, **chosen, special=False)
                            for t in tokens if t in VOCABULARY})
            yield folder(f"flags {on}, {case}", {"added_tokens_decoder": decoder, "do_lower_case": not case}, more=9)
    yield folder("mask, lstrip", {"mask_token": typed("[MASK]", lstrip=True)})
    yield folder("mask, normalized", {"mask_token": typed("[MASK]", normalized=True)})
    yield folder("mask, normalized, cased", {"mask_token": typed("[MASK]", normalized=True), "do_lower_case": False})
    yield folder("mask, map", map={"mask_token": flags("[MASK]", lstrip=True, normalized=True)})
    yield folder("words of the vocabulary", added={"good": VOCABULARY.index("good"), "##s": VOCABULARY.index("##s")})
    yield folder("over one another", {"additional_special_tokens": ["[E", "[E1]", "E1]", "1] good", "film ["]}, more=5)
    yield folder("spaces", {"added_tokens_decoder": {
        str(len(VOCABULARY) + i): flags(t, normalized=n, rstrip=True)
        for i, (t, n) in enumerate([(" ", False), ("  the", True), ("\u3000", True)])}}, more=3)


def names():
    other = {"unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>",
             "mask_token": "<mask>"}
    yield folder("other names", other)
    yield folder("other names, map", map=other)
    yield folder("other names, map over config", {"cls_token": "[CLS]"}, map=other)
    yield folder("other names, decoder", dict(other, added_tokens_decoder={}))
    yield folder("other names, objects", {key: typed(value) for key, value in other.items()})
    for template in (False, True):
        yield folder(f"other names, tokenizer.json, {template}", dict(other, tokenizer_class="PreTrainedTokenizerFast"),
                     json_file=pipeline(VOCABULARY, cls="<s>", sep="</s>", unk="<unk>", template=template))
    yield folder("unknown name", {"unk_token": "<none>"}, more=1, refused="no token <none>")
    yield folder("names in another order", map={"mask_token": "<mask>", "unk_token": "<unk>"})
    bare = [token for token in VOCABULARY if token != "[MASK]"]
    for more in (0, 1, 2, 3):
        yield folder(f"no mask, {more}", vocabulary=bare, more=more, text=not more)
        yield folder(f"no mask, a list, {more}", {"additional_special_tokens": ["[E1]"]}, vocabulary=bare, more=more)
    yield folder("mask null", {"mask_token": None}, vocabulary=bare)


def options():
    for lower, strip, cjk in itertools.product((None, True, False), repeat=3):
        config = {key: value for key, value in [("do_lower_case", lower), ("strip_accents", strip),
                                                ("tokenize_chinese_chars", cjk)] if value is not None}
        yield folder(f"options {lower} {strip} {cjk}", config)
        for kind in ("BertTokenizer", "PreTrainedTokenizerFast"):
            yield folder(f"options {lower} {strip} {cjk}, {kind}", dict(config, tokenizer_class=kind),
                         json_file=pipeline(VOCABULARY, lowercase=lower is not True, strip_accents=cjk,
                                            handle_chinese_chars=strip is not False))


def mpnet():
    """WordPiece with RoBERTa's names and two separators between a pair."""
    kind = {"tokenizer_class": "MPNetTokenizer"}
    yield folder("MPNet", kind)
    yield folder("MPNet by the model", tokenizer_class="MPNetTokenizer")
    yield folder("MPNet, cased", dict(kind, do_lower_case=False, mask_token="[MASK]"))
    yield folder("MPNet, flags", dict(kind, mask_token=dict(content="<mask>", lstrip=False, rstrip=True, special=True)))
    vocabulary = [*VOCABULARY, *[token for token in ("<s>", "</s>", "<pad>", "<mask>") if token not in VOCABULARY]]
    for lower in (False, True):  # as the class has it, whatever tokenizer.json says
        json_file = pipeline(vocabulary, cls="<s>", sep="</s>", lowercase=not lower, handle_chinese_chars=False)
        json_file["post_processor"] = {"type": "RobertaProcessing", "sep": ["</s>", vocabulary.index("</s>")],
                                       "cls": ["<s>", vocabulary.index("<s>")], "trim_offsets": True,
                                       "add_prefix_space": False}
        yield folder(f"MPNet, tokenizer.json, {lower}", dict(kind, do_lower_case=lower), vocabulary=vocabulary,
                     json_file=json_file)
    yield folder("MPNet, other names", kind, map={"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]"})


def templates():
    """Special tokens in other places than BERT's."""
    other = pipeline(VOCABULARY, template=True)
    other["post_processor"]["single"] = other["post_processor"]["single"][1:]
    other["post_processor"]["pair"] = other["post_processor"]["pair"][1:] + other["post_processor"]["pair"][:1]
    yield folder("template without [CLS]", {"tokenizer_class": "PreTrainedTokenizerFast"}, json_file=other)


def refused():
    expected = "BertTokenizer or BertTokenizerFast"
    for kind in ("BertJapaneseTokenizer", "RobertaTokenizer", "AlbertTokenizer", "BertweetTokenizer",
                 "BertTokenizerSlow", "KoBertTokenizer", 1):
        yield folder(f"class {kind}", {"tokenizer_class": kind}, refused=expected)
        yield folder(f"class {kind} of the model", tokenizer_class=kind, refused=expected)
    yield folder("class of both", {"tokenizer_class": "BertTokenizer"}, tokenizer_class="DistilBertTokenizer")
    yield folder("class without its file", {"tokenizer_class": "PreTrainedTokenizerFast"},
                 refused="needs a tokenizer.json")
    for key, value in [("word_tokenizer_type", "mecab"), ("subword_tokenizer_type", "character"),
                       ("do_basic_tokenize", False), ("never_split", ["x"]), ("split_special_tokens", True),
                       ("do_subword_tokenize", False), ("auto_map", {"AutoTokenizer": ["a.B", None]}),
                       ("fast_tokenizer_files", ["tokenizer.4.0.json"]), ("wordpieces_prefix", "%%"),
                       ("do_lower_case", "yes"), ("mecab_kwargs", {"a": 1})]:
        yield folder(f"{key} {value}", {key: value}, refused=f'"{key}" is ')
    size = len(VOCABULARY)
    number = "the added token \"[E1]\" has the number"
    yield folder("a gap", added={"[E1]": size + 3}, more=9, refused=number)
    yield folder("a word's number", added={"[E1]": 7}, refused=number)
    yield folder("decoder, a gap", {"added_tokens_decoder": {str(size + 1): flags("[E1]")}}, more=9, refused=number)
    yield folder("decoder, no number", {"added_tokens_decoder": {"x": flags("[E1]")}},
                 refused="expected the number of a token")
    yield folder("decoder, unknown flag", {"added_tokens_decoder": {str(size): flags("[E1]", strip=True)}},
                 refused='unknown key "strip"')
    yield folder("decoder, no flag", {"added_tokens_decoder": {str(size): flags("[E1]", lstrip=1)}},
                 refused=': "lstrip" is 1')
    yield folder("no token", {"additional_special_tokens": [1]}, refused="expected its text")
    yield folder("no list", {"additional_special_tokens": "x"}, refused="is no list of tokens")
    yield folder("nothing left", {"added_tokens_decoder": {str(size): flags("\u200b", normalized=True)}}, more=9,
                 refused="nothing is left")
    yield folder("alike", {"added_tokens_decoder": {str(size): flags("Q", normalized=True),
                                                    str(size + 1): flags("q", normalized=True)}},
                 more=9, refused="the same as another one")
    for key, value in [("normalizer", {"type": "NFC"}), ("pre_tokenizer", {"type": "Whitespace"}),
                       ("post_processor", {"type": "RobertaProcessing"}), ("normalizer", None)]:
        yield folder(f"tokenizer.json, {key} {value}", json_file=dict(pipeline(VOCABULARY), **{key: value}),
                     refused="tokenizer.json: ")
    bad = pipeline(VOCABULARY, template=True)
    bad["post_processor"]["single"] = bad["post_processor"]["single"][1:]
    bad["post_processor"]["pair"] = bad["post_processor"]["pair"][:3]
    yield folder("template without a text", {"tokenizer_class": "PreTrainedTokenizerFast"}, json_file=bad,
                 refused='post_processor: "pair" is ')


def fixed_cases():
    return [*places(), *all_flags(), *names(), *options(), *mpnet(), *templates(), *refused()]


def random_cases(count, seed):
    draw = random.Random(seed)
    contents = ["[E1]", "[/E1]", "new film", "É", "good", "[MASK]", "[", "E1", "<s>", "x", "中", "the", "Film",
                "[CLS]", "goodness"]

    def token(object_only=False):
        content = draw.choice(contents)
        if not object_only and draw.random() < 0.5:
            return content
        return typed(content, **{flag: draw.random() < 0.3
                                 for flag in ("single_word", "lstrip", "rstrip", "normalized", "special")})

    def tokens():
        return [token() for _ in range(draw.randrange(4))]

    for i in range(count):
        vocabulary = list(VOCABULARY) + draw.sample(["[E1]", "[/E1]", "new film", "goodness"], draw.randrange(5))
        config, map, added, file = {}, {}, {}, None
        if draw.random() < 0.3:
            config["do_lower_case"] = draw.random() < 0.5
        for where in (config, map):
            for key in ("additional_special_tokens", "extra_special_tokens"):
                if draw.random() < 0.25:
                    where[key] = (tokens() if where is config
                                  else [t if isinstance(t, str) else t["content"] for t in tokens()])
            for key in ("mask_token", "begin_token", "bos_token"):
                if draw.random() < 0.15:
                    where[key] = token() if where is config else draw.choice(contents)
        outside = [content for content in contents if content not in vocabulary]
        chosen = draw.sample(contents, draw.randrange(4))
        behind = [content for content in chosen if content in outside]
        numbers = {c: vocabulary.index(c) if c in vocabulary else len(vocabulary) + behind.index(c) for c in chosen}
        if draw.random() < 0.3:
            added = numbers
        elif draw.random() < 0.4:
            config["added_tokens_decoder"] = {str(number): dict(token(True), content=content)
                                              for content, number in numbers.items()}
        if draw.random() < 0.4:
            native = [dict(token(True), content=c, id=n) for c, n in sorted(numbers.items(), key=lambda item: item[1])
                      if c not in SPECIAL] if draw.random() < 0.5 else []
            for one in native:
                one.pop("__type", None)
            file = pipeline(vocabulary, native, template=draw.random() < 0.5, lowercase=draw.random() < 0.5)
            config["tokenizer_class"] = draw.choice(["BertTokenizer", "PreTrainedTokenizerFast", "ConvBertTokenizer",
                                                     "RealmTokenizer"])
        yield folder(f"random {seed}/{i}", config, map or None, added or None, vocabulary, 20, file,
                     text_file=file is None or draw.random() < 0.5)


def write_files(case, place):
    place.mkdir()
    for name, text in case["files"].items():
        (place / name).write_text(text, encoding="utf-8")


def reference(case, place):
    """The ids of all texts, or what transformers says."""
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(place),
                                                               **{"mask_token": None} if case.get("text") else {})
        return [tokenizer(text)["input_ids"] for text in TEXTS], None
    except BaseException as error:  # of many kinds, some of them panics of the library
        return None, f"{type(error).__name__}: {str(error)[:80]}"


def found(program, place):
    """The ids that the program prints, and what it says."""
    run = subprocess.run([program, "tokenize", "--model", str(place)],
                         input="".join(text + "\n" for text in TEXTS).encode(),
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    message = run.stderr.decode().strip()
    return ([[int(i) for i in line.split()] for line in run.stdout.decode().splitlines()] if run.returncode == 0
            else None), message


def judge(case, expected, failure, ids, message):
    """What is wrong; None: nothing is."""
    refused = case.get("refused")
    if refused:
        return (None if ids is None and refused in message
                else f"expected a refusal with '{refused}', found {ids or message}")
    if expected is None:
        return None if ids is None else f"transformers refuses: {failure}"
    return None if ids == expected else f"expected {expected}\n    found    {ids or message}"


def compare(program, cases):
    wrong = same = both = 0
    with tempfile.TemporaryDirectory() as scratch:
        for i, case in enumerate(cases):
            place = Path(scratch) / str(i)
            write_files(case, place)
            expected, failure = reference(case, place)
            ids, message = found(program, place)
            verdict = judge(case, expected, failure, ids, message)
            same += verdict is None and ids is not None
            both += verdict is None and ids is None
            wrong += verdict is not None
            if verdict:
                print(f"{case['name']}: {verdict}\n    {message}\n    {case['files']}"[:3000])
    print(f"{len(cases)} folders: {same} with equal ids, {both} refused, {wrong} otherwise")
    return wrong


def shorten(kept):
    """What many folders have in common stands once: blocks, for which texts of files have @@number@@, and lists of
    ids."""
    blocks, ids, folders = [], [], []

    def block(text, part):
        if part not in blocks:
            blocks.append(part)
        return text.replace(part, f"@@{blocks.index(part)}@@")

    for case in kept:
        files = dict(case["files"])
        if "vocab.txt" in files:
            files["vocab.txt"] = block(files["vocab.txt"], files["vocab.txt"])
        if "tokenizer.json" in files:
            vocab = json.loads(files["tokenizer.json"])["model"].get("vocab")
            files["tokenizer.json"] = block(files["tokenizer.json"], json.dumps(vocab, ensure_ascii=False))
            for token in SPECIAL:
                flag = json.dumps(flags(token), ensure_ascii=False)[1:-1]
                files["tokenizer.json"] = block(files["tokenizer.json"], flag)
        files = {name: block(text, text) if len(text) > 200 else text for name, text in files.items()}
        if "ids" in case and case["ids"] not in ids:
            ids.append(case["ids"])
        folders.append(dict(case, files=files, **({"ids": ids.index(case["ids"])} if "ids" in case else {})))
    return {"blocks": blocks, "ids": ids, "folders": folders}


def write(path):
    kept = []
    with tempfile.TemporaryDirectory() as scratch:
        for i, case in enumerate([*fixed_cases(), *random_cases(100, 14)]):
            place = Path(scratch) / str(i)
            write_files(case, place)
            expected, _ = reference(case, place)
            if case.get("refused") or expected is not None:
                kept.append(case if case.get("refused") else dict(case, ids=expected))
    made = {"tokenizers": tokenizers.__version__, "transformers": transformers.__version__, "texts": TEXTS,
            **shorten(kept)}
    path.write_text(json.dumps(made, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(path, path.stat().st_size, "bytes,", len(kept), "folders")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", metavar="PROGRAM")
    parser.add_argument("--random", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    truth.require(tokenizers, transformers)
    transformers.logging.set_verbosity_error()
    if arguments.check:
        cases = [*fixed_cases(), *random_cases(arguments.random, arguments.seed)]
        sys.exit(1 if compare(os.path.abspath(arguments.check), cases) else 0)
    write(Path(__file__).parent / "data" / "folders.json")


if __name__ == "__main__":
    main()
