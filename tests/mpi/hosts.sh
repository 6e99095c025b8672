#!/usr/bin/env bash
# Alone: it gives the machine other network namespaces, and a rank killed has seconds to end all.
# Several hosts on one machine: each is a network namespace with a name and an address of its own, on a virtual switch;
# mpirun starts its daemons through an agent in place of ssh, and ranks of different hosts have TCP only. The bits are
# those of one rank alone. Skipped (77) where namespaces are not allowed.
set -euo pipefail
source="${AD_SOURCE:?}"
export AUTODIDACT_PROGRAM="${AD_PROGRAM:?}"
work="$(mktemp -d)"
tag="ad$$"
HOSTS=3

# Ends what still runs inside the namespaces made here, and removes them; links and switch go with them.
clean_up() {
  local name pid
  for name in $(ip netns list 2>/dev/null | awk -v tag="$tag-" 'index($1, tag) == 1 { print $1 }'); do
    for pid in $(ip netns pids "$name"); do
      kill -KILL "$pid" 2>/dev/null || true
    done
    ip netns delete "$name"
  done
  rm -rf "$work" /dev/shm/vader_segment."$tag"-*
}
trap clean_up EXIT
trap 'exit 1' INT TERM

skip() {
  echo "skipped: $*"
  exit 77
}
fail() {
  echo "FAIL $*"
  exit 1
}

[ "$(id -u)" -eq 0 ] || skip "only root may make network namespaces"
for program in ip unshare nsenter; do
  command -v "$program" >/dev/null || skip "$program is not there (packages iproute2 and util-linux)"
done
ip netns add "$tag-switch" 2>"$work/why" || skip "network namespaces are not allowed here: $(cat "$work/why")"
ip -n "$tag-switch" link add bridge type bridge 2>"$work/why" ||
  skip "virtual switches are not allowed here: $(cat "$work/why")"
unshare --uts hostname "$tag-test" 2>"$work/why" ||
  skip "host names of one's own are not allowed here: $(cat "$work/why")"

# 192.0.2.0/24 is set aside for examples: no real network has these addresses, and the switch is connected to none.
ip -n "$tag-switch" link set bridge up
for host in $(seq $HOSTS); do
  name="$tag-host$host"
  ip netns add "$name"
  ip -n "$tag-switch" link add "port$host" type veth peer name eth0 netns "$name" 2>"$work/why" ||
    skip "virtual links are not allowed here: $(cat "$work/why")"
  ip -n "$tag-switch" link set "port$host" master bridge up
  ip -n "$name" link set lo up
  ip -n "$name" addr add "192.0.2.$host/24" dev eth0
  ip -n "$name" link set eth0 up
done

# on HOST COMMAND...: runs it on that host, under its name.
cat >"$work/on" <<SH
#!/bin/sh
host=\$1
shift
exec ip netns exec "$tag-host\$host" unshare --uts sh -c 'hostname "\$0" && exec "\$@"' "$tag-host\$host" "\$@"
SH
# What mpirun calls in place of `ssh ADDRESS COMMAND`; the command is one word or several of shell text, as ssh
# takes it.
cat >"$work/agent" <<SH
#!/bin/sh
address=\$1
shift
exec "$work/on" "\${address##*.}" sh -c "\$*"
SH
chmod +x "$work/on" "$work/agent"
[ "$("$work/on" 2 hostname)" = "$tag-host2" ] || fail "host 2 calls itself $("$work/on" 2 hostname)"

export OMPI_MCA_plm_rsh_agent="$work/agent" OMPI_MCA_btl=self,vader,tcp OMPI_MCA_pml=ob1
export OMPI_MCA_orte_tmpdir_base="$work"
export OMPI_MCA_btl_tcp_if_include=eth0 OMPI_MCA_oob_tcp_if_include=eth0
# All hosts share the cores of this machine.
export OMPI_MCA_mpi_yield_when_idle=1

python3 "$source/tests/system/tiny.py" "$work"
cd "$work"
job=(train config.yaml batch.lanes=8 batch.size=7 train.epochs=2 eval.batch=3 model.dropout=0.2)
"$AD_PROGRAM" "${job[@]}" run.dir=alone >alone.out 2>&1 || { cat alone.out; fail "one rank alone"; }

# Bytes that this host has sent to the others so far.
sent() { "$work/on" "$1" cat /sys/class/net/eth0/statistics/tx_bytes; }

# across HOSTS RANKS [key=value ...]: as many ranks on each of so many hosts, started on the first.
across() {
  local hosts=$1 each=$2 name="hosts-$1x$2${3:+-${3//[^a-z]/-}}" host before=() bytes=""
  shift 2
  for host in $(seq "$hosts"); do
    echo "192.0.2.$host slots=$each"
    before[host]=$(sent "$host")
  done >"$name.hosts"
  timeout -k 5 600 "$work/on" 1 "$source/launch/local" --bind none --hostfile "$name.hosts" "${job[@]}" "$@" \
    "run.dir=$name" >"$name.out" 2>&1 ||
    { cat "$name.out"; fail "$name"; }
  if [ -z "$*" ]; then
    grep -q "\"ranks\": *\"$((hosts * each)) on $hosts nodes\"" "$name/provenance.json" ||
      { cat "$name/provenance.json"; fail "$name: not $((hosts * each)) ranks on $hosts nodes"; }
  fi
  for file in log.jsonl model/model.safetensors result.json; do
    cmp "alone/$file" "$name/$file" || fail "$name differs from one rank alone"
  done
  # 8 steps; in each one a host sends at least its share of the 22 kB of parameters to every other one.
  for host in $(seq "$hosts"); do
    local now
    now=$(sent "$host")
    [ $((now - before[host])) -gt 80000 ] ||
      fail "$name: host $host has sent $((now - before[host])) bytes: the ranks did not use TCP"
    bytes+=" $((now - before[host]))"
  done
  echo "ok   $hosts hosts x $each ranks${*:+, $*}: as one rank; bytes sent by each host:$bytes"
}

across 2 1
across 2 2
across 3 1
across 3 2
across 2 2 comm.shared=false
across 2 2 optim.shard=false

# A host whose rank is killed takes the others with it.
printf '192.0.2.%s slots=1\n' 1 2 >killed.hosts
"$work/on" 1 "$source/launch/local" --bind none --hostfile killed.hosts "${job[@]}" train.steps=100000000 \
  run.dir=killed >killed.out 2>&1 </dev/null &
launcher=$!
for _ in $(seq 3000); do
  [ ! -s killed/log.jsonl ] || break
  sleep 0.1
done
[ -s killed/log.jsonl ] || { cat killed.out; fail "the run to be killed did not start"; }
victim=
for pid in $(ip netns pids "$tag-host2"); do
  [ "$(readlink "/proc/$pid/exe")" != "$(realpath "$AD_PROGRAM")" ] || victim=$pid
done
[ -n "$victim" ] || fail "host 2 runs no rank"
kill -KILL "$victim"
start=$SECONDS code=0
# A hundred looks take ten seconds where the machine is not busy.
for _ in $(seq 100); do
  kill -0 "$launcher" 2>/dev/null || break
  sleep 0.1
done
! kill -0 "$launcher" 2>/dev/null || fail "the launcher is still there $((SECONDS - start)) s after the kill"
wait "$launcher" || code=$?
[ "$code" -ne 0 ] || fail "the launcher reports success after a kill"
grep -qi 'signal 9' killed.out || { cat killed.out; fail "nobody tells of the kill"; }
for host in 1 2; do
  for pid in $(ip netns pids "$tag-host$host"); do
    [ "$(readlink "/proc/$pid/exe")" != "$(realpath "$AD_PROGRAM")" ] || fail "host $host: a rank still runs"
  done
done
echo "ok   a rank killed on the second host: all ended after $((SECONDS - start)) s"
