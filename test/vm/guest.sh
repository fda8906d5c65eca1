#!/bin/bash
# What systemd of the virtual machine runs: the quick start, limits, kill and recovery, on a stock kernel.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8

finish() {
  echo "guest: $1"
  sync
  echo o >/proc/sysrq-trigger
  sleep 60
}
only=$(sed -n 's/.*tscompose\.only=\([^ ]*\).*/\1/p' /proc/cmdline)
wanted() { [[ $1 == *"$only"* ]]; }
check() { # NAME COMMAND...
  wanted "$1" || return 0
  local name=$1 since=$SECONDS
  shift
  "$@" 2>&1 | sed -u 's/^/  /'
  if [[ ${PIPESTATUS[0]} == 0 ]]; then echo "ok $name ($((SECONDS - since)) s)"; else echo "not ok $name"; fi
}
# An emulated processor takes its time: the stack as it is, with patient probes.
cat >/run/patient.yaml <<'E'
services:
  web: {healthcheck: {timeout: 10m, start_period: 30m}}
  api: {healthcheck: {timeout: 10m, start_period: 30m}}
  store: {healthcheck: {timeout: 10m, start_period: 30m}}
E
tscompose() { node /opt/tscompose/dist/cli.cjs -f compose.yaml -f /run/patient.yaml "$@"; }
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
program() { node "/opt/tscompose/$1.mjs" /opt/tscompose/dist/native/linux-*/tscompose-helper "${@:2}"; }
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
restarted=/var/lib/guest-restarted
after_boot='restart policies hold after the next boot'
if [[ -e $restarted ]]; then
  check "$after_boot" program boot after
  finish 'all done'
fi
check 'quick start comes up' tscompose up -d --wait --wait-timeout 900
check 'its page answers' page
check 'limits are the kernel'"'"'s' store_is_limited
check 'limits of version 2 are set, changed and refused' program limits
check 'macvlan, ipvlan, tagged networks and SCTP' program networks
check 'profiles of AppArmor confine' program confinement
check 'cgroups that systemd gives to a user' program delegation
check 'exec runs in the container' tscompose exec -T store sh -c 'test "$(id -u)" = 0 && test -f /data/entries.ndjson -o -d /data'
check 'a killed monitor takes its container along' lose_monitor
check 'the next up converges' recovers
check 'down' tscompose down -v
check 'nothing is left' nothing_left
wanted "$after_boot" || finish 'all done'
check 'services of systemd are installed for the next boot' program boot before
echo 'guest: starts again'
touch $restarted
systemctl reboot --no-block
sleep infinity
