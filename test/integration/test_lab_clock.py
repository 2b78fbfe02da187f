# SPDX-License-Identifier: MIT
"""A node that has come up with a wrong clock is started again. Nodes are played here: that a real one
measures wrongly cannot be brought about."""

import os
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "scripts", "lab.d"))

import channel  # noqa: E402
import supervisor  # noqa: E402


class Qemu:
    def __init__(self):
        self.killed = False

    def poll(self):
        return None

    def kill(self):
        self.killed = True

    def wait(self):
        assert self.killed


@pytest.fixture(name="lab")
def fixture_lab(monkeypatch):
    """A supervisor with one node, started ten seconds ago; uptimes: what the node says in turn."""
    it = supervisor.Supervisor({"nodes": 1})
    it.uptimes = []
    it.qemus[1] = it.first = Qemu()
    it.started[1] = time.monotonic() - 10

    def execute(_name, _addr, _argv, timeout, out_fd):
        assert timeout
        os.write(out_fd, it.uptimes.pop(0))
        return 0

    def start_node(n):
        it.qemus[n] = Qemu()
        it.started[n] = time.monotonic() - 10

    monkeypatch.setattr(channel, "execute", execute)
    monkeypatch.setattr(channel, "answers", lambda addr: True)
    monkeypatch.setattr(it, "start_node", start_node)
    monkeypatch.setattr(it, "up_is_gone", lambda seconds: False)
    return it


@pytest.mark.parametrize("uptime, right", [
    (b"8.1 3.0\n", True), (b"10.0 3.0\n", True), (b"1.0 0.1\n", True), (b"400.5 3.0\n", False),
    (b"15.5 3.0\n", False), (b"", False)])
def test_a_clock_that_runs_ahead_is_wrong(lab, uptime, right):
    lab.uptimes = [uptime]
    assert lab.clock_is_right(1) == right


def test_a_node_with_a_right_clock_stays(lab):
    lab.uptimes = [b"8.0 1.0\n"]
    lab.await_nodes()
    assert lab.qemus[1] is lab.first and not lab.first.killed


def test_a_node_with_a_wrong_clock_is_started_again(lab):
    lab.uptimes = [b"800.0 1.0\n", b"9.0 1.0\n"]
    lab.await_nodes()
    assert lab.first.killed and lab.qemus[1] is not lab.first
    assert lab.uptimes == []
