"""Sizes of BERT encoders as the program holds them, and a generated training job of such shapes. Python's standard
library only."""

import random
from dataclasses import dataclass

BLOCK = 4096  # floats of a block of a shard, outside of the word embedding


@dataclass
class Shape:
    """Letters as in docs/design.md: hidden, feed-forward, layers, heads, vocabulary, positions, classes."""

    name: str
    H: int
    F: int
    L: int
    A: int
    V: int = 30522
    S: int = 512
    C: int = 2

    def layer(self):
        """Floats of an encoder layer's two buckets: attention, feed-forward."""
        return 4 * self.H * self.H + 6 * self.H, 2 * self.H * self.F + 3 * self.H + self.F

    def head(self):
        return self.H * self.H + self.H + self.C * self.H + self.C

    def embeddings(self, rows):
        """Floats of the compact embeddings bucket with so many touched rows of the word embedding."""
        return (rows + self.S + 2 + 2) * self.H

    def gradient(self, rows):
        """G: floats of a step's gradient, which has touched rows only."""
        return self.embeddings(rows) + self.L * sum(self.layer()) + self.head()

    def parameters(self):
        """P."""
        return self.gradient(self.V)

    def buckets(self):
        return 2 * self.L + 2

    def blocks(self, rows):
        """Numbers that are shared for the gradient's norm: one a touched row, one a block elsewhere."""
        rest = [self.embeddings(0), self.head(), *self.L * self.layer()]
        return rows + sum(-(-count // BLOCK) for count in rest)

    def activations(self, tokens, examples):
        """Floats of forward and backward. A token: the embeddings' two; a layer's qkv 3H, context, z1, y1, z2, output H
        each, u and g F each; the backward's 3H, F, 3H. The last layer has keys and values of all tokens, the rest of
        the [CLS] rows only."""
        H, F = self.H, self.F
        return tokens * (2 * H + (self.L - 1) * (8 * H + 2 * F) + 2 * H + 6 * H + F) + examples * (8 * H + 2 * F)

    def flops(self, tokens, length):
        """Of forward and backward: two a weight and token forwards, twice that backwards; attention within examples of
        `length` tokens."""
        return tokens * self.L * (6 * (4 * self.H * self.H + 2 * self.H * self.F) + 12 * length * self.H)


BASE = Shape("BERT-base", 768, 3072, 12, 12)
LARGE = Shape("BERT-large", 1024, 4096, 24, 16)


def write_job(folder, shape, batch, longest, shortest, steps, limit):
    """job.yaml in the folder: new weights, generated texts of shortest..longest words (each one token), two classes."""
    draw = random.Random(1)
    words = sorted({"".join(draw.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(8))
                    for _ in range(shape.V)})[: shape.V - 5]
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + words) + "\n")
    for name, count in (("train", batch * steps), ("dev", 32)):
        texts = (" ".join(draw.choice(words) for _ in range(draw.randint(shortest, longest))) for _ in range(count))
        rows = ["sentence\tlabel"] + [f"{text}\t{i % 2}" for i, text in enumerate(texts)]
        (folder / f"{name}.tsv").write_text("\n".join(rows) + "\n")
    (folder / "generated.yaml").write_text(
        "title: generated\nsource: made by this script\nlicence: none\nformat: tsv\nheader: true\n"
        "columns:\n  text: sentence\n  label: label\n"
        "labels: {\"0\": a, \"1\": b}\nclasses: [a, b]\nsplits:\n  train: {file: train.tsv}\n  dev: {file: dev.tsv}\n")
    (folder / "job.yaml").write_text(
        "run: {dir: run}\n"
        f"model: {{vocab: vocab.txt, hidden: {shape.H}, layers: {shape.L}, heads: {shape.A}, ffn: {shape.F}}}\n"
        f"data: {{descriptor: ./generated.yaml, folder: ., max_tokens: {limit}}}\nbatch: {{size: {batch}, lanes: 8}}\n"
        f"train: {{steps: {steps}}}\neval: {{every: 1000000}}\n")
