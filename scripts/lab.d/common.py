# SPDX-License-Identifier: MIT
"""What every part of the lab shares: where things are, how errors and messages look."""

import hashlib
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LAB = os.path.join(TOP, "build", "lab")
RUN = os.path.join(LAB, "run")
LOG = os.path.join(LAB, "log")
GUEST = os.path.join(TOP, "test", "lab", "guest")

NODES_MAX = 32
PFS_MAX = 8
HOST_ADDR = "10.77.0.1"

EX_USAGE = 100
EX_SYSTEM = 111
EX_TIMEOUT = 124
EX_CHANNEL = 255


class LabError(Exception):
    """A failure with a message for the person who ran the command."""

    def __init__(self, message, code=EX_SYSTEM):
        super().__init__(message)
        self.code = code


def say(message):
    print(f"lab: {message}", file=sys.stderr, flush=True)


def node_name(number):
    return f"node{number}"


def node_addr(number):
    return f"10.77.0.{10 + number}"


def tool_env():
    """The environment for host tools: administrators' folders are in PATH for every user."""
    env = dict(os.environ)
    env["PATH"] = env.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
    env["LC_ALL"] = "C"
    return env


def run(argv, **kwargs):
    """Runs a tool to its end; its output is part of the error when it fails."""
    try:
        done = subprocess.run(argv, stdin=kwargs.pop("stdin", subprocess.DEVNULL),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=tool_env(), check=False, **kwargs)
    except FileNotFoundError:
        raise LabError(f"{argv[0]}: not installed (run scripts/setup)") from None
    if done.returncode != 0:
        detail = (done.stderr + done.stdout).decode(errors="replace").strip()
        raise LabError(f"{' '.join(argv[:4])}: exit status {done.returncode}: {detail[-600:]}")
    return done.stdout


def sha256_file(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        for block in iter(lambda: f.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def write_atomic(path, data):
    """Writes a file whole or not at all."""
    part = f"{path}.{os.getpid()}.part"
    try:
        with open(part, "wb") as f:
            f.write(data)
        os.replace(part, path)
    except BaseException:
        if os.path.exists(part):
            os.unlink(part)
        raise


def cache_dir():
    """The folder outside the clone that keeps downloads, or None."""
    path = os.environ.get("FERRULE_CACHE") or os.path.expanduser("~/.cache/ferrule")
    return path if os.path.isdir(path) and os.access(path, os.W_OK) else None
