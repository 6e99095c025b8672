# bash completion of autodidact: the program itself says its commands, options and keys (--help=words).
_autodidact() {
  local program=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]} command=() words=''
  local before=${COMP_LINE:0:COMP_POINT}
  # The words as the shell splits them: bash's own list splits at = and : too.
  local -a typed
  read -ra typed <<< "$before"
  [[ $before == *[[:space:]] ]] && typed+=("")
  current=${typed[-1]}
  compopt +o nospace 2> /dev/null
  if [ "${#typed[@]}" -le 2 ]; then
    words=$("$program" --help=words 2> /dev/null | cut -f 1)$'\nhelp'
  else
    command=("${typed[1]}")
    if [ "${typed[1]}" = study ]; then
      if [ "${#typed[@]}" -eq 3 ]; then
        words=$("$program" study --help=words 2> /dev/null | cut -f 1)
      else
        command+=("${typed[2]}")
      fi
    fi
    if [[ $current == -* && $current != *=* ]]; then
      words=$("$program" "${command[@]}" --help=words 2> /dev/null | cut -f 1)
    elif [[ $current == [a-z]*.* && $current != */* && $current != *=* ]]; then
      words=$("$program" train --keys-markdown 2> /dev/null | sed -n 's/^| `\([a-z_.]*\)` |.*/\1=/p')
    fi
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current"; [ -n "$words" ] || compgen -f -- "${current#*=}")
  [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2> /dev/null
  [ -n "$words" ] || compopt -o filenames 2> /dev/null
}
complete -o default -F _autodidact autodidact
