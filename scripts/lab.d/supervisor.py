# SPDX-License-Identifier: MIT
"""The process that owns a running lab: its namespace, bridges, taps and QEMU processes.

`lab up` starts it and talks to it over two pipes: the supervisor writes "ready" or an error, `up`
answers "keep". If `up` goes away before that, in whatever way, the supervisor takes everything
down. Bridges and taps live in its network namespace and vanish with it; a QEMU process is killed
by the kernel when the supervisor ends. It holds a lock for its whole life, which is what tells
the other commands that a lab is up.
"""

import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time

import channel
import machine
import netns
from common import HOST_ADDR, LOG, RUN, LabError, node_addr, node_name, run, tool_env, write_atomic

BOOT_SECONDS = 180
SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR1}


def lock_path():
    return os.path.join(RUN, "lock")


def state_path():
    return os.path.join(RUN, "state.json")


def restart_path():
    """Where `lab reboot` says which node is to start anew, before it sends SIGUSR1."""
    return os.path.join(RUN, "restart")


def _make_network(nodes, pfs):
    lines = ["link set lo up",
             "link add mgmt type bridge forward_delay 0 stp_state 0",
             "link add wire type bridge forward_delay 0 stp_state 0 mcast_snooping 0",
             f"addr add {HOST_ADDR}/24 dev mgmt", "link set mgmt up", "link set wire up"]
    for n in range(1, nodes + 1):
        taps = [(machine.mgmt_tap(n), "mgmt")]
        taps += [(machine.wire_tap(n, p), "wire") for p in range(pfs)]
        for tap, bridge in taps:
            lines += [f"tuntap add dev {tap} mode tap", f"link set {tap} master {bridge}",
                      f"link set {tap} up"]
    run(["ip", "-batch", "-"], stdin=_text_pipe("\n".join(lines) + "\n"))


def _text_pipe(text):
    fd = os.memfd_create("batch")
    os.write(fd, text.encode())
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


class Supervisor:
    """One running lab."""

    def __init__(self, spec):
        self.spec = spec
        self.qemus = {}
        self.started = {}

    def start(self):
        netns.enter_new()
        _make_network(self.spec["nodes"], self.spec["pfs"])
        for n in range(1, self.spec["nodes"] + 1):
            self.start_node(n)

    def start_node(self, n):
        self.started[n] = time.monotonic()
        with open(os.path.join(LOG, f"{node_name(n)}.qemu"), "wb") as log:
            self.qemus[n] = subprocess.Popen(
                self.spec["commands"][n - 1], cwd=RUN, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=tool_env(), preexec_fn=netns.die_with_parent)

    def stop_node(self, n):
        self.qemus[n].kill()
        self.qemus[n].wait()

    def clock_is_right(self, n):
        """Whether the node's clock has not run ahead of ours. A guest that is kept from running
        while it measures its processor takes it for a slow one: its seconds are too short then,
        a hundred times even, and everything with a deadline in it fails."""
        name = node_name(n)
        with os.fdopen(os.memfd_create("uptime"), "r+", encoding="ascii") as f:
            channel.execute(name, node_addr(n), ["cat", "/proc/uptime"], timeout=20,
                            out_fd=f.fileno())
            f.seek(0)
            uptime = f.read().split()
        return bool(uptime) and float(uptime[0]) < 2 + 1.2 * (time.monotonic() - self.started[n])

    def restart_node(self):
        """As when a node's power goes and comes. The taps stay, and so does who is on the wire."""
        try:
            with open(restart_path(), encoding="ascii") as f:
                n = int(f.read())
            self.stop_node(n)
            self.start_node(n)
            self.write_state()
            os.unlink(restart_path())
        except (OSError, ValueError, KeyError):
            pass  # who asked for it sees that the file is still there

    def write_state(self):
        state = {k: self.spec[k] for k in ("nodes", "pfs", "accel", "kernel")}
        state["pids"] = {node_name(n): q.pid for n, q in self.qemus.items()}
        write_atomic(state_path(), json.dumps(state).encode())

    def await_nodes(self):
        """Waits until every node's agent answers; fails when a node dies or `up` is gone."""
        deadline = time.monotonic() + BOOT_SECONDS
        waiting = set(self.qemus)
        while waiting:
            for n in sorted(waiting):
                if self.qemus[n].poll() is not None:
                    raise LabError(self.dead_node(n))
                if channel.answers(node_addr(n)):
                    if self.clock_is_right(n):
                        waiting.discard(n)
                    else:
                        self.stop_node(n)
                        self.start_node(n)
            if time.monotonic() > deadline:
                raise LabError(f"{node_name(min(waiting))} did not come up within {BOOT_SECONDS} s"
                               f" (console: {LOG}/{node_name(min(waiting))}.console)")
            if waiting and self.up_is_gone(0.1):
                raise LabError("interrupted")

    @staticmethod
    def up_is_gone(seconds):
        """Waits on `up`: it says nothing before "ready", so anything to read is its end."""
        if signal.sigpending() & (SIGNALS - {signal.SIGCHLD, signal.SIGUSR1}):
            return True
        return bool(select.select([0], [], [], seconds)[0])

    def dead_node(self, n):
        tail = []
        for suffix in ("qemu", "console"):
            try:
                with open(os.path.join(LOG, f"{node_name(n)}.{suffix}"), "rb") as f:
                    tail.append(f.read()[-400:].decode(errors="replace").strip())
            except OSError:
                pass
        return f"{node_name(n)} ended with status {self.qemus[n].returncode}: " + " ".join(tail)

    def watch(self):
        """Runs until a signal says stop or somebody removes build/lab/run."""
        me = os.stat(lock_path()).st_ino
        while True:
            info = signal.sigtimedwait(SIGNALS, 10)
            if info is not None and info.si_signo == signal.SIGUSR1:
                self.restart_node()
            elif info is not None and info.si_signo != signal.SIGCHLD:
                return
            try:
                if os.stat(lock_path()).st_ino != me:
                    return
            except OSError:
                return
            for qemu in self.qemus.values():
                qemu.poll()

    def stop(self):
        for qemu in self.qemus.values():
            qemu.kill()
        for qemu in self.qemus.values():
            qemu.wait()
        shutil.rmtree(RUN, ignore_errors=True)


def main():
    """The supervisor's life; the specification comes as one line of JSON on stdin."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    spec = json.loads(sys.stdin.buffer.readline())
    lock = os.open(lock_path(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.ftruncate(lock, 0)
    os.write(lock, b"%d\n" % os.getpid())
    supervisor = Supervisor(spec)
    try:
        try:
            supervisor.start()
            supervisor.await_nodes()
        except LabError as e:
            print(f"error {e}", flush=True)
            return 1
        supervisor.write_state()
        print("ready", flush=True)
        if sys.stdin.buffer.readline() != b"keep\n":
            return 1
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        supervisor.watch()
        return 0
    except BrokenPipeError:
        return 1
    finally:
        supervisor.stop()
