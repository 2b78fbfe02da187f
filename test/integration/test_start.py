# SPDX-License-Identifier: MIT
"""What the programs that stay have in common: the line scripts wait for, and signals."""
import os
import re
import signal
import subprocess

import pytest

from fakenode import ROOT

PROGRAMS = {
    "rdma-ds": ["serve", "--sysfs", "{dir}", "--state-dir", "{dir}"],
    "rdma-scheduler-extender": [],
    "rdma-dummy-dp": ["--plugin-dir", "{dir}", "--dev-dir", "{dir}"],
}


@pytest.fixture(params=sorted(PROGRAMS), name="program")
def fixture_program(request, tmp_path):
    """Starts the program with arguments; the process."""
    running = []

    def start(*args):
        argv = [os.path.join(ROOT, "build", "bin", request.param),
                *(a.format(dir=tmp_path) for a in PROGRAMS[request.param]),
                "--listen", "127.0.0.1:0", *args]
        # pylint: disable-next=consider-using-with
        running.append(subprocess.Popen(argv, stderr=subprocess.PIPE, text=True))
        return running[-1]

    yield start
    for p in running:
        p.kill()
        p.communicate()


def wait_for_port(p):
    """The lines up to the one that says where it listens, which has a port."""
    seen = []
    for line in p.stderr:
        seen.append(line)
        if "listening on" in line:
            assert re.search(r"[1-9]\d*\n$", line), line
            return seen
    pytest.fail("it ended: " + "".join(seen))


@pytest.mark.parametrize("level", ["error", "warn", "info"])
def test_where_it_listens_is_said_at_every_level(program, level):
    p = program("--log-level", level)
    wait_for_port(p)
    p.terminate()
    rest = p.stderr.read()
    assert p.wait(timeout=20) == 0
    assert ("stopped" in rest) == (level == "info")


@pytest.mark.parametrize("sig", [signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE])
def test_signals_that_mean_nothing_end_nothing(program, sig):
    p = program()
    wait_for_port(p)
    p.send_signal(sig)
    p.send_signal(signal.SIGTERM)
    assert p.wait(timeout=20) == 0
