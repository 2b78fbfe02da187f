# SPDX-License-Identifier: MIT
"""One lab of two nodes for all tests, taken down at the end whatever happens.

Most tests need one node, and most of their time is the kernel's sleep while it makes and removes
VFs. So scripts/run-lab.sh runs two pytest processes beside each other on one lab that it has
brought up, each with its own node (--share 1 and 2: the tests of one node, module by module, in
two parts), and then the tests that need both nodes or the lab itself (--share both)."""

import collections
import os
import signal

import pytest

import cnitool
from labtool import TOP, Lab


def interrupted(number, _frame):
    """Ends the run as Ctrl-C does, so that the lab is taken down then too."""
    raise KeyboardInterrupt(f"signal {number}")


def pytest_addoption(parser):
    parser.addoption("--share", choices=("1", "2", "both"),
                     help="only these tests, on a lab that is up already")


def pytest_configure(config):
    config.addinivalue_line("markers", "both: needs the lab to itself")
    config.addinivalue_line("markers", "beside(module): in the same share as that module's tests")


def needs_both(item):
    return item.get_closest_marker("both") or {"node2", "cni2"} & set(item.fixturenames)


def module(item):
    """What goes to one part as a whole: a module with those that are beside it."""
    beside = item.get_closest_marker("beside")
    return beside.args[0] if beside else item.path.name


def pytest_collection_modifyitems(config, items):
    """Keeps the tests of the share. The modules go, the largest first, to the smaller part."""
    share = config.getoption("--share")
    if share is None:
        return
    wanted = [i for i in items if needs_both(i)]
    if share != "both":
        counts = collections.Counter(module(i) for i in items if not needs_both(i))
        parts = {"1": set(), "2": set()}
        for name in sorted(counts, key=lambda n: (-counts[n], n)):
            min(parts.values(), key=lambda p: sum(counts[n] for n in p)).add(name)
        wanted = [i for i in items if not needs_both(i) and module(i) in parts[share]]
    kept = set(wanted)
    config.hook.pytest_deselected(items=[i for i in items if i not in kept])
    items[:] = wanted


@pytest.fixture(scope="session")
def lab(pytestconfig):
    signal.signal(signal.SIGTERM, interrupted)
    share = pytestconfig.getoption("--share")
    it = Lab(first=2 if share == "2" else 1)
    if share is not None:
        yield it
        return
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


@pytest.fixture
def cni1(lab):
    """The plugin on the first node, with VFs on both PFs."""
    yield from cnitool.lend(lab.nodes[0])


@pytest.fixture
def cni2(lab):
    """The same on the second node."""
    yield from cnitool.lend(lab.nodes[1])


@pytest.fixture(scope="session")
def rdma_ds():
    """Fails, rather than skips, where the program is not built."""
    path = os.path.join(TOP, "build", "bin", "rdma-ds")
    assert os.access(path, os.X_OK), "build/bin/rdma-ds is missing: run make"
    return path
