# SPDX-License-Identifier: MIT
"""Network namespaces for the lab, with and without root, through the C library."""

import ctypes
import os
import signal

from common import LabError

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1

LIBC = ctypes.CDLL(None, use_errno=True)


def _call(name, *args):
    if getattr(LIBC, name)(*args) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


def _write(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


def enter_new():
    """Moves this process into a network namespace of its own; without root also a user
    namespace in which it is root."""
    uid, gid = os.getuid(), os.getgid()
    try:
        if uid == 0:
            _call("unshare", CLONE_NEWNET)
            return
        _call("unshare", CLONE_NEWUSER | CLONE_NEWNET)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"0 {uid} 1")
        _write("/proc/self/gid_map", f"0 {gid} 1")
    except OSError as e:
        hint = "" if uid == 0 else " (unprivileged user namespaces may be switched off here)"
        raise LabError(f"no network namespace for the lab: {e}{hint}") from None


def enter_of(pid):
    """Moves this process into the namespaces of the lab's supervisor."""
    try:
        if os.getuid() != 0:
            _set(f"/proc/{pid}/ns/user", CLONE_NEWUSER)
        _set(f"/proc/{pid}/ns/net", CLONE_NEWNET)
    except OSError as e:
        raise LabError(f"the lab's network namespace cannot be entered: {e}") from None


def _set(path, kind):
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _call("setns", fd, kind)
    finally:
        os.close(fd)


def die_with_parent():
    """For a child between fork and exec: it is killed when its parent ends, however that ends."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
