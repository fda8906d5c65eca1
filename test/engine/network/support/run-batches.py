"""Does what a monitor does with netlink batches: sends each in the machine's or in the container's namespace.

Input: JSON {"container": path of a namespace file, "batches": [{"when", "family", "data": base64}]}.
Output: JSON list of {"batch", "when", "message", "errno"}: what the kernel refused.
"""
import base64
import ctypes
import errno
import json
import os
import socket
import struct
import sys

NLMSG_ERROR = 2
NLM_F_ACK = 4
MACHINE = 101
CONTAINER = 100


def send(family, batch):
    """Errors of a batch as (message number, errno name)."""
    channel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, family)
    channel.bind((0, 0))
    messages = bytearray(batch)
    offset = number = 0
    while offset < len(messages):
        length, kind, flags = struct.unpack_from("<IHH", messages, offset)
        # The first and last message of a transaction are not acknowledged.
        if kind not in (0x10, 0x11):
            flags |= NLM_F_ACK
        struct.pack_into("<HI", messages, offset + 6, flags, number)
        offset += (length + 3) & ~3
        number += 1
    channel.send(messages)
    channel.setblocking(False)
    found = []
    while True:
        try:
            answer = channel.recv(1 << 20)
        except BlockingIOError:
            break
        at = 0
        while at < len(answer):
            length, kind, _, sequence = struct.unpack_from("<IHHI", answer, at)
            if kind == NLMSG_ERROR:
                code = -struct.unpack_from("<i", answer, at + 16)[0]
                if code:
                    found.append((sequence, errno.errorcode.get(code, str(code))))
            at += (length + 3) & ~3
    channel.close()
    return found


def enter(descriptor):
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, 0) != 0:
        raise OSError(ctypes.get_errno(), "setns")


task = json.load(sys.stdin)
os.dup2(os.open(task["container"], os.O_RDONLY), CONTAINER)
os.dup2(os.open("/proc/self/ns/net", os.O_RDONLY), MACHINE)
refused = []
for index, entry in enumerate(task["batches"]):
    enter(CONTAINER if entry["when"] == "inside" else MACHINE)
    for message, name in send(entry["family"], base64.b64decode(entry["data"])):
        refused.append({"batch": index, "when": entry["when"], "message": message, "errno": name})
print(json.dumps(refused))
