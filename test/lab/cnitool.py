# SPDX-License-Identifier: MIT
"""rdma-cni in the lab as a container runtime runs it, and the whole state of a node to compare."""

import io
import json
import tarfile

ANNOTATIONS = "io.kubernetes.cri.pod-annotations"
PFS = ("enp1s0f0", "enp1s0f1")
IPAM = {"type": "host-local", "ranges": [[{"subnet": "10.9.0.0/24"}]],
        "routes": [{"dst": "0.0.0.0/0"}]}

# What pods ask for.
ONE = [{"min_tx_rate": 100, "max_tx_rate": 200}]
THREE = [{"min_tx_rate": 600, "max_tx_rate": 700}, {"min_tx_rate": 500}, {"max_tx_rate": 50}]

# Links of the host and what is on record; where an address was given last is no state.
STATE = r"""
ip -j -d link
echo ---
for f in /run/ferrule/attachments/* /run/ferrule/delegated/*; do
    if [ -e "$f" ]; then echo "$f"; cat "$f"; fi
done
find /var/lib/cni -type f ! -name lock ! -name 'last_reserved_ip*' -exec grep -H . {} \; | sort
"""

CLEAN = r"""
for p in /proc/[0-9]*; do
    case $(cat "$p/comm" 2>/dev/null) in
    rdma-ds | rdma-cni | sleep | nc) kill -9 "${p#/proc/}" 2>/dev/null || true ;;
    esac
done
for n in /run/netns/*; do [ ! -e "$n" ] || ip netns del "${n##*/}"; done
rm -rf /run/ferrule/attachments/* /run/ferrule/delegated /run/ferrule/damaged /run/ferrule/lent \
    /etc/ferrule \
    /var/lib/cni/networks /var/lib/cni/store /tmp/*
"""

# 64 calls at once: run by xargs in the guest, since each one over the lab's channel is slow.
MANY = r"""
export CNI_COMMAND="$1" CNI_PATH=/opt/cni/bin CNI_IFNAME=eth0
shift
echo "$@" | tr ' ' '\n' | xargs -n 1 -P 64 sh -c '
    export CNI_CONTAINERID="$1" CNI_NETNS="/run/netns/$1"
    rdma-cni </tmp/many.conf >"/tmp/$1.$CNI_COMMAND.out" 2>"/tmp/$1.$CNI_COMMAND.err"
    echo $? >"/tmp/$1.$CNI_COMMAND.status"' sh
"""


# Many calls, one after the other: configurations and environments come as an archive, and so does
# what was said.
EACH = r"""
mkdir /tmp/each; cd /tmp/each; tar -x -f -
i=0
while [ $i -lt "$1" ]; do
    status=0
    env $(cat $i.env) rdma-cni <$i.conf >$i.out 2>$i.log || status=$?
    echo $status >$i.status; rm $i.conf $i.env; i=$((i + 1))
done
tar -c -f - *
cd /; rm -r /tmp/each
"""


def conf(version="1.0.0", interfaces=None, annotation=None, name="rdma", ipam=None, **more):
    """A network configuration. annotation: a list of interfaces as the pod's annotation."""
    it = {"cniVersion": version, "name": name, "type": "rdma-cni", "min_tx_rate": "account",
          "ipam": dict(IPAM) if ipam is None else ipam}
    if version == "1.1.0" and it["ipam"] and it["ipam"].get("type") == "host-local":
        it["ipam"] = dict(it["ipam"], type="hl11")
    if interfaces is not None:
        it["interfaces"] = interfaces
    if annotation is not None:
        it["capabilities"] = {ANNOTATIONS: True}
        it["runtimeConfig"] = {ANNOTATIONS: {
            "rdma_interfaces_required": json.dumps(annotation), "other": "x"}}
    it.update(more)
    return it


# The distribution's host-local speaks CNI up to 1.0.0; this is it for 1.1.0.
HOST_LOCAL_11 = """#!/bin/sh
case $CNI_COMMAND in
STATUS | GC) cat >/tmp/ipam.$CNI_COMMAND; exit 0 ;;
esac
out=$(sed 's/"1.1.0"/"1.0.0"/; s/"hl11"/"host-local"/' | /opt/cni/bin/host-local)
status=$?
echo "$out" | sed 's/"1.0.0"/"1.1.0"/'
exit $status
"""

# A plugin for addresses, and to delegate to, with a file for each interface that it was asked for.
# It starts in a tenth of a real one's time; it does first what a test wrote into /tmp/on.COMMAND.
STORE = """#!/bin/sh
d=/var/lib/cni/store
if [ -e /tmp/on.$CNI_COMMAND ]; then . /tmp/on.$CNI_COMMAND; fi
case $CNI_COMMAND in
ADD)
    mkdir -p $d
    echo held >$d/$CNI_CONTAINERID:$CNI_IFNAME
    n=$((10 + ${CNI_IFNAME#${CNI_IFNAME%?}}))
    echo '{"cniVersion":"1.1.0","ips":[{"address":"10.9.0.'$n'/24"}],"dns":{}}'
    ;;
DEL) rm -f $d/$CNI_CONTAINERID:$CNI_IFNAME ;;
esac
"""


class Cni:
    """The plugin on one node."""

    def __init__(self, node):
        self.node = node
        self.plugin("hl11", HOST_LOCAL_11)
        self.plugin("store", STORE)

    def plugin(self, name, script):
        """A plugin of the tests, in CNI_PATH."""
        self.node.run("sh", "-ec", 'mkdir -p /opt/lab; cat >"$1"; chmod 755 "$1"', "sh",
                      f"/opt/lab/{name}", data=script.encode())

    @staticmethod
    def variables(command, cid, ifname="eth0", netns=None, env=None):
        """The environment of a call."""
        values = {"CNI_COMMAND": command, "CNI_CONTAINERID": cid, "CNI_IFNAME": ifname,
                  "CNI_NETNS": f"/run/netns/{cid}" if netns is None else netns,
                  "CNI_PATH": "/opt/cni/bin:/opt/lab"}
        if command in ("STATUS", "GC"):
            values = {k: values[k] for k in ("CNI_COMMAND", "CNI_PATH")}
        values.update(env or {})
        return [f"{k}={v}" for k, v in values.items() if v is not None]

    @staticmethod
    def result(status, out, log, raw=False):
        out, log = out.decode(), log.decode()
        assert log == "" or all(i.startswith("RIT-CNI") for i in log.splitlines()), log
        return status, out if raw or not out else json.loads(out), log

    def call(self, command, cid, net, raw=False, timeout=90, **more):
        """Runs it; exit status, what it printed (parsed unless raw or nothing), its log."""
        data = net if isinstance(net, bytes) else json.dumps(net).encode()
        done = self.node.run("env", *self.variables(command, cid, **more), "rdma-cni", data=data,
                             check=False, timeout=timeout)
        return self.result(done.returncode, done.stdout, done.stderr, raw)

    def each(self, calls):
        """Many calls, each (command, cid, net, env), in one command on the node; their results."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for i, (command, cid, net, env) in enumerate(calls):
                data = net if isinstance(net, bytes) else json.dumps(net).encode()
                values = "\n".join(self.variables(command, cid, env=env)).encode()
                for name, content in ((f"{i}.conf", data), (f"{i}.env", values)):
                    info = tarfile.TarInfo(name)
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))
        done = self.node.run("sh", "-ec", EACH, "sh", str(len(calls)), data=packed.getvalue(),
                             timeout=300)
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
            said = {i.name: tar.extractfile(i).read() for i in tar if i.isfile()}
        return [self.result(int(said[f"{i}.status"]), said[f"{i}.out"], said[f"{i}.log"])
                for i in range(len(calls))]

    def ok(self, command, cid, net, **more):
        status, out, log = self.call(command, cid, net, **more)
        assert status == 0, f"{command} {cid}: {out}\n{log}"
        return out

    def fails(self, command, cid, net, code, text, **more):
        """It ends with a CNI error of that code, with text in message or details."""
        return self.failed(self.call(command, cid, net, **more), code, text)

    @staticmethod
    def failed(result, code, text):
        """That was such an end."""
        status, out, log = result
        assert status == 1, f"{status} {out}\n{log}"
        assert set(out) <= {"cniVersion", "code", "msg", "details"}
        assert out["code"] == code, out
        assert text in out["msg"] + "\n" + out.get("details", ""), out
        return out

    def many(self, command, ids, net):
        """All at once, in the guest. Exit status and output of each."""
        self.node.write("/tmp/many.conf", json.dumps(net))
        self.node.run("sh", "-c", MANY, "sh", command, *ids, timeout=300)
        text = self.node.text("sh", "-c", 'c=$1; shift; for i in "$@"; do echo "$i '
                              '$(cat /tmp/$i.$c.status) $(cat /tmp/$i.$c.out)"; done',
                              "sh", command, *ids)
        rows = [line.split(" ", 2) for line in text.splitlines()]
        return {cid: (int(status), json.loads(out) if out else "") for cid, status, out in rows}

    def state(self):
        """What must be the same before and after."""
        links, _, rest = self.node.text("sh", "-c", STATE).partition("---\n")
        return {link["ifname"]: link for link in json.loads(links)}, rest

    def whole(self):
        """state(), and everything else in the state directory but who held the locks last."""
        return self.state(), self.node.text(
            "sh", "-c", 'find /run/ferrule | sort; grep -r "" /run/ferrule/*/ | sort')

    def clean(self):
        """As before the first ADD, without bringing up the VFs again."""
        self.node.sh(CLEAN)

    def pod(self, name):
        self.node.run("ip", "netns", "add", name)
        return name

    def link(self, pod, name="eth0"):
        """An interface of a pod, without what changes by itself: its carrier comes later."""
        link = self.node.link(name, pod)
        return {k: v for k, v in link.items() if k not in ("operstate", "flags")}

    def held(self):
        """(PF, VF) of every record."""
        text = self.node.text("sh", "-c", "cat /run/ferrule/attachments/*.json 2>/dev/null || true")
        at, found = 0, []
        while at < len(text.rstrip()):
            record, end = json.JSONDecoder().raw_decode(text[at:].lstrip())
            at += end + len(text[at:]) - len(text[at:].lstrip())
            found.append((record["pf"], record["vf"]))
        return sorted(found)

    def rates(self, pf, vf):
        """What the card has for a VF: minimum, maximum."""
        rate = self.node.link(pf)["vfinfo_list"][vf]["rate"]
        return rate["min_tx"], rate["max_tx"]

    def held_rates(self):
        return sorted(self.rates(pf, vf) for pf, vf in self.held())

    def temp_name(self, pf, vf):
        """The name of a VF's interface on its way into a pod or back."""
        domain, bus, rest = self.node.vf_pci(pf, vf).split(":")
        device, function = rest.split(".")
        return f"frl{int(domain, 16):x}{int(bus, 16):02x}{int(device, 16) << 3 | int(function):02x}"


def ready(node):
    """VFs on both PFs, links up: rates need the link."""
    node.init("--all-sriov")
    for pf in PFS:
        node.wait(lambda pf=pf: "LOWER_UP" in node.link(pf)["flags"], f"{pf} has a link")
    return Cni(node)


def lend(node):
    """Brings a node up once; again only after a reset or a test that left something behind."""
    if node.prepared is None:
        node.reset()
        cni = ready(node)
        cni.clean()
        node.prepared = (cni, cni.state())
    cni, before = node.prepared
    yield cni
    cni.clean()
    if cni.state() != before:
        node.prepared = None
