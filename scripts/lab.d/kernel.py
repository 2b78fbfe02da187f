# SPDX-License-Identifier: MIT
"""The guest's kernel: the distribution's packages (store.py).

Debian has no netdevsim module: it is built from the source package of exactly the same version and
kept with them, so that a second clone needs no compiler either.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections import namedtuple

from common import LAB, LabError, run, say, write_atomic
from store import APT, Store, arch, distro, fetch, unpack

# image: the kernel file; modules: its lib/modules/RELEASE; packages: the other unpacked packages
Kernel = namedtuple("Kernel", "release version image modules packages")


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


def _fetch_debian(folder, where, cpu):
    """The newest 6.12 kernel of which image, headers and source can all be fetched."""
    suite = f"{where.codename}-backports" if where.number == "12" else where.codename
    for version in sorted(_versions(suite, "linux-source-6.12"), key=_version_key, reverse=True):
        for suffix in ("", ".1", ".2"):
            abi = f"{version.split('-')[0]}+deb{where.number}{suffix}"
            if not _has(suite, f"linux-image-{abi}-{cpu}", version):
                continue
            names = [f"linux-image-{abi}-{cpu}", f"linux-headers-{abi}-{cpu}",
                     f"linux-headers-{abi}-common", f"linux-kbuild-{abi}", "linux-source-6.12"]
            say(f"fetching kernel {version} (image, headers, source)")
            if fetch(folder, suite, [f"{n}={version}" for n in names]):
                return f"{abi}-{cpu}", version
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
        if fetch(folder, where.codename, names):
            return abi, version
    raise LabError("no linux-image-generic of which image and modules can be fetched")


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
    unpack([d for d in debs if re.match(r"linux-(headers|kbuild)-", os.path.basename(d))], folder)
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
    """Fetches and builds everything into folder."""
    where = distro()
    if where.id == "debian":
        release, version = _fetch_debian(folder, where, arch())
    else:
        release, version = _fetch_ubuntu(folder, where)
    if not fetch(folder, where.codename, ["busybox-static", "containernetworking-plugins"]):
        raise LabError("busybox-static and containernetworking-plugins cannot be fetched")
    debs = [os.path.join(folder, n) for n in sorted(os.listdir(folder)) if n.endswith(".deb")]
    if where.id == "debian":
        with tempfile.TemporaryDirectory(prefix="netdevsim.", dir=LAB) as work:
            shutil.copy(_build_netdevsim(release, debs, work), folder)
    for deb in debs:
        if re.match(r"linux-(headers|kbuild|source)-", os.path.basename(deb)):
            os.unlink(deb)
    return {"release": release, "version": version}


def _modules_of(tree, release):
    for base in ("lib", "usr/lib"):
        path = os.path.join(tree, base, "modules", release)
        if os.path.isdir(path):
            return path
    raise LabError(f"the packages of kernel {release} have no modules")


def prepare():
    """Fetches, builds and unpacks what is missing; does nothing when all is there."""
    store = Store("packages", "", _fetch_all)
    record = store.record()
    release = record["release"]

    def finish(work):
        modules = _modules_of(work, release)
        if "netdevsim.ko" in record["files"]:
            shutil.copy(os.path.join(store.folder, "netdevsim.ko"), modules)

    tree = store.unpacked(record, "kernel", finish)
    return Kernel(release, record["version"], os.path.join(tree, "boot", f"vmlinuz-{release}"),
                  _modules_of(tree, release), tree)
