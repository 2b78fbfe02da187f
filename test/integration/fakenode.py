# SPDX-License-Identifier: MIT
"""A network namespace with veth links named like PFs, and a sysfs tree that makes them PFs.

It stands in for SR-IOV hardware where only the sysfs side matters: the kernel has no VFs for a
veth, so MACs and rates read as zero. Real VFs are in test/lab.
"""
import json
import os
import shutil
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RDMA_DS = os.path.join(ROOT, "build", "bin", "rdma-ds")


class FakeNode:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="ferrule-")
        os.chmod(self.dir, 0o755)
        self.sysfs = os.path.join(self.dir, "sys")
        self.state = os.path.join(self.dir, "state")
        self.ns = "ferrule-%d-%s" % (os.getpid(), os.path.basename(self.dir)[-4:])
        os.makedirs(os.path.join(self.sysfs, "class/net"))
        os.makedirs(os.path.join(self.sysfs, "bus/pci/devices"))
        os.makedirs(os.path.join(self.state, "attachments"))
        subprocess.run(["ip", "netns", "add", self.ns], check=True)
        self.ip("link", "set", "lo", "up")

    def close(self):
        subprocess.run(["ip", "netns", "del", self.ns], check=False)
        shutil.rmtree(self.dir)

    def ip(self, *args):
        subprocess.run(["ip", "-n", self.ns, *args], check=True)

    def popen(self, argv, **kw):
        return subprocess.Popen(["ip", "netns", "exec", self.ns, *argv], **kw)

    def run(self, argv, **kw):
        kw.setdefault("timeout", 60)
        return subprocess.run(["ip", "netns", "exec", self.ns, *argv],
                              capture_output=True, text=True, check=False, **kw)

    def write(self, path, text):
        full = os.path.join(self.sysfs, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="ascii") as f:
            f.write(text)

    def link(self, path, target):
        full = os.path.join(self.sysfs, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        if os.path.lexists(full):
            os.unlink(full)
        os.symlink(target, full)

    def add_pf(self, name, bdf="0000:04:00.0", vfs=2, total=7, driver="igb", up=True, speed=1000):
        """A veth called name that sysfs shows as the PF at bdf."""
        self.ip("link", "add", name, "type", "veth", "peer", "name", name + "p")
        if up:
            self.ip("link", "set", name, "up")
            self.ip("link", "set", name + "p", "up")
        dev = "bus/pci/devices/" + bdf
        self.write(dev + "/sriov_totalvfs", "%d\n" % total)
        self.write(dev + "/sriov_numvfs", "%d\n" % vfs)
        self.write(dev + "/numa_node", "0\n")
        self.link(dev + "/driver", "../../../drivers/" + driver)
        self.write("class/net/%s/speed" % name, "%d\n" % speed)
        self.link("class/net/%s/device" % name, "../../../" + dev)
        for i in range(vfs):
            self.add_vf(name, bdf, i)

    def vf_bdf(self, bdf, index):
        return "%s:%02x.%d" % (bdf[:7], 16 + index // 8, index % 8)

    def add_vf(self, pf, bdf, index, netdev=True, driver="igbvf"):
        vf = self.vf_bdf(bdf, index)
        self.link("bus/pci/devices/%s/virtfn%d" % (bdf, index), "../" + vf)
        dev = "bus/pci/devices/" + vf
        self.link(dev + "/physfn", "../" + bdf)
        if driver:
            self.link(dev + "/driver", "../../../drivers/" + driver)
        if netdev:
            self.write(dev + "/net/%sv%d/ifindex" % (pf, index), "0\n")
        else:
            os.makedirs(os.path.join(self.sysfs, dev, "net"), exist_ok=True)

    def del_pf(self, name, bdf="0000:04:00.0"):
        shutil.rmtree(os.path.join(self.sysfs, "class/net", name))
        shutil.rmtree(os.path.join(self.sysfs, "bus/pci/devices", bdf))
        self.ip("link", "del", name)

    def record(self, name, **fields):
        """A ledger record as rdma-cni writes it; fields override."""
        rec = {
            "version": 1, "phase": "attached", "containerId": "c0ffee", "ifname": "eth0",
            "pod": {"namespace": "ml", "name": "train-0", "uid": "u-1"},
            "netns": {"path": "/run/netns/x", "inode": 4026532000},
            "pf": "enp4s0f0", "vf": 0, "minTxRate": 0, "maxTxRate": 0, "restore": {},
        }
        rec.update(fields)
        path = os.path.join(self.state, "attachments", name)
        with open(path, "w", encoding="utf-8") as f:
            json.dump(rec, f)
        return path
