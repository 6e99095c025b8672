#!/usr/bin/env bash
# launch/install with stand-ins for apt-get and its like, and the options of the scripts. Installs nothing.
. "${AD_SOURCE:?}/tests/support/commands.sh"

# A list of two packages, and programs that keep what is installed in a file and note each call.
mkdir "$work/launch" "$work/bin"
cp launch/install "$work/launch/"
printf '# comment\none  # what for\n\ntwo\n' > "$work/launch/packages.txt"
printf 'two\nthree\n' > "$work/launch/packages-slurm.txt"
cat > "$work/bin/dpkg-query" <<'SH'
#!/bin/sh
shift 2
while read -r name; do printf 'ii %s\n' "$name"; done < "$STATE/installed"
SH
cat > "$work/bin/apt-cache" <<'SH'
#!/bin/sh
shift
for name; do
  if [ -e "$STATE/lists" ]; then printf '%s:\n  Candidate: 1.0\n' "$name"
  else printf '%s:\n  Candidate: (none)\n' "$name"; fi
done
SH
cat > "$work/bin/apt-get" <<'SH'
#!/bin/sh
for word; do case "$word" in update | install) what=$word ;; esac; done
echo "$what" >> "$STATE/calls"
[ "$what" = update ] && touch "$STATE/lists" "$STATE/fresh" && exit 0
[ -e "$STATE/fresh" ] || exit 100
[ ! -e "$STATE/broken" ] || { echo "E: cannot fetch"; exit 100; }
for word; do case "$word" in one | two | three) echo "$word" ;; esac; done >> "$STATE/installed"
SH
cat > "$work/bin/id" <<'SH'
#!/bin/sh
cat "$STATE/uid"
SH
cat > "$work/bin/sudo" <<'SH'
#!/bin/sh
[ -e "$STATE/sudo" ] || exit 1
[ "$1" = -n ] && exit 0
echo sudo >> "$STATE/calls"
exec "$@"
SH
chmod +x "$work"/bin/*
state() { # state UID [FILE...]: starts anew with package "one" installed
  rm -rf "$work/state"
  mkdir "$work/state"
  echo one > "$work/state/installed"
  : > "$work/state/calls"
  echo "$1" > "$work/state/uid"
  shift
  for name; do touch "$work/state/$name"; done
}
bare=(env -i "PATH=$work/bin:/usr/bin:/bin" "STATE=$work/state" "HOME=$work")
calls() { tr '\n' ' ' < "$work/state/calls"; }

state 0
expect 0 'installing 1 of 2 packages: two' "${bare[@]}" "$work/launch/install"
[ "$(calls)" = "update install " ] || fail "without package lists: $(calls)"
expect 0 'all 2 packages are installed' "${bare[@]}" "$work/launch/install"
[ "$(calls)" = "update install " ] || fail "a second run calls apt-get: $(calls)"
state 0 lists fresh
expect 0 '2 packages are installed' "${bare[@]}" "$work/launch/install"
[ "$(calls)" = "install " ] || fail "with good package lists: $(calls)"
state 0 lists
expect 0 '2 packages are installed' "${bare[@]}" "$work/launch/install"
[ "$(calls)" = "install update install " ] || fail "with old package lists: $(calls)"
state 0 lists fresh broken
expect 1 'E: cannot fetch' "${bare[@]}" "$work/launch/install"
state 1000 lists fresh
expect 1 'not root, and sudo.*' "${bare[@]}" "$work/launch/install"
grep -q 'apt-get install --no-install-recommends two' "$work/output" || fail "the message does not say what to run"
[ "$(calls)" = "" ] || fail "apt-get is called without rights: $(calls)"
state 1000 lists fresh sudo
expect 0 '2 packages are installed' "${bare[@]}" "$work/launch/install"
[ "$(calls)" = "sudo install " ] || fail "with sudo: $(calls)"
state 0
expect 1 'not installed: two' "${bare[@]}" "$work/launch/install" --check
[ "$(calls)" = "" ] || fail "--check installs: $(calls)"
state 0 lists fresh
expect 1 'not installed: three two' "${bare[@]}" "$work/launch/install" --check --slurm
expect 0 'installing 2 of 3 packages: three two' "${bare[@]}" "$work/launch/install" --slurm
expect 0 'all 3 packages are installed' "${bare[@]}" "$work/launch/install" --slurm --check

expect 1 'unknown option "--fast"' launch/install --fast
expect 1 'unexpected argument "more"' launch/install --check more
expect 1 'unknown option "--fast"' launch/quickstart --fast
expect 1 'unknown option "more"' launch/quickstart more
expect 1 '--out needs a folder' launch/quickstart --out
expect 1 '--out needs a folder' launch/quickstart --out ''
expect 1 'unknown option "--often"' tests/run --often
expect 1 'one pattern only' tests/run one two
expect 1 'found "4", expected a command; -n gives the number of ranks: launch/local -n 4 train a b=c' \
  launch/local 4 train a b=c
expect 1 'found "a.yaml", expected a command before it: launch/local train a.yaml b=c' launch/local a.yaml b=c
expect 0 'mpirun .*-n 2 ' env AUTODIDACT_PROGRAM="${AD_PROGRAM:?}" launch/local --ranks 2 --print train a
expect 0 'mpirun .*-n 2 ' env AUTODIDACT_PROGRAM="$AD_PROGRAM" launch/local -np 2 --print train a
expect 1 'unknown option "--fast"' launch/local --fast
expect 1 '-n needs a whole number' launch/local -n two train config.yaml
expect 1 '--hostfile needs a file' launch/local --hostfile "$work/none" train config.yaml
expect 1 'the command is missing' launch/local -n 2
expect 1 '--bind needs core or none, found "socket"' launch/local --bind socket train config.yaml
expect 1 '-n needs a whole number from 1, found "0"' launch/local -n 0 train config.yaml
expect 1 'nowhere is not there' env AUTODIDACT_PROGRAM="$work/nowhere" launch/local -n 2 doctor
local=(env "AUTODIDACT_PROGRAM=${AD_PROGRAM:?}" launch/local)
expect 1 "999999 ranks, but only" "${local[@]}" -n 999999 --bind core train config.yaml
expect 0 "^mpirun .*-n 999999 --oversubscribe --bind-to none .*yield.* $AD_PROGRAM train config.yaml run.dir=a\\\\ b " \
  "${local[@]}" -n 999999 --print train config.yaml 'run.dir=a b'
expect 0 "^mpirun .*-n 1 --bind-to (core|none) $AD_PROGRAM train " "${local[@]}" -n 1 --print -- train config.yaml
expect 0 "^mpirun .*--hostfile README.md .*-n 3 $AD_PROGRAM eval " \
  "${local[@]}" --hostfile README.md -n 3 --print eval run
expect 0 "^mpirun .*-n 1 --bind-to (core|none) $AD_PROGRAM" "${local[@]}" --most 1 --print train config.yaml
expect 1 '--most goes with neither' "${local[@]}" --most 1 -n 2 train config.yaml
# A shell confined to its machine's last core starts one rank, and leaves it there.
if [ "$(env -u OMP_NUM_THREADS nproc)" -gt 1 ]; then
  last=$(sed -n 's/^Cpus_allowed_list:.*[^0-9]\([0-9]*\)$/\1/p' /proc/self/status)
  expect 0 "^mpirun .*-n 1 --bind-to none $AD_PROGRAM" taskset -c "$last" "${local[@]}" --print train config.yaml
fi
printf '#!/bin/sh\necho HYDRA\n' > "$work/bin/mpirun"
chmod +x "$work/bin/mpirun"
expect 1 "mpirun is not Open MPI's" env "PATH=$work/bin:$PATH" "${local[@]}" -n 1 train config.yaml
printf '#!/bin/sh\n[ "$1" != --version ] || { echo "mpirun (Open MPI) 4"; exit 0; }\nexit 75\n' > "$work/bin/mpirun"
expect 75 '' env "PATH=$work/bin:$PATH" "${local[@]}" -n 1 train config.yaml
# Help on standard output, whichever way it is asked for; of the program's commands too, without any rank.
helps() {
  "$@" > "$work/help" 2> "$work/help.err" && [ -s "$work/help" ] && [ ! -s "$work/help.err" ] ||
    fail "$*: no help, or not on standard output alone"
}
for script in launch/{install,local,submit,quickstart,get-model,new-vocabulary} tests/{run,lint,coverage} \
  tests/{fuzz,mpich}/run tests/bench/{linear,memory,peer,prediction,ranks,run,scaling,snapshots,teacher,trials}; do
  helps "$script" -h
  helps "$script" --help
done
for script in launch/{install,local,submit,quickstart,get-model}; do
  helps "$script" help
  for option in -V --version; do
    expect 0 "^$script, autodidact [0-9.]+$" "$script" "$option"
  done
done
mapfile -t commands < <(sed -n 's/^  X(\([a-z]*\),.*/\1/p' src/cli/commands.h)
[ "${#commands[@]}" -gt 10 ] || fail "src/cli/commands.h holds no table of commands"
for command in "${commands[@]}" "study run" "study status" "study report"; do
  # shellcheck disable=SC2086  # a subcommand is two words
  for asking in "$command -h" "$command --help" "$command -?" "help $command" "--help $command"; do
    helps "$AD_PROGRAM" $asking
    grep -q "^Usage: autodidact $command" "$work/help" || fail "$asking does not explain $command"
  done
  for option in -V --version; do
    # shellcheck disable=SC2086
    expect 0 '^autodidact [0-9.]+ ' "$AD_PROGRAM" $command "$option"
  done
done
for asking in -h --help help "help help"; do
  # shellcheck disable=SC2086
  expect 0 'Commands:' "$AD_PROGRAM" $asking
done
expect 0 '^autodidact [0-9.]+ ' "$AD_PROGRAM" -V
expect 1 "unknown command 'trian', did you mean train" "$AD_PROGRAM" trian
expect 1 "unknown command 'evaluate', did you mean eval" "$AD_PROGRAM" help evaluate
expect 1 "study: found statsu, .*did you mean status" "$AD_PROGRAM" study statsu
expect 1 "unknown option '--learning_rate=3'; keys are given without dashes, as key=value: here it is 'optim.lr'" \
  "$AD_PROGRAM" train c --learning_rate=3
expect 1 "unknown option '--jsn', did you mean --json" "$AD_PROGRAM" eval run --jsn
expect 1 'eval: --data needs a value' "$AD_PROGRAM" eval run --data
expect 1 'eval: --json takes no value' "$AD_PROGRAM" eval run --json=3
expect 1 'expected one of --plan, --keys, --keys-markdown, --keys-roles, --get and --inject' \
  "$AD_PROGRAM" train c --get optim.lr --inject kill@3
expect 1 'truncation head_tail goes with --limit' "$AD_PROGRAM" tokenize --model m --truncation head_tail
