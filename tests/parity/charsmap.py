"""The charsmap of a `Precompiled` normalizer from a list of strings and what replaces them: a Darts double array as
SentencePiece writes it. For tables and tests only."""

import struct


class Builder:
    """Places nodes one after another: node `base` has its child over byte b at base ^ b."""

    def __init__(self):
        self.units, self.used = [0] * 256, {0}

    def grow(self, need):
        while len(self.units) <= need:
            self.units += [0] * 256

    def place(self, labels):
        base = 1
        while True:
            self.grow(base | 255)
            if all(base ^ label not in self.used for label in labels):
                return base
            base += 1

    def add(self, at, strings, depth):
        """strings: [bytes, value], sorted, all equal in their first `depth` bytes; `at`: the unit of this node."""
        labels = sorted({string[depth] if len(string) > depth else 0 for string, _ in strings})
        base = self.place(labels)
        offset = at ^ base
        assert offset < 1 << 21
        self.units[at] |= offset << 10
        self.used.update(base ^ label for label in labels)
        for label in labels:
            below = [item for item in strings if (item[0][depth] if len(item[0]) > depth else 0) == label]
            if label == 0:
                self.units[at] |= 1 << 8
                self.units[base] = 1 << 31 | below[0][1]
            else:
                self.units[base ^ label] |= label
                self.add(base ^ label, below, depth + 1)


def charsmap(pairs):
    """pairs: {string or bytes: replacement}."""
    keys, texts = [], b""
    for key, value in sorted((k if isinstance(k, bytes) else k.encode(), v) for k, v in pairs.items()):
        keys.append((key, len(texts)))
        texts += value.encode() + b"\0"
    builder = Builder()
    builder.add(0, keys, 0)
    return struct.pack(f"<I{len(builder.units)}I", 4 * len(builder.units), *builder.units) + texts
