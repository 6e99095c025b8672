#!/usr/bin/env python3
"""The recipes of datasets/recipes: what they must say, and small data in the layouts of their data sets.

    recipes.py comments RECIPE             every value of the file says whose it is: the paper's, ours ...
    recipes.py page RECIPE DATASETS        prints the page of the data's owners, as a regular expression
    recipes.py write NAME FOLDER           writes data that the recipe NAME reads
    recipes.py check NAME CONFIG DATA ORDER  a run's resolved configuration, what `data` and `order` printed
    recipes.py count N                     N is the number of recipes known here
    recipes.py korean NAME FOLDER          writes data that the Korean descriptor NAME reads, as its owners publish them

Python's standard library only."""

import json
import re
import sys
from pathlib import Path

if __name__ == "__main__" and {"-h", "--help"} & set(sys.argv[1:]):
    sys.exit(print(__doc__))

# Xu et al. 2020, section 3 of the experiments, and what the files call "ours".
VALUES = {
    "optim.lr": 2e-5, "optim.head_lr": 1e-3, "optim.warmup": 0.1, "optim.schedule": "linear", "optim.decay": 0.01,
    "optim.clip": 1, "optim.bias_correction": "true", "batch.size": 16, "model.dropout": 0.1, "model.classifier": "cls",
    "data.max_tokens": 512, "data.truncation": "head", "data.train_rows": 0, "data.hold_out": 0, "seed.init": 0,
}
# Liu et al. 2019, table 10 and section 5.1, their code's commands, and what the files call "ours".
ROBERTA = {
    **VALUES, "optim.lr": 1e-5, "optim.head_lr": 0, "optim.warmup": 0.06, "optim.decay": 0.1, "optim.beta2": 0.98,
    "optim.eps": 1e-6, "optim.clip": 0, "batch.size": 32, "model.classifier": "pooler",
}
# Name to: classes, epochs, examples of each class, what the paper's other splits are called here.
RECIPES = {
    "imdb": (2, 6, 3), "agnews": (4, 3, 3), "dbpedia": (14, 3, 2), "yelp-polarity": (2, 3, 3), "yelp-full": (5, 3, 3),
    "snli": (3, 3, 3), "mnli": (3, 3, 3), "snli-1500": (3, 3, 520),
}
RECIPES |= {f"roberta-{name}": (classes, 10, each) for name, (classes, _, each) in RECIPES.items()
            if name != "snli-1500"}
NLI = ["entailment", "neutral", "contradiction"]
FILES = {"snli": ("snli_1.0_train", "snli_1.0_dev", "snli_1.0_test"),
         "mnli": ("multinli_1.0_train", "multinli_1.0_dev_matched", "multinli_1.0_dev_mismatched")}
WORDS = ["good film", "bad plot", "the story is dull", "not very bright", "a film, not a plot"]


def comments(path):
    """Lines `key: value  # paper...` or `# ours...`; the data set's name and headings need none."""
    for number, line in enumerate(Path(path).read_text().splitlines(), 1):
        text = line.strip()
        if text == "" or text.startswith(("#", "descriptor:")) or re.fullmatch(r"\w+:", text):
            continue
        if not re.fullmatch(r"\w+: \S+ +# (paper|ours|table \d+|section [\d.]+|fairseq)\b.*", text):
            sys.exit(f"{path}:{number}: does not say whose value this is: {text}")


def page(recipe, datasets):
    name = re.search(r"^  descriptor: (\S+)$", Path(recipe).read_text(), re.M).group(1)
    source = re.search(r"^source: (\S+)$", (Path(datasets) / f"{name}.yaml").read_text(), re.M).group(1)
    if source not in Path(recipe).read_text():
        sys.exit(f"{recipe}: does not say where the data are to be had: {source}")
    print(re.escape(source))


def rows(classes, each):
    """(class from 0, text), all classes in turn but in blocks of two, so that no first so many rows are even by
    chance."""
    order = [c for c in range(classes) for _ in range(2)]
    count, result = [0] * classes, []
    while min(count) < each:
        for c in order:
            if count[c] < each:
                result.append((c, f"{WORDS[(c + count[c]) % len(WORDS)]}"))
                count[c] += 1
    return result


def write(name, folder):
    classes, _, each = RECIPES[name]
    name = name.removeprefix("roberta-")
    folder = Path(folder)
    folder.mkdir()
    if name == "imdb":
        for split in ("train", "test"):
            for number, (c, text) in enumerate(rows(classes, each)):
                path = folder / split / ("neg", "pos")[c] / f"{number}_1.txt"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
    elif name in ("agnews", "dbpedia"):
        for split in ("train", "test"):
            (folder / f"{split}.csv").write_text("".join(f'"{c + 1}","a title","{text}"\n'
                                                         for c, text in rows(classes, each)))
    elif name.startswith("yelp"):
        for split in ("train", "test"):
            (folder / f"{split}.csv").write_text("".join(f'"{c + 1}","{text}"\n' for c, text in rows(classes, each)))
    else:
        train, *others = FILES[name.split("-")[0]]
        for file, count in [(train, each)] + [(other, 1) for other in others]:
            lines = [{"gold_label": NLI[c], "sentence1": text, "sentence2": "the plot is good"}
                     for c, text in rows(classes, count)]
            lines.insert(1, {"gold_label": "-", "sentence1": "a film", "sentence2": "a plot"})
            (folder / f"{file}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


# What a Korean descriptor reads: each file with rows and what its rows look like. KLUE's are arrays over many lines.
def nsmc(label, text):
    return f"99{label}\t{'' if text == WORDS[1] else text}\t{label}\n"


def ynat(label, text):
    return {"guid": "ynat-v1_train_00000", "title": text, "predefined_news_category": "사회",
            "label": ["IT과학", "경제", "사회", "생활문화", "세계", "스포츠", "정치"][label],
            "annotations": {"annotators": ["08"], "annotations": {"first-scope": ["사회"], "third-scope": ["해당없음"]}},
            "url": "https://news.naver.com/a?b=1", "date": "2016.06.30. 오전 10:36"}


def klue_nli(label, text):
    return {"guid": "klue-nli-v1_train_00000", "genre": "NSMC", "premise": text, "hypothesis": "최고로 멋지다.",
            "gold_label": NLI[label], "author": NLI[label], "label2": NLI[label]}


def kornli(label, text):
    return f'{text}\t"엄마, 저 왔어요."\t{NLI[label]}\n'


KOREAN = {
    "nsmc": (2, nsmc, ["ratings_train.txt", "ratings_test.txt"], "id\tdocument\tlabel\n"),
    "klue-ynat": (7, ynat, ["ynat-v1.1_train.json", "ynat-v1.1_dev.json"], None),
    "klue-nli": (3, klue_nli, ["klue-nli-v1.1_train.json", "klue-nli-v1.1_dev.json"], None),
    "kornli": (3, kornli, ["train.ko.tsv", "xnli.dev.ko.tsv", "xnli.test.ko.tsv"],
               "sentence1\tsentence2\tgold_label\n"),
}


def korean(name, folder):
    classes, row, files, header = KOREAN[name]
    Path(folder).mkdir()
    for file in files:
        content = [row(label, text) for label, text in rows(classes, 3)]
        text = header + "".join(content) if header else json.dumps(content, ensure_ascii=False, indent=4)
        (Path(folder) / file).write_text(text, encoding="utf-8")
    print(3 * classes)


def resolved(path):
    """{"optim.lr": "2e-05", ...} of a run's config.yaml, which nests one level."""
    result, group = {}, ""
    for line in Path(path).read_text().splitlines():
        key, _, value = line.strip().partition(":")
        if not line.startswith(" "):
            group = key
        else:
            result[f"{group}.{key}"] = value.strip().strip('"')
    return result


def check(name, config, data, order):
    classes, epochs, each = RECIPES[name]
    found = resolved(config)
    data_set = name.removeprefix("roberta-").removesuffix("-1500")
    expected = {**(ROBERTA if name.startswith("roberta-") else VALUES), "train.epochs": epochs,
                "run.select": "best" if name in ("roberta-snli", "roberta-mnli") else "last",
                "data.per_class": 500 if name == "snli-1500" else 0, "data.descriptor": data_set}
    for key, value in expected.items():
        same = found[key] == value if isinstance(value, str) else float(found[key]) == value
        if not same:
            sys.exit(f"{name}: {key} is {found[key]}, expected {value}")
    each = min(each, 500)
    train = Path(data).read_text().split(" train: ", 1)[1].split(" dev: ")[0].split(" test: ")[0]
    if not re.search(rf"^  rows +{classes * each}\b", train, re.M):
        sys.exit(f"{name}: expected {classes * each} training rows, found {train}")
    counts = [int(n) for n in re.findall(r"^ +\d+  \S.*?(\d+) +[\d.]+%$", train, re.M)]
    if counts != [each] * classes:
        sys.exit(f"{name}: expected {each} rows of each class, found {counts}")
    steps = len(Path(order).read_text().splitlines())
    if steps != epochs * -(-classes * each // expected["batch.size"]):
        sys.exit(f"{name}: found {steps} steps, expected {epochs} epochs of {classes * each} examples")


def count(number):
    if int(number) != len(RECIPES):
        sys.exit(f"{number} recipes, expected {len(RECIPES)}: {', '.join(RECIPES)}")


if __name__ == "__main__":
    commands = {"comments": comments, "page": page, "write": write, "check": check, "count": count,
                "korean": korean}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])
