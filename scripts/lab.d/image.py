# SPDX-License-Identifier: MIT
"""The guest's initramfs: a cpio archive written here, without root and without cpio."""

import lzma
import os
import re
import shutil
import stat
import subprocess

from common import GUEST, LAB, TOP, LabError, run, tool_env

# Loaded at boot, then on demand with modprobe; what they depend on is found in the modules.
MODULES = """
virtio_net igb igbvf
bridge veth dummy macvlan ipvlan 8021q tun
psample netdevsim
rdma_rxe ib_core ib_uverbs udp_tunnel ip6_udp_tunnel crc32_generic
vfio_pci vfio_iommu_type1
""".split()

# BusyBox, as Debian builds it, runs its own applets in place of programs of the same name, whatever
# PATH says, and its ip knows no VFs: the shell and what executes other programs are real ones.
HOST_TOOLS = ("dash env timeout nohup nice setsid setpriv unshare nsenter chroot flock xargs "
              "ip rdma devlink tc bridge ss curl").split()
CNI_PLUGINS = "host-local static host-device loopback bridge ptp".split()

PASSWD = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/sh\n"
GROUP = "root:x:0:\nnogroup:x:65534:\n"


class Tree:
    """The archive's entries by path; folders on the way to an entry appear by themselves."""

    def __init__(self):
        self.entries = {}

    def folder(self, path, mode=0o755):
        if path and path not in self.entries:
            self.folder(os.path.dirname(path))
            self.entries[path] = (stat.S_IFDIR | mode, b"", 0)

    def file(self, path, data, mode=0o644):
        self.folder(os.path.dirname(path))
        self.entries[path] = (stat.S_IFREG | mode, data, 0)

    def copy(self, path, source, mode=None):
        with open(source, "rb") as f:
            self.file(path, f.read(), mode or stat.S_IMODE(os.stat(source).st_mode) | 0o444)

    def link(self, path, target):
        if path not in self.entries:
            self.folder(os.path.dirname(path))
            self.entries[path] = (stat.S_IFLNK | 0o777, target.encode(), 0)

    def device(self, path, major, minor):
        self.folder(os.path.dirname(path))
        self.entries[path] = (stat.S_IFCHR | 0o600, b"", (major << 8) | minor)

    def write(self, out):
        """Writes the archive in the "newc" format that the kernel unpacks."""
        entries = list(self.entries.items()) + [("TRAILER!!!", (0, b"", 0))]
        for number, (path, (mode, data, rdev)) in enumerate(entries, 1):
            name = path.encode() + b"\0"
            fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, rdev >> 8, rdev & 0xff,
                      len(name), 0)
            out.write(b"070701" + b"".join(b"%08X" % v for v in fields) + name)
            out.write(b"\0" * (-(110 + len(name)) % 4))
            out.write(data)
            out.write(b"\0" * (-len(data) % 4))


def _module_read(path):
    with open(path, "rb") as f:
        data = f.read()
    if path.endswith(".xz"):
        return lzma.decompress(data)
    if path.endswith(".zst"):
        return run(["zstd", "-dcq", path])
    return data


def _modinfo(data, key):
    return [v.decode() for v in re.findall(rb"\0" + key + rb"=([^\0]*)", b"\0" + data)]


def _module_name(path):
    return os.path.basename(path).split(".ko")[0].replace("-", "_")


def _add_modules(tree, kernel):
    """Adds MODULES and what they need, and the indexes that modprobe reads."""
    paths = {}
    for base, _, files in os.walk(kernel.modules):
        for name in files:
            if ".ko" in name:
                paths[_module_name(name)] = os.path.join(base, name)
    with open(os.path.join(kernel.modules, "modules.builtin"), encoding="ascii") as f:
        builtin = {_module_name(line.strip()) for line in f}
    folder = f"lib/modules/{kernel.release}"
    needs, aliases, todo = {}, [], [m.replace("-", "_") for m in MODULES]
    while todo:
        name = todo.pop()
        if name in needs or name in builtin:
            continue
        if name not in paths:
            raise LabError(f"kernel {kernel.release} has no module {name}")
        data = _module_read(paths[name])
        tree.file(f"{folder}/{name}.ko", data)
        needs[name] = [d.replace("-", "_") for d in ",".join(_modinfo(data, b"depends")).split(",")
                       if d]
        aliases += [f"alias {a} {name}\n" for a in _modinfo(data, b"alias")]
        todo += needs[name]
    dep = "".join(f"{m}.ko: {' '.join(f'{d}.ko' for d in _closure(m, needs))}\n" for m in needs)
    tree.file(f"{folder}/modules.dep", dep.encode())
    tree.file(f"{folder}/modules.alias", "".join(aliases).encode())
    for index in ("modules.builtin", "modules.order"):
        tree.copy(f"{folder}/{index}", os.path.join(kernel.modules, index))


def _closure(name, needs):
    """What name depends on, in the order that modules.dep wants: the first to load is last."""
    order = []

    def visit(m):
        for d in needs.get(m, []):
            if d in order:
                order.remove(d)
            order.append(d)
            visit(d)

    visit(name)
    return [d for d in order if d in needs]


def libraries(program):
    """The libraries that ldd finds for a program on this machine."""
    listing = subprocess.run(["ldd", program], capture_output=True, check=False,
                             env=tool_env()).stdout.decode()
    missing = re.search(r"(\S+) => not found", listing)
    if missing:
        raise LabError(f"{program} needs {missing[1]}, which is not installed")
    return re.findall(r"(/\S+) \(0x", listing)


def _add_program(tree, path, source):
    """Adds a program with its libraries."""
    tree.copy(path, os.path.realpath(source), 0o755)
    for lib in libraries(source):
        if lib.lstrip("/") not in tree.entries:
            tree.copy(lib.lstrip("/"), os.path.realpath(lib), 0o755)


def host_tool(name):
    """Where a tool of this machine is."""
    path = shutil.which(name, path=tool_env()["PATH"])
    if path is None:
        raise LabError(f"{name}: not installed (run scripts/setup)")
    return path


def busybox_of(packages):
    """The static BusyBox among the unpacked packages."""
    merged = os.path.join(packages, "usr", "bin", "busybox")
    return merged if os.path.exists(merged) else os.path.join(packages, "bin", "busybox")


def _add_busybox(tree, packages):
    busybox = busybox_of(packages)
    tree.copy("bin/busybox", busybox, 0o755)
    tree.link("bin/sh", "../usr/sbin/dash")
    for applet in run([busybox, "--list"]).decode().split():
        if applet != "busybox":
            tree.link(f"bin/{applet}", "busybox")
    tree.link("init", "bin/busybox")
    tree.link("sbin/init", "../bin/busybox")
    tree.link("sbin/modprobe", "../bin/busybox")
    tree.link("usr/bin/env", "../../bin/busybox")


def _add_guest_files(tree):
    for name in ("rc", "uevent", "pf-name"):
        tree.copy(f"etc/lab/{name}", os.path.join(GUEST, name), 0o755)
    tree.copy("etc/inittab", os.path.join(GUEST, "inittab"), 0o644)
    tree.file("etc/passwd", PASSWD.encode())
    tree.file("etc/group", GROUP.encode())
    tree.file("etc/nsswitch.conf", b"passwd: files\ngroup: files\nhosts: files\n")
    for path in ("proc", "sys", "dev", "run", "mnt", "var/lib/cni", "etc/cni/net.d"):
        tree.folder(path)
    tree.folder("tmp", 0o1777)
    tree.folder("root", 0o700)
    tree.link("var/run", "../run")
    tree.device("dev/console", 5, 1)
    tree.device("dev/null", 1, 3)


def _build_agent():
    source = os.path.join(GUEST, "agent.c")
    agent = os.path.join(LAB, "agent")
    if os.path.exists(agent) and os.path.getmtime(agent) >= os.path.getmtime(source):
        return agent
    compiler = "musl-gcc" if shutil.which("musl-gcc") else "gcc"
    run([compiler, "-std=c11", "-O2", "-static", "-Wall", "-Wextra", "-Werror",
         "-o", agent + ".part", source])
    os.replace(agent + ".part", agent)
    return agent


def build(kernel, packages, path):
    """Writes the initramfs for all nodes; returns its size in octets."""
    tree = Tree()
    _add_guest_files(tree)
    _add_busybox(tree, packages)
    for name in HOST_TOOLS:
        _add_program(tree, f"usr/sbin/{name}", host_tool(name))
    for name in CNI_PLUGINS:
        plugin = os.path.join(packages, "usr", "lib", "cni", name)
        _add_program(tree, f"opt/cni/bin/{name}", plugin)
    tree.copy("usr/local/sbin/lab-agent", _build_agent(), 0o755)
    _add_modules(tree, kernel)
    ours = os.path.join(TOP, "build", "bin")
    for name in sorted(os.listdir(ours)) if os.path.isdir(ours) else []:
        if os.access(os.path.join(ours, name), os.X_OK):
            tree.copy(f"usr/local/bin/{name}", os.path.join(ours, name), 0o755)
    with open(path + ".part", "wb") as out:
        tree.write(out)
    os.replace(path + ".part", path)
    return os.path.getsize(path)
