# SPDX-License-Identifier: MIT
"""The lab as tests use it: everything goes through scripts/lab, as for a person."""

import json
import os
import subprocess
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOL = os.path.join(TOP, "scripts", "lab")

# Runs a program as nobody, with no capability and no way to get one.
AS_NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
             "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]

# Brings a node back to how it was after boot. VFs are created by writing a number to a file, so
# that the tests of rdma-ds start from nothing.
RESET = r"""
for p in /proc/[0-9]*; do
    case $(cat "$p/comm" 2>/dev/null) in
    rdma-ds | rdma-cni | sleep) kill -9 "${p#/proc/}" 2>/dev/null ;;
    esac
done
for n in /run/netns/*; do [ -e "$n" ] && ip netns del "${n##*/}"; done
for r in $(ls /sys/class/infiniband 2>/dev/null); do rdma link delete "$r"; done
for d in /sys/bus/netdevsim/devices/netdevsim*; do
    [ -e "$d" ] && echo "${d##*netdevsim}" >/sys/bus/netdevsim/del_device
done
[ -d /sys/bus/pci/drivers/vfio-pci ] && for d in /sys/bus/pci/drivers/vfio-pci/0000:*; do
    [ -e "$d" ] && echo "${d##*/}" >/sys/bus/pci/drivers/vfio-pci/unbind
done
i=0
while set -- /sys/class/net/enp*s*f[0-9]; [ $# != "$PFS" ] && [ $i -lt 100 ]; do
    [ $i -gt 0 ] || echo 1 >/sys/bus/pci/rescan
    i=$((i + 1))
    sleep 0.1
done
[ $# = "$PFS" ] || echo "$# PFs of $PFS"
for d in /sys/class/net/enp*s*f[0-9]; do
    [ "$(cat "$d/device/sriov_numvfs")" = 0 ] || echo 0 >"$d/device/sriov_numvfs" ||
        echo "numvfs of $d"
    ip link set "${d##*/}" down
done
rm -rf /run/ferrule /etc/ferrule /tmp/*
ip -br link | grep -vE '^(lo|mgmt0|enp[0-9]+s0f[0-9]) ' && echo "links left over"
true
"""


class Lab:
    """scripts/lab of this clone."""

    def __init__(self, first=1):
        """first: the number of the node that the tests of one node get."""
        self.pfs = 2
        self.nodes = [Node(self, first), Node(self, 3 - first)]

    @staticmethod
    def call(*argv, check=True, data=None, timeout=120, env=None):
        """Runs scripts/lab; returns the finished process with octets as output."""
        done = subprocess.run([TOOL, *argv], input=data, capture_output=True, timeout=timeout,
                              check=False, env=env,
                              **({} if data is not None else {"stdin": subprocess.DEVNULL}))
        assert not check or done.returncode == 0, \
            f"scripts/lab {' '.join(argv)}: {done.returncode}\n" \
            f"{done.stdout.decode(errors='replace')}{done.stderr.decode(errors='replace')}"
        return done

    def host(self, *argv, check=True):
        """Runs a command on the virtual host network."""
        return self.call("host", "--timeout", "60", "--", *argv, check=check)

    def up(self, nodes=2):
        return self.call("up", "--nodes", str(nodes), "--pfs", str(self.pfs), timeout=600)

    def down(self):
        return self.call("down")


class Node:
    """One node. Commands are argument vectors; sh() takes a script."""

    def __init__(self, lab, number):
        self.lab = lab
        self.name = f"node{number}"
        self.addr = f"10.77.0.{10 + number}"
        self.prepared = None  # what a fixture has made of the node, until reset()

    def run(self, *argv, check=True, data=None, timeout=90):
        options = ["--timeout", str(timeout)] + (["-i"] if data is not None else [])
        return self.lab.call("exec", *options, self.name, "--", *argv, check=check, data=data,
                             timeout=timeout + 30)

    def sh(self, script, *args, check=True, timeout=90):
        return self.run("sh", "-ec", script, "sh", *args, check=check, timeout=timeout)

    def text(self, *argv):
        return self.run(*argv).stdout.decode()

    def json(self, *argv):
        return json.loads(self.run(*argv).stdout)

    def link(self, name, netns=None):
        """What ip says of a netdev."""
        prefix = ["ip"] + (["-n", netns] if netns else [])
        return self.json(*prefix, "-j", "-d", "link", "show", "dev", name)[0]

    def names(self):
        """The netdevs of the host namespace."""
        return {i["ifname"] for i in self.json("ip", "-j", "link")}

    def pci(self, netdev):
        return self.text("readlink", f"/sys/class/net/{netdev}/device").strip().rpartition("/")[2]

    def vf_pci(self, pf, index):
        return self.text("readlink", f"/sys/class/net/{pf}/device/virtfn{index}").strip()[3:]

    def vf_netdev(self, pf, index):
        """The netdev of a VF in the host namespace, or None."""
        names = self.text("sh", "-c", f"ls /sys/class/net/{pf}/device/virtfn{index}/net/ "
                          "2>/dev/null || true").split()
        return names[0] if names else None

    def write(self, path, text):
        self.run("sh", "-ec", 'mkdir -p "${1%/*}"; cat >"$1"', "sh", path, data=text.encode())

    def reset(self):
        self.prepared = None
        done = self.run("env", f"PFS={self.lab.pfs}", "sh", "-c", RESET)
        said = (done.stdout + done.stderr).decode().strip()
        assert not said, f"{self.name} is not as after boot: {said}"

    def reboot(self):
        """Off and on."""
        self.prepared = None
        self.lab.call("reboot", self.name, timeout=240)

    def init(self, *argv, check=True):
        """rdma-ds init."""
        return self.run("rdma-ds", "init", *argv, check=check, timeout=180)

    def serve(self, *argv, prefix=(), port="54005"):
        """Starts rdma-ds serve and waits until it answers; returns its process id."""
        self.sh('rm -f /tmp/serve.log; setsid "$@" >/tmp/serve.log 2>&1 </dev/null & '
                'echo $! >/tmp/serve.pid', *prefix, "rdma-ds", "serve", *argv)
        pid = int(self.text("cat", "/tmp/serve.pid"))

        def answers():
            assert self.run("test", "-d", f"/proc/{pid}", check=False).returncode == 0, \
                f"rdma-ds serve has ended: {self.text('cat', '/tmp/serve.log')}"
            return self.fetch("/healthz", port, check=False).returncode == 0

        self.wait(answers, "rdma-ds serve answers", lambda: self.text("cat", "/tmp/serve.log"))
        return pid

    def fetch(self, path, port="54005", check=True):
        """GETs a page from the host side of the lab's network."""
        return self.lab.host("curl", "-sS", "--noproxy", "*", "--fail", "--max-time", "20",
                             f"http://{self.addr}:{port}{path}", check=check)

    def getpfs(self):
        return json.loads(self.fetch("/getpfs").stdout)

    def pf(self, name):
        """One PF of /getpfs."""
        found = [p for p in self.getpfs() if p["name"] == name]
        assert len(found) == 1, f"{name} is there {len(found)} times"
        return found[0]

    @staticmethod
    def wait(condition, what, detail=lambda: "", seconds=30):
        """Waits until condition() is true; what it waits for is in the failure."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}\n{detail()}"
            time.sleep(0.2)
