#!/bin/bash
# What the virtual machine runs as its first process: the quick start, limits, kill and recovery, on a stock kernel.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t securityfs securityfs /sys/kernel/security
ip link set lo up
hostname guest

finish() {
  echo "guest: $1"
  sync
  echo o >/proc/sysrq-trigger
  sleep 60
}
only=$(sed -n 's/.*tscompose\.only=\([^ ]*\).*/\1/p' /proc/cmdline)
check() { # NAME COMMAND...
  [[ $1 == *"$only"* ]] || return 0
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then echo "ok $name"; else printf 'not ok %s\n%s\n' "$name" "$output"; fi
}
# An emulated processor takes its time: the stack as it is, with patient probes.
cat >/run/patient.yaml <<'E'
services:
  web: {healthcheck: {timeout: 10m, start_period: 30m}}
  api: {healthcheck: {timeout: 10m, start_period: 30m}}
  store: {healthcheck: {timeout: 10m, start_period: 30m}}
E
tscompose() { node /opt/tscompose/dist/cli.mjs -f compose.yaml -f /run/patient.yaml "$@"; }
page() { curl -sS --max-time 120 http://localhost:8080/ | grep -q '<h1>Guest book</h1>'; }
container_cgroup() { find /sys/fs/cgroup -name cgroup.procs -path '*tscompose*' -exec grep -lx "$1" {} + | head -1 | xargs -r dirname; }
pid_of() { node -e '
  const {readdirSync, readFileSync} = require("node:fs");
  for (const id of readdirSync("/run/tscompose/containers")) {
    const state = JSON.parse(readFileSync(`/run/tscompose/containers/${id}/state.json`));
    const record = readFileSync(`/var/lib/tscompose/containers/${id}/config.json`, "utf8");
    if (JSON.stringify(JSON.parse(record)).includes(`"com.docker.compose.service":"${process.argv[1]}"`)) console.log(state[process.argv[2]]);
  }' "$1" "$2"; }
store_is_limited() {
  local cgroup
  cgroup=$(container_cgroup "$(pid_of store pid)") && [[ $(cat "$cgroup"/memory.max) == 268435456 && $(cat "$cgroup"/pids.max) == 50 && $(cat "$cgroup"/cpu.max) == "50000 100000" ]]
}
limits() { node /opt/tscompose/limits.mjs /opt/tscompose/dist/native/linux-*/tscompose-helper; }
networks() { node /opt/tscompose/networks.mjs /opt/tscompose/dist/native/linux-*/tscompose-helper; }
confinement() { node /opt/tscompose/confinement.mjs /opt/tscompose/dist/native/linux-*/tscompose-helper; }
lose_monitor() { kill -9 "$(pid_of web monitor)" && sleep 1 && ! page; }
recovers() { tscompose up -d --wait && page; }
nothing_left() {
  local left
  left=$(ls /run/tscompose/containers /run/tscompose/networks /var/lib/tscompose/{containers,networks,volumes,names} 2>/dev/null | grep -v ':$' | grep .
    ip -br link | grep -v '^lo '
    nft list ruleset | grep tscompose
    find /sys/fs/cgroup -name 'tscompose*'
    pgrep -fa tscompose-)
  [[ -z $left ]] || { echo "$left"; return 1; }
}

echo "guest: $(uname -r), cgroup $(stat -fc %T /sys/fs/cgroup), node $(node -v)"
cd /opt/tscompose/examples/quickstart || finish 'no examples'
check 'quick start comes up' tscompose up -d --wait --wait-timeout 900
check 'its page answers' page
check 'limits are the kernel'"'"'s' store_is_limited
check 'limits of version 2 are set, changed and refused' limits
check 'macvlan, ipvlan, tagged networks and SCTP' networks
check 'profiles of AppArmor confine' confinement
check 'exec runs in the container' tscompose exec -T store sh -c 'test "$(id -u)" = 0 && test -f /data/entries.ndjson -o -d /data'
check 'a killed monitor takes its container along' lose_monitor
check 'the next up converges' recovers
check 'down' tscompose down -v
check 'nothing is left' nothing_left
finish 'all done'
