# SPDX-License-Identifier: MIT
"""Packages of the distribution: fetched once, checked, unpacked under build/lab, never installed.

What was fetched is kept in the cache folder outside the clone, if there is one, so that a second
clone needs no network.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections import namedtuple

from common import LAB, TOP, LabError, cache_dir, run, say, sha256_file, write_atomic

APT = os.path.join(TOP, "scripts", "apt-isolated.sh")
RECORD = "record.json"

Distro = namedtuple("Distro", "id codename number")


def distro():
    """What this machine runs, from /etc/os-release."""
    fields = {}
    with open("/etc/os-release", encoding="utf-8") as f:
        for line in f:
            key, _, value = line.strip().partition("=")
            fields[key] = value.strip("\"'")
    found = Distro(fields.get("ID", ""), fields.get("VERSION_CODENAME", ""),
                   fields.get("VERSION_ID", ""))
    if found.id not in ("debian", "ubuntu"):
        raise LabError("the lab knows Debian 12, Debian 13 and Ubuntu 24.04, not "
                       f"{found.id or 'an unnamed system'}")
    return found


def arch():
    return run(["dpkg", "--print-architecture"]).decode().strip()


def fetch(folder, suite, packages):
    """Fetches packages (NAME or NAME=VERSION), which apt checks against the archive's signed lists;
    False if the archive does not hand one out."""
    done = subprocess.run([APT, "fetch", folder, suite, *packages], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode == 0:
        return True
    say(f"{suite}: {packages[0]} cannot be fetched: "
        f"{done.stdout.decode(errors='replace').strip()[-300:]}")
    return False


def unpack(debs, folder):
    for deb in debs:
        run(["dpkg-deb", "-x", deb, folder])


def _record_of(folder):
    """The record of a folder whose files are all there and as recorded, or None."""
    try:
        with open(os.path.join(folder, RECORD), encoding="ascii") as f:
            record = json.load(f)
        for name, digest in record["files"].items():
            if os.path.basename(name) != name or sha256_file(os.path.join(folder, name)) != digest:
                say(f"{name} in {folder} is damaged: fetching again")
                return None
        return record
    except (OSError, ValueError, KeyError, AttributeError):
        return None


def _copy_whole(source, target):
    """Copies a folder so that target is complete or absent."""
    part = tempfile.mkdtemp(prefix=os.path.basename(target) + ".", dir=os.path.dirname(target))
    try:
        shutil.copytree(source, part, dirs_exist_ok=True)
        if os.path.exists(target):
            shutil.rmtree(target)
        os.rename(part, target)
    except OSError:
        shutil.rmtree(part, ignore_errors=True)
        if _record_of(target) is None:
            raise


class Store:
    """A folder of fetched files with a record of their checksums.

    name: of the folder in build/lab. In the cache it is the distribution's, with suffix behind.
    fill: called with an empty folder; puts the files there and returns what else to record."""

    def __init__(self, name, suffix, fill):
        self.folder = os.path.join(LAB, name)
        self.suffix = suffix
        self.fill = fill

    def _fetch(self, folder):
        fields = self.fill(folder)
        files = {n: sha256_file(os.path.join(folder, n)) for n in sorted(os.listdir(folder))
                 if n.endswith((".deb", ".ko"))}
        write_atomic(os.path.join(folder, RECORD),
                     json.dumps({**fields, "files": files}, indent=1).encode())

    def _get(self):
        where = distro()
        cache = cache_dir()
        cached = cache and os.path.join(cache, "lab",
                                        f"{where.id}-{where.number}-{arch()}{self.suffix}")
        if cached and _record_of(cached) is not None:
            say(f"{os.path.basename(self.folder)} from {cached}")
            _copy_whole(cached, self.folder)
            return
        with tempfile.TemporaryDirectory(prefix="fetch.", dir=LAB) as work:
            os.chmod(work, 0o755)
            self._fetch(work)
            _copy_whole(work, self.folder)
        if cached:
            os.makedirs(os.path.dirname(cached), exist_ok=True)
            _copy_whole(self.folder, cached)

    def record(self):
        """The record of the files, which are fetched if they are not there."""
        os.makedirs(LAB, exist_ok=True)
        record = _record_of(self.folder)
        if record is None:
            self._get()
            record = _record_of(self.folder)
            if record is None:
                raise LabError(f"{self.folder} is not complete")
        return record

    def unpacked(self, record, tree, finish=lambda work: None):
        """Unpacks the packages of the record to build/lab/TREE, which is complete or absent; finish
        is called with the folder before it counts as complete."""
        tree = os.path.join(LAB, tree)
        mark = os.path.join(tree, "unpacked")
        want = json.dumps(record["files"], sort_keys=True)
        if os.path.exists(mark):
            with open(mark, encoding="ascii") as f:
                if f.read() == want:
                    return tree
        if os.path.exists(tree):
            shutil.rmtree(tree)
        with tempfile.TemporaryDirectory(prefix="unpack.", dir=LAB) as work:
            os.chmod(work, 0o755)
            unpack([os.path.join(self.folder, n) for n in record["files"] if n.endswith(".deb")],
                   work)
            finish(work)
            write_atomic(os.path.join(work, "unpacked"), want.encode())
            os.rename(work, tree)
            os.mkdir(work)
        return tree
