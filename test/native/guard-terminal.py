"""A terminal with a shell, a program that draws on it, and the guard beside that; what is left on it as JSON.

Usage: guard-terminal.py HELPER SCENARIO
"""
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import termios
import time

helper, scenario = sys.argv[1:]


def read_keys(fd, signals):
    """Sets a terminal as a program that reads keys does (no lines, no echo), with or without signals by keys."""
    settings = list(before)
    settings[3] &= ~(termios.ICANON | termios.ECHO | (0 if signals else termios.ISIG))
    termios.tcsetattr(fd, termios.TCSANOW, settings)


def program(report):
    """What the terminal UI does: guard first, then settings, then drawing."""

    def descriptors():
        os.dup2(theirs.fileno(), 100)
        os.dup2(100, 3)
        os.dup2(0, 4)
        os.dup2(1, 5)

    guard = subprocess.Popen([helper, "guard"], preexec_fn=descriptors, close_fds=False)
    theirs.close()

    def say(state):
        ours.send(state)
        assert ours.recv(1) == state

    say(b"T" if scenario == "settings-only" else b"S")
    read_keys(0, signals=False)
    os.write(1, b"\x1b[?1049h\x1b[?25lDRAWN")
    if scenario in ("ended", "idle"):
        say(b"I")
    os.write(report, b"guard %d\n" % guard.pid)
    if scenario == "ended":
        os._exit(0)
    signal.pause()


def shell(slave, report, orders):
    os.setsid()
    import fcntl

    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in range(3):
        os.dup2(slave, fd)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)

    def job(work):
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGTTOU, signal.SIG_DFL)
            os.setpgid(0, 0)
            # Until it is in front.
            while os.tcgetpgrp(0) != os.getpgrp():
                time.sleep(0.005)
            work()
            os._exit(0)
        os.setpgid(pid, pid)
        os.tcsetpgrp(0, pid)
        return pid

    pid = job(lambda: program(report))
    ours.close()
    theirs.close()
    os.write(report, b"program %d\n" % pid)
    os.waitpid(pid, 0)
    os.tcsetpgrp(0, os.getpgrp())
    os.write(report, b"back\n")
    if os.read(orders, 1) == b"j":
        other = job(lambda: (os.write(report, b"job\n"), signal.pause()))
        os.read(orders, 1)
        os.kill(other, signal.SIGKILL)
    os._exit(0)


def read_until(fd, end):
    data = b""
    while not data.endswith(end):
        data += os.read(fd, 65536)
    return data


def ended(pid):
    for _ in range(2000):
        try:
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.01)
    return False


master, slave = pty.openpty()
before = termios.tcgetattr(slave)
report_out, report = os.pipe()
orders, orders_in = os.pipe()
ours, theirs = socket.socketpair()
shell_pid = os.fork()
if shell_pid == 0:
    shell(slave, report, orders)
os.close(report)
theirs.close()
# A guard that is late, as on a busy machine: what it waits for closes when we close it.
late = scenario in ("shell-was-quicker", "other-job")
if not late:
    ours.close()
lines = os.fdopen(report_out)
pids = dict(lines.readline().split() for _ in range(2))
guard, drawing = int(pids["guard"]), int(pids["program"])
drawn = read_until(master, b"DRAWN")
running = scenario != "ended"
descriptors = sorted(int(fd) for fd in os.listdir(f"/proc/{guard}/fd")) if running else []
own_group = os.getpgid(guard) == guard if running else False

if scenario == "signals":
    for name in ("INT", "QUIT", "TSTP", "HUP", "TERM", "TTOU", "USR1", "PIPE"):
        os.kill(guard, getattr(signal, f"SIG{name}"))
if scenario == "gone":
    os.close(slave)
    os.close(master)
    os.kill(shell_pid, signal.SIGKILL)
if running:
    os.kill(drawing, signal.SIGKILL)
if scenario != "gone":
    assert lines.readline() == "back\n"
if scenario == "shell-was-quicker":
    read_keys(slave, signals=True)
if scenario == "other-job":
    os.write(orders_in, b"j")
    assert lines.readline() == "job\n"
expected = termios.tcgetattr(slave) if late else before
if late:
    ours.close()
guard_ended = ended(guard)
after = None if scenario == "gone" else termios.tcgetattr(slave)
written = b""
if scenario != "gone":
    # What was written before this arrives before this.
    os.write(slave, b"END")
    written = read_until(master, b"END").removesuffix(b"END")
os.write(orders_in, b"ee")
if scenario != "gone":
    os.waitpid(shell_pid, 0)
print(
    json.dumps(
        {
            "drawn": drawn.decode(),
            "written": written.decode(),
            "settingsAsExpected": after == expected,
            "guardEnded": guard_ended,
            "ownGroup": own_group,
            "descriptors": descriptors,
        }
    )
)
