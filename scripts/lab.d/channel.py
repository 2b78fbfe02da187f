# SPDX-License-Identifier: MIT
"""The client of the agent in a guest (test/lab/guest/agent.c describes the protocol)."""

import os
import select
import socket
import struct
import sys
import time

from common import EX_CHANNEL, EX_TIMEOUT, LabError

PORT = 2222
CHUNK = 65536


def answers(addr, timeout=0.5):
    """True if the agent at addr accepts a connection."""
    try:
        socket.create_connection((addr, PORT), timeout).close()
        return True
    except OSError:
        return False


def _connect(name, addr):
    try:
        s = socket.create_connection((addr, PORT), 10)
    except OSError as e:
        raise LabError(f"{name} ({addr}) does not answer: {e}", EX_CHANNEL) from None
    s.setblocking(False)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, seconds in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 6)):
        s.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)
    return s


def _frame(kind, data):
    return kind + struct.pack(">I", len(data)) + data


def _write_all(fd, data):
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view):]


class _Session:
    """One command: frames in, frames out, until the exit status or the end of the time."""

    def __init__(self, sock, stdin_fd, deadline):
        self.sock = sock
        self.stdin_fd = stdin_fd
        self.deadline = deadline
        self.received = bytearray()
        self.unsent = bytearray()

    def wait(self):
        """Waits until something can be done; returns (readable, writable, stdin readable),
        or None when the time is up. Stdin is read only while little waits to be sent."""
        p = select.poll()
        p.register(self.sock, select.POLLIN | (select.POLLOUT if self.unsent else 0))
        if self.stdin_fd is not None and len(self.unsent) < CHUNK:
            p.register(self.stdin_fd, select.POLLIN)
        left = None if self.deadline is None else self.deadline - time.monotonic()
        if left is not None and left <= 0:
            return None
        got = dict(p.poll(None if left is None else left * 1000 + 1))
        on_sock = got.get(self.sock.fileno(), 0)
        return on_sock & ~select.POLLOUT, on_sock & select.POLLOUT, got.get(self.stdin_fd, 0)

    def read_stdin(self):
        data = os.read(self.stdin_fd, CHUNK)
        self.unsent += _frame(b"I", data)
        if not data:
            self.stdin_fd = None

    def frames(self):
        """Yields the whole frames among the octets received so far."""
        data = self.sock.recv(4 * CHUNK)
        if not data:
            raise LabError("the node closed the connection before the command ended", EX_CHANNEL)
        self.received += data
        while len(self.received) >= 5:
            size = struct.unpack(">I", self.received[1:5])[0]
            if len(self.received) < 5 + size:
                return
            kind = bytes(self.received[:1])
            body = bytes(self.received[5:5 + size])
            del self.received[:5 + size]
            yield kind, body

    def run(self, args, out_fd, err_fd):
        self.unsent += _frame(b"A", args)
        if self.stdin_fd is None:
            self.unsent += _frame(b"I", b"")
        while True:
            ready = self.wait()
            if ready is None:
                return EX_TIMEOUT
            readable, writable, stdin = ready
            if writable:
                del self.unsent[:self.sock.send(self.unsent)]
            if stdin:
                self.read_stdin()
            if not readable:
                continue
            for kind, body in self.frames():
                if kind == b"X":
                    return struct.unpack(">I", body)[0]
                _write_all(out_fd if kind == b"O" else err_fd, body)


def execute(name, addr, argv, stdin_fd=None, timeout=None, out_fd=None):
    """Runs argv on a node with this process's stdout (or out_fd) and stderr; returns its exit status.
    When the time is up the command's process group is killed and 124 is returned."""
    if not argv or len(argv) > 4096 or any("\0" in a for a in argv):
        raise LabError("a command of 1 to 4096 arguments is needed", EX_CHANNEL)
    args = b"".join(os.fsencode(a) + b"\0" for a in argv)
    if len(args) > 1 << 20:
        raise LabError("the arguments are longer than 1 MiB", EX_CHANNEL)
    deadline = None if timeout is None else time.monotonic() + timeout
    with _connect(name, addr) as sock:
        session = _Session(sock, stdin_fd, deadline)
        try:
            status = session.run(args, sys.stdout.fileno() if out_fd is None else out_fd,
                                 sys.stderr.fileno())
        except OSError as e:
            raise LabError(f"{name}: {e}", EX_CHANNEL) from None
    if status == EX_TIMEOUT and deadline is not None and time.monotonic() >= deadline:
        print(f"lab: {name}: stopped after {timeout:g} s: {argv[0]}", file=sys.stderr)
    return status
