# SPDX-License-Identifier: MIT
"""scripts/setup and scripts/apt-isolated.sh, as far as that needs neither packages nor a network."""
import pytest

from smalltree import SmallTree


@pytest.fixture
def tree(tmp_path):
    return SmallTree(tmp_path / "tree")


def fake(tree, name, body):
    tree.write(f"fake/{name}", f"#!/bin/sh\n{body}\n").chmod(0o755)


def run_setup(tree, uid, dpkg_query):
    """Runs setup as a user, with package commands that only record how they were called."""
    fake(tree, "id", f"echo {uid}")
    fake(tree, "dpkg-query", dpkg_query)
    for name in ("apt-get", "apt-cache", "apt"):
        fake(tree, name, f'echo "{name} $*" >>{tree.root}/called; exit 1')
    return tree.run("scripts/setup", check=False, PATH=f"{tree.root}/fake:/usr/sbin:/usr/bin:/sbin:/bin")


HAVE_ALL = 'case "$*" in *Status*) echo installed ;; *) echo 1:10.0 ;; esac'
HAVE_NONE = "exit 1"
HAVE_ALL_BUT_MAKE = f'case "$*" in *" make") exit 1 ;; esac; {HAVE_ALL}'


@pytest.mark.parametrize("uid", [0, 1000])
def test_nothing_is_done_when_all_is_there(tree, uid):
    done = run_setup(tree, uid, HAVE_ALL)
    assert (done.returncode, done.stdout) == (0, "setup: everything is installed\n")
    assert not (tree.root / "called").exists()


def test_without_root_the_command_is_printed(tree):
    done = run_setup(tree, 1000, HAVE_NONE)
    assert done.returncode == 1
    assert "\n  sudo apt-get update\n  sudo apt-get install -y --no-install-recommends gcc " in done.stdout
    assert "/" not in done.stdout.split("--no-install-recommends", 1)[1].splitlines()[0]
    called = tree.root / "called"
    assert not called.exists() or "apt-get" not in called.read_text()


def test_only_what_is_missing_is_asked_for(tree):
    done = run_setup(tree, 1000, HAVE_ALL_BUT_MAKE)
    assert done.returncode == 1
    assert "  sudo apt-get install -y --no-install-recommends make\n" in done.stdout
    assert "backports" not in done.stdout


def test_a_package_no_source_has_is_named(tree):
    done = run_setup(tree, 0, HAVE_ALL_BUT_MAKE)
    assert done.returncode == 1
    assert "no apt source of this machine has make" in done.stdout


@pytest.mark.parametrize("arguments, complaint", [
    ([], "scripts/apt-isolated.sh fetch OUTDIR SUITE"),
    (["bogus"], "scripts/apt-isolated.sh fetch OUTDIR SUITE"),
    (["update"], "usage: scripts/apt-isolated.sh update SUITE"),
    (["fetch", "out", "trixie"], "usage: scripts/apt-isolated.sh fetch OUTDIR"),
    (["update", "../evil"], "not a suite name: '../evil'"),
    (["versions", "-o", "x"], "not a suite name: '-o'"),
    (["versions", "", "x"], "not a suite name: ''"),
])
def test_isolated_apt_refuses_a_wrong_call(tree, arguments, complaint):
    done = tree.run("scripts/apt-isolated.sh", *arguments, check=False)
    assert done.returncode == 1
    assert complaint in done.stdout


def test_isolated_apt_says_when_no_mirror_is_known(tree):
    fake(tree, "apt-get", "exit 0")
    done = tree.run("scripts/apt-isolated.sh", "update", "trixie", check=False,
                    PATH=f"{tree.root}/fake:/usr/sbin:/usr/bin:/sbin:/bin")
    assert done.returncode == 1
    assert "no mirror is known" in done.stdout
