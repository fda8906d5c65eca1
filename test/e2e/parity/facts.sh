#!/bin/sh
# Prints what a process sees of its container, a section a fact. Runs in busybox; the same under every engine.
initial=$(tr '\0' '\n' < /proc/$$/environ | grep -v '^FACTS=')
section() { echo "## $1"; }

# What a write of nothing harmful is answered with; reads print how much there is.
attempt_write() { (: > "$1") 2>&1 | sed 's/^.*: //' | grep . || echo written; }
attempt_read() {
  if [ -d "$1" ]; then echo "directory of $(ls -A "$1" 2>/dev/null | wc -l)"; return; fi
  [ -e "$1" ] || { echo missing; return; }
  bytes=$(timeout 2 head -c 64 "$1" 2>/tmp/.error | wc -c)
  if [ -s /tmp/.error ]; then sed 's/^.*: //' /tmp/.error; elif [ "$bytes" = 0 ]; then echo empty; else echo readable; fi
}

wants() { [ -z "$FACTS" ] && [ "$1" != volumes ] || case " $FACTS " in *" $1 "*) true ;; *) false ;; esac; }

wants status && {
  section status
  grep -E '^(Uid|Gid|Groups|NoNewPrivs|Seccomp|Seccomp_filters|Umask|CapInh|CapPrm|CapEff|CapBnd|CapAmb|SigPnd|ShdPnd|SigBlk|SigIgn):' /proc/$$/status
  id
}
wants process && {
  section process
  # state ppid pgrp session tty_nr tpgid … priority nice (proc_pid_stat(5))
  set -- $(cut -d' ' -f 4-8,18,19 /proc/$$/stat)
  echo "parent $([ "$1" -le 1 ] && echo "$1" || echo another) group $([ "$2" = $$ ] && echo own || echo other) session $([ "$3" = $$ ] && echo own || echo other)"
  echo "terminal $([ "$4" = 0 ] && echo no || echo yes) foreground $([ "$5" = "$2" ] && echo yes || echo no) priority $6 nice $7"
  echo "first process: $(tr '\0' ' ' < /proc/1/cmdline | cut -c 1-40)"
  grep -E '^Sig(Blk|Ign|Cgt):' /proc/1/status
  echo "oom_score_adj $(cat /proc/$$/oom_score_adj)"
  echo "personality $(cat /proc/$$/personality 2>&1)"
  echo "coredump_filter $(cat /proc/$$/coredump_filter)"
  echo "loginuid $(cat /proc/$$/loginuid 2>&1)"
  echo "uid_map $(cat /proc/$$/uid_map)"
  echo "setgroups $(cat /proc/$$/setgroups)"
  echo "timens_offsets $(cat /proc/$$/timens_offsets 2>&1)"
  # 10 is this script, 3 and 4 are its own pipes
  for fd in $(ls /proc/$$/fd | grep -v -E '^(3|4|10)$'); do echo "$fd $(readlink /proc/$$/fd/$fd | sed 's/[0-9]\{3,\}/N/')"; done
  cat /proc/$$/cgroup
}
wants limits && { section limits; cat /proc/$$/limits; }
list_mounts() {
  # target, root, options, propagation, type, source, super block options
  awk '{
    for (i = 7; $i != "-"; i++) tags = tags " " $i
    print $5, $4, $6, (tags == "" ? "private" : substr(tags, 2)), $(i+1), $(i+2), $(i+3); tags = ""
  }' /proc/$$/mountinfo | sort
}
wants mounts && { section mounts; list_mounts; }
# Without those that every container has.
wants volumes && {
  section volumes
  list_mounts | grep -v -E '^(/proc|/sys)[/ ]|^/etc/(hosts|hostname|resolv.conf) /|^/facts |^/dev/(pts|mqueue) '
}
wants dev && {
  section dev
  find /dev | sort | while read -r path; do
    if [ -L "$path" ]; then echo "$path -> $(readlink "$path")"; else stat -c '%n %F %a %u:%g %t:%T' "$path"; fi
  done
}
wants masked && {
  section masked
  for path in /proc/asound /proc/acpi /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list /proc/timer_stats \
    /proc/sched_debug /proc/scsi /sys/firmware /sys/devices/virtual/powercap /proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger \
    /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname /proc/sys/net/ipv4/ip_forward /proc/sys/fs/mqueue/msg_max \
    /proc/sys/vm/overcommit_memory /proc/sys/kernel/shmmax /proc/kmsg /proc/kallsyms /proc/config.gz /proc/kpagecount /proc/mem \
    /proc/self/attr/current /proc/self/oom_score_adj /proc/self/coredump_filter \
    /sys/kernel/security /sys/kernel/debug /sys/kernel/uevent_helper /sys/power/state /sys/fs/cgroup/devices /sys/module \
    /sys/class/net/lo/mtu /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/release_agent; do
    echo "$path read: $(attempt_read "$path") write: $(attempt_write "$path")"
  done
  mkdir /sys/fs/cgroup/new 2>&1 | sed 's/^.*: //'
}
wants write && {
  section write
  for place in / /etc /tmp /run /var /dev /dev/shm /proc /sys /dev/mqueue; do
    echo "$place $( (: > $place/.written) 2>&1 | sed 's/^.*: //' | grep . || { rm $place/.written; echo written; })"
  done
}
wants names && {
  section names
  echo "hostname $(hostname)"
  echo "domainname $(cat /proc/sys/kernel/domainname)"
  for file in /etc/hostname /etc/hosts /etc/resolv.conf; do
    stat -c '%n %F %a %u:%g' $file
    cat $file
  done
  ls -ld /etc/mtab | awk '{print $1, $3, $4, $9, $10, $11}'
}
wants environment && { section environment; echo "$initial" | sort; }
wants directory && { section directory; readlink /proc/$$/cwd; ls -ld "$(readlink /proc/$$/cwd)" | awk '{print $1, $3, $4}'; }
wants network && {
  section network
  ip -o link | sed 's/@if[0-9]*//; s/^[0-9]*: //'
  ip -o addr | sed 's/^[0-9]*: //'
  ip route
  ip -6 route | grep -v ^fe80
}
wants sysctls && {
  section sysctls
  for name in net.ipv4.ip_unprivileged_port_start net.ipv4.ping_group_range net.ipv4.conf.eth0.arp_notify \
    net.ipv6.conf.all.disable_ipv6 net.ipv6.conf.default.disable_ipv6 \
    net.ipv6.conf.lo.disable_ipv6 net.ipv6.conf.eth0.disable_ipv6 net.ipv6.conf.eth0.accept_ra net.core.somaxconn \
    kernel.msgmax kernel.msgmnb kernel.msgmni kernel.sem kernel.shmall kernel.shmmax kernel.shmmni kernel.shm_rmid_forced \
    fs.mqueue.msg_max fs.mqueue.queues_max; do sysctl "$name" 2>&1; done
}
wants tty && {
  section tty
  tty
  stty size 2>&1 | sed 's/^.*: //'
  ls -l /dev/pts | awk 'NR > 1 {print $1, $3, $4, $5, $6, $NF}'
}
wants root && {
  section root
  find / -xdev | grep -v -E '^/(bin/|tmp/)' | sort | while read -r path; do stat -c '%n %F %a %u:%g' "$path"; done
}
true
