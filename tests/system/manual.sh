#!/usr/bin/env bash
# Manual pages and completion: every command has a page with all its options, and bash completes them.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
program=${AD_PROGRAM:?}
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

commands=$("$program" --help=words | cut -f 1)
[ "$(wc -w <<< "$commands")" -gt 10 ] || fail "--help=words: $commands"
pages=("")
for command in $commands; do pages+=("$command"); done
for subcommand in $("$program" study --help=words | cut -f 1); do pages+=("study $subcommand"); done
for page in "${pages[@]}"; do
  # shellcheck disable=SC2086
  "$program" $page --help=man > "$work/page.1"
  # shellcheck disable=SC2086
  "$program" $page --help=words > "$work/words"
  grep -qx '\.SH NAME' "$work/page.1" || fail "$page: no NAME"
  # Every option of the help has a place on the page and among the words.
  # shellcheck disable=SC2086
  "$program" $page --help | grep -oE '^ {2,6}(-., )*(-\?, )*--[a-z-]+' | grep -oE -- '--[a-z-]+' > "$work/options" || true
  while read -r option; do
    grep -qF -- "${option//-/\\-}" "$work/page.1" || fail "$page: $option is not on the manual page"
    cut -f 1 "$work/words" | grep -qxE -- "$option=?" || fail "$page: $option is not completed"
  done < "$work/options"
  [ "$page" = "" ] || [ "$page" = study ] || [ -s "$work/options" ] || fail "$page: the help has no options"
  if command -v mandoc > /dev/null; then
    mandoc -Tlint -Werror "$work/page.1" > "$work/lint" || fail "$page: $(cat "$work/lint")"
  elif command -v man > /dev/null; then
    man --warnings -l "$work/page.1" 2> "$work/lint" > /dev/null
    [ ! -s "$work/lint" ] || fail "$page: $(cat "$work/lint")"
  fi
done
for form in "--help=html" "train --help=html" "study --help=html" "study run --help=html"; do
  code=0
  # shellcheck disable=SC2086
  "$program" $form > /dev/null 2> "$work/error" || code=$?
  [ "$code" = 1 ] && grep -qF "expected text, man or words" "$work/error" || fail "$form: $code, $(cat "$work/error")"
done

# complete LINE: what bash completes it with.
. "${AD_SOURCE:?}/cmake/completion/autodidact.bash"
complete_line() {
  COMP_LINE=$1 COMP_POINT=${#1} COMPREPLY=()
  read -ra COMP_WORDS <<< "$1"
  [[ $1 != *" " ]] || COMP_WORDS+=("")
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _autodidact
  printf '%s\n' "${COMPREPLY[*]-}"
}
touch "$work/some.yaml"
while IFS='|' read -r line expected; do
  found=$(complete_line "$program $line")
  [ "$found" = "$expected" ] || fail "completion of \"$line\": \"$found\", expected \"$expected\""
done <<TEXT
ex|export
study rep|report
export --o|--out=
train $work/so|$work/some.yaml
train $work/some.yaml optim.layer|optim.layer_decay=
train model.path=$work/so|$work/some.yaml
TEXT
echo "ok   ${#pages[@]} manual pages, completion of bash"
