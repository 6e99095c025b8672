"""The versions of the libraries that the tokenizer is held against. Everything here that imports this file uses these
and no others: another version may have other tables and rules. Set up once, for example:

    python3 -m venv ~/truth && ~/truth/bin/pip install $(python3 tests/parity/truth.py) h5py numpy xxhash
"""

import sys

TOKENIZERS = "0.23.3"
TRANSFORMERS = "5.24.0"


def require(*modules):
    """Ends the program where one of the modules is not of its version here."""
    wanted = {"tokenizers": TOKENIZERS, "transformers": TRANSFORMERS}
    for module in modules:
        found = module.__version__
        if found != wanted[module.__name__]:
            sys.exit(f"expected {module.__name__} {wanted[module.__name__]}, found {found}")


if __name__ == "__main__":
    print(f"tokenizers=={TOKENIZERS} transformers=={TRANSFORMERS}")
