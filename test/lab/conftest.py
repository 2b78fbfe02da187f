# SPDX-License-Identifier: MIT
"""One lab of two nodes for all tests, taken down at the end whatever happens."""

import os
import signal

import pytest

from labtool import TOP, Lab


def interrupted(number, _frame):
    """Ends the run as Ctrl-C does, so that the lab is taken down then too."""
    raise KeyboardInterrupt(f"signal {number}")


@pytest.fixture(scope="session")
def lab():
    signal.signal(signal.SIGTERM, interrupted)
    it = Lab()
    it.down()
    try:
        it.up()
        yield it
    finally:
        it.down()


@pytest.fixture
def node1(lab):
    """The first node, as it was after boot."""
    lab.nodes[0].reset()
    return lab.nodes[0]


@pytest.fixture
def node2(lab):
    """The second node, as it was after boot."""
    lab.nodes[1].reset()
    return lab.nodes[1]


@pytest.fixture(scope="session")
def rdma_ds():
    """Fails, rather than skips, where the program is not built."""
    path = os.path.join(TOP, "build", "bin", "rdma-ds")
    assert os.access(path, os.X_OK), "build/bin/rdma-ds is missing: run make"
    return path
