#!/usr/bin/env python3
"""The rate of Hugging Face's library `tokenizers` on one thread, from memory, beside that of bench_tokenizer.

    tokenizer_peer.py BENCH_TOKENIZER FOLDER FILE    prints both rates and their ratio

Encodes the lines of FILE with the tokenizer.json of FOLDER; special tokens do not count. Each rate is of the fastest of
some passes, the library's by the time of its process. Needs the version of tests/parity/truth.py."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

if __name__ == "__main__" and (len(sys.argv) != 4 or {"-h", "--help"} & set(sys.argv[1:])):
    sys.exit(print(__doc__))

os.environ.update(RAYON_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")
import tokenizers  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "parity"))
import truth  # noqa: E402

PASSES = 3


def theirs(folder, lines):
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    fastest = 0.0
    for _ in range(PASSES):
        start = time.process_time()
        encoded = tokenizer.encode_batch(lines, add_special_tokens=False)
        elapsed = time.process_time() - start
        fastest = max(fastest, sum(len(one.ids) for one in encoded) / elapsed)
    return 1e-6 * fastest


def main():
    truth.require(tokenizers)
    program, folder, file = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    printed = subprocess.run([program, folder, file], stdout=subprocess.PIPE, check=True, text=True).stdout
    ours = float(re.search(r"fastest pass ([0-9.]+)", printed)[1])
    other = theirs(folder, file.read_text(encoding="utf-8").rstrip("\n").split("\n"))
    print(f"{ours:.1f} million tokens/s, tokenizers {tokenizers.__version__} {other:.2f} on one thread: "
          f"{ours / other:.1f} times")


main()
