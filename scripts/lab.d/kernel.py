# SPDX-License-Identifier: MIT
"""The guest's kernel: the distribution's packages, unpacked under build/lab, never installed.

Debian has no netdevsim module: it is built from the source package of exactly the same version.
What was fetched and built is kept in the cache folder outside the clone, if there is one, so that
a second clone needs neither network nor compiler.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections import namedtuple

from common import LAB, TOP, LabError, cache_dir, run, say, sha256_file, write_atomic

APT = os.path.join(TOP, "scripts", "apt-isolated.sh")
STORE = os.path.join(LAB, "packages")
RECORD = "record.json"

# image: the kernel file; modules: its lib/modules/RELEASE; packages: the other unpacked packages
Kernel = namedtuple("Kernel", "release version image modules packages")

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


def _arch():
    return run(["dpkg", "--print-architecture"]).decode().strip()


def _versions(suite, package):
    """The versions of a package in a suite; fails if there is none."""
    out = run([APT, "versions", suite, package]).decode()
    return [line.split()[0] for line in out.splitlines() if line[:1].isdigit()]


def _has(suite, package, version):
    try:
        return version in _versions(suite, package)
    except LabError:
        return False


def _version_key(version):
    return [int(n) for n in re.findall(r"\d+", version.split("~")[0])]


def _fetch(folder, suite, packages):
    """Fetches packages (NAME or NAME=VERSION); False if the archive does not hand one out."""
    done = subprocess.run([APT, "fetch", folder, suite, *packages], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode == 0:
        return True
    say(f"{suite}: {packages[0]} cannot be fetched: "
        f"{done.stdout.decode(errors='replace').strip()[-300:]}")
    return False


def _fetch_debian(folder, where, arch):
    """The newest 6.12 kernel of which image, headers and source can all be fetched."""
    suite = f"{where.codename}-backports" if where.number == "12" else where.codename
    for version in sorted(_versions(suite, "linux-source-6.12"), key=_version_key, reverse=True):
        for suffix in ("", ".1", ".2"):
            abi = f"{version.split('-')[0]}+deb{where.number}{suffix}"
            if not _has(suite, f"linux-image-{abi}-{arch}", version):
                continue
            names = [f"linux-image-{abi}-{arch}", f"linux-headers-{abi}-{arch}",
                     f"linux-headers-{abi}-common", f"linux-kbuild-{abi}", "linux-source-6.12"]
            say(f"fetching kernel {version} (image, headers, source)")
            if _fetch(folder, suite, [f"{n}={version}" for n in names]):
                return f"{abi}-{arch}", version
    raise LabError("no 6.12 kernel of which image, headers and source can all be fetched")


def _fetch_ubuntu(folder, where):
    """The release's newest kernel; its extra modules have netdevsim."""
    for version in sorted(_versions(where.codename, "linux-image-generic"), key=_version_key,
                          reverse=True):
        numbers = re.match(r"(\d+\.\d+\.\d+)[.-](\d+)", version)
        if numbers is None:
            continue
        abi = f"{numbers[1]}-{numbers[2]}-generic"
        say(f"fetching kernel {abi} (image, modules)")
        names = [f"linux-image-{abi}", f"linux-modules-{abi}", f"linux-modules-extra-{abi}"]
        if _fetch(folder, where.codename, names):
            return abi, version
    raise LabError("no linux-image-generic of which image and modules can be fetched")


def _unpack(debs, folder):
    for deb in debs:
        run(["dpkg-deb", "-x", deb, folder])


def _netdevsim_source(deb, folder):
    """Unpacks netdevsim alone from the kernel's source package."""
    tarball = os.path.join(folder, "linux.tar.xz")
    with open(tarball, "wb") as out:
        fs = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE)
        tar = subprocess.run(["tar", "-xO", "--wildcards", "-f", "-", "*/linux-source-*.tar.xz"],
                             stdin=fs.stdout, stdout=out, check=False)
        fs.stdout.close()
        if fs.wait() != 0 or tar.returncode != 0:
            raise LabError(f"{os.path.basename(deb)}: no kernel source in it")
    run(["tar", "-C", folder, "-I", "xz -T0", "--strip-components=1", "--wildcards",
         "-xf", tarball, "*/drivers/net/netdevsim/*"])
    os.unlink(tarball)
    return os.path.join(folder, "drivers", "net", "netdevsim")


def _build_netdevsim(release, debs, folder):
    """Builds netdevsim.ko against the unpacked headers; returns its path."""
    say("building netdevsim for it")
    source = [d for d in debs if os.path.basename(d).startswith("linux-source-")][0]
    _unpack([d for d in debs if re.match(r"linux-(headers|kbuild)-", os.path.basename(d))], folder)
    headers = os.path.join(folder, "usr", "src", f"linux-headers-{release}")
    makefile = os.path.join(headers, "Makefile")
    with open(makefile, encoding="ascii") as f:
        text = f.read().replace("include /usr/src/", f"include {folder}/usr/src/")
    write_atomic(makefile, text.encode())
    module = _netdevsim_source(source, folder)
    run(["make", "-s", f"-j{os.cpu_count() or 1}", "-C", headers, f"M={module}", "CC=gcc",
         "CONFIG_NETDEVSIM=m", "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules"])
    built = os.path.join(module, "netdevsim.ko")
    run(["strip", "--strip-debug", built])
    return built


def _fetch_all(folder):
    """Fetches and builds everything into folder and records it there with its checksums."""
    where, arch = distro(), _arch()
    if where.id == "debian":
        release, version = _fetch_debian(folder, where, arch)
    else:
        release, version = _fetch_ubuntu(folder, where)
    if not _fetch(folder, where.codename, ["busybox-static", "containernetworking-plugins"]):
        raise LabError("busybox-static and containernetworking-plugins cannot be fetched")
    debs = [os.path.join(folder, n) for n in sorted(os.listdir(folder)) if n.endswith(".deb")]
    if where.id == "debian":
        with tempfile.TemporaryDirectory(prefix="netdevsim.", dir=LAB) as work:
            shutil.copy(_build_netdevsim(release, debs, work), folder)
    for deb in debs:
        if re.match(r"linux-(headers|kbuild|source)-", os.path.basename(deb)):
            os.unlink(deb)
    files = {n: sha256_file(os.path.join(folder, n)) for n in sorted(os.listdir(folder))
             if n.endswith((".deb", ".ko"))}
    record = {"release": release, "version": version, "files": files}
    write_atomic(os.path.join(folder, RECORD), json.dumps(record, indent=1).encode())


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


def _fill_store():
    """Makes the packages available in build/lab/packages: from the cache, else the archive."""
    where = distro()
    cache = cache_dir()
    cached = cache and os.path.join(cache, "lab", f"{where.id}-{where.number}-{_arch()}")
    if cached and _record_of(cached) is not None:
        say(f"kernel and packages from {cached}")
        _copy_whole(cached, STORE)
        return
    with tempfile.TemporaryDirectory(prefix="fetch.", dir=LAB) as work:
        os.chmod(work, 0o755)
        _fetch_all(work)
        _copy_whole(work, STORE)
    if cached:
        os.makedirs(os.path.dirname(cached), exist_ok=True)
        _copy_whole(STORE, cached)


def _unpack_store(record):
    """Unpacks the fetched packages; the folder is complete or absent."""
    tree = os.path.join(LAB, "kernel")
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
        _unpack([os.path.join(STORE, n) for n in record["files"] if n.endswith(".deb")], work)
        modules = _modules_of(work, record["release"])
        if "netdevsim.ko" in record["files"]:
            shutil.copy(os.path.join(STORE, "netdevsim.ko"), modules)
        write_atomic(os.path.join(work, "unpacked"), want.encode())
        os.rename(work, tree)
        os.mkdir(work)
    return tree


def _modules_of(tree, release):
    for base in ("lib", "usr/lib"):
        path = os.path.join(tree, base, "modules", release)
        if os.path.isdir(path):
            return path
    raise LabError(f"the packages of kernel {release} have no modules")


def prepare():
    """Fetches, builds and unpacks what is missing; does nothing when all is there."""
    os.makedirs(LAB, exist_ok=True)
    record = _record_of(STORE)
    if record is None:
        _fill_store()
        record = _record_of(STORE)
        if record is None:
            raise LabError(f"{STORE} is not complete")
    tree = _unpack_store(record)
    release = record["release"]
    return Kernel(release, record["version"], os.path.join(tree, "boot", f"vmlinuz-{release}"),
                  _modules_of(tree, release), tree)
