# SPDX-License-Identifier: MIT
"""Nodes on loopback addresses that speak as rdma-ds does, or badly, and a scheduler's side of things."""
import json
import os
import re
import socket
import subprocess
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXTENDER = os.path.join(ROOT, "build", "bin", "rdma-scheduler-extender")
NO_INFO = "RDMA Scheduler Extension: Unable to collect information on available RDMA resources for node."
NO_ROOM = "RDMA Scheduler Extension: Node did not have enough free RDMA resources."
MALFORMED = ("RDMA Scheduler Extension: 'rdma_interfaces_required' field in pod YAML file is "
             "malformatted.")
FILTER = "/scheduler/rdma_scheduling"


def pick_port():
    """A port that is free on all of 127.0.0.0/8 as far as one can tell."""
    with socket.socket() as s:
        s.bind(("0.0.0.0", 0))
        return s.getsockname()[1]


class SimNode:
    """One node. plain: only /getpfs, as the document has it. fault: a function of the connection."""

    def __init__(self, addr, port, pfs=2, mbps=100000, vfs=120, plain=False, fault=None):
        self.addr, self.port, self.plain, self.fault = addr, port, plain, fault
        self.name = "node-" + addr
        self.pfs = [{"name": "pf%d" % i, "mbps": mbps, "vfs": vfs} for i in range(pfs)]
        self.held = []  # (uid, pf index, Mb/s)
        self.read_ms = None  # instead of the truth about when the node was read
        self.revision = 1000
        self.requests = []
        self.changed = threading.Condition()
        self.conns = []
        self.open()

    def open(self):
        self.closed = False
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((self.addr, self.port))
        self.sock.listen(64)
        threading.Thread(target=self.accept, args=(self.sock,), daemon=True).start()

    def close(self):
        self.closed = True
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()
        for c in self.conns:
            try:
                c.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            c.close()
        self.conns = []
        with self.changed:
            self.changed.notify_all()

    def attach(self, uid, pf, mbps):
        with self.changed:
            self.held.append((uid, pf, mbps))
            self.bump()

    def detach(self, uid):
        with self.changed:
            self.held = [h for h in self.held if h[0] != uid]
            self.bump()

    def bump(self):
        self.revision += 1
        self.changed.notify_all()

    def used(self, i):
        mine = [h for h in self.held if h[1] == i]
        return sum(h[2] for h in mine), len(mine)

    def over_committed(self):
        return any(self.used(i)[0] > pf["mbps"] or self.used(i)[1] > pf["vfs"]
                   for i, pf in enumerate(self.pfs))

    def getpfs(self):
        return [{"name": pf["name"], "used_tx_rate": self.used(i)[0],
                 "capacity_tx_rate": pf["mbps"], "used_vfs": self.used(i)[1],
                 "capacity_vfs": pf["vfs"], "vfs": []} for i, pf in enumerate(self.pfs)]

    def node(self):
        return {"hostname": self.name, "revision": self.revision, "pfs": [
            {"name": pf["name"], "capacity_mbps": pf["mbps"], "reserved_mbps": self.used(i)[0],
             "num_vfs": pf["vfs"], "used_vfs": self.used(i)[1], "problem": None,
             "vfs": [{"vf": n, "holder": {"pod_uid": h[0], "min_tx_rate": h[2]}}
                     for n, h in enumerate(x for x in self.held if x[1] == i)]}
            for i, pf in enumerate(self.pfs)]}

    def accept(self, sock):
        while not self.closed:
            try:
                c, _ = sock.accept()
            except OSError:
                return
            self.conns.append(c)
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        try:
            f = c.makefile("rb")
            while True:
                line = f.readline()
                if not line:
                    return
                while f.readline().strip():
                    pass
                path = line.split()[1].decode()
                self.requests.append(path)
                if self.fault is not None:
                    if self.fault(c, path):
                        continue
                    return
                self.answer(c, path)
        except (OSError, ValueError):
            pass
        finally:
            c.close()

    def answer(self, c, path):
        if path == "/getpfs":
            reply(c, json.dumps(self.getpfs()))
        elif self.plain or not path.startswith("/v1/node"):
            reply(c, "no such path", 404)
        else:
            after = int(re.search(r"after=(\d+)", path).group(1))
            timeout = int(re.search(r"timeout_s=(\d+)", path).group(1))
            with self.changed:
                asked = time.monotonic()
                until = asked + timeout
                while after == self.revision and time.monotonic() < until and not self.closed:
                    self.changed.wait(until - time.monotonic())
                text = json.dumps(self.node()) if after != self.revision else None
                ms = self.read_ms
                ms = int((time.monotonic() - asked) * 1000) - 1 if ms is None else ms
            field = b"Ferrule-Read-Ms: %d\r\n" % ms
            if text is None:
                c.sendall(b"HTTP/1.1 204 No Content\r\n%s\r\n" % field)
            else:
                reply(c, text, field=field)


def reply(c, text, status=200, field=b""):
    body = text.encode()
    c.sendall(b"HTTP/1.1 %d X\r\n%sContent-Length: %d\r\n\r\n" % (status, field, len(body)) +
              body)


class Extender:
    def __init__(self, port, *args, prefix=(), env=None):
        self.proc = subprocess.Popen(
            [*prefix, EXTENDER, "--listen", "127.0.0.1:0", "--node-port", str(port), *args],
            stderr=subprocess.PIPE, text=True, env=env)
        self.log = []
        line = self.proc.stderr.readline()
        self.log.append(line)
        m = re.fullmatch(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d RDMA scheduler extender listening on "
                         r"port:  (\d+)\n", line)
        assert m, line
        self.port = int(m.group(1))
        self.prefix = prefix
        threading.Thread(target=self.read_log, daemon=True).start()

    def read_log(self):
        for line in self.proc.stderr:
            self.log.append(line)

    def stop(self):
        self.proc.terminate()
        assert self.proc.wait(timeout=10) == 0

    def curl(self, path, body=None, *args):
        """Status and text; the request is made by curl."""
        argv = [*self.prefix, "curl", "-sS", "-m", "60", "-w", "\n%{http_code}", *args,
                "http://127.0.0.1:%d%s" % (self.port, path)]
        if body is not None:
            argv += ["-H", "Content-Type: application/json", "--data-binary", "@-"]
            body = body if isinstance(body, str) else json.dumps(body)
        out = subprocess.run(argv, input=body, capture_output=True, text=True, check=True).stdout
        text, status = out.rsplit("\n", 1)
        return int(status), text

    def json(self, path, body=None):
        status, text = self.curl(path, body)
        assert status == 200, text
        return json.loads(text)

    def filter(self, pod, nodes, names=False):
        """Names of nodes that pass, and FailedNodes."""
        res = self.json(FILTER, args(pod, nodes, names))
        assert res["Error"] == "", res["Error"]
        if names:
            assert res["Nodes"] is None
            return res["NodeNames"], res["FailedNodes"]
        assert res["NodeNames"] is None
        return [n["metadata"]["name"] for n in res["Nodes"]["items"]], res["FailedNodes"]

    def node(self, name):
        return {n["name"]: n for n in self.json("/v1/nodes")["nodes"]}[name]

    def claims(self, attached=False):
        """Of pods that are not (wholly) attached yet, or of all."""
        return {c["uid"]: c for c in self.json("/v1/nodes")["claims"]
                if attached or c["attached"] < len(c["min_tx_rates"])}

    def rss_kib(self, key="VmRSS"):
        with open("/proc/%d/status" % self.proc.pid, encoding="ascii") as f:
            return int(re.search(r"^%s:\s+(\d+) kB" % key, f.read(), re.M).group(1))


def pod(uid, *mins, text=None):
    if text is None:
        text = json.dumps([{"min_tx_rate": m} if m else {} for m in mins])
    return {"metadata": {"name": "pod-" + uid, "namespace": "default", "uid": uid,
                         "annotations": {"rdma_interfaces_required": text}}}


def node_object(n, **more):
    return {"metadata": {"name": n.name, **more},
            "status": {"addresses": [{"type": "Hostname", "address": n.name},
                                     {"type": "InternalIP", "address": n.addr}]}}


def args(p, nodes, names=False):
    if names:
        return {"Pod": p, "Nodes": None, "NodeNames": [n.name for n in nodes]}
    return {"Pod": p, "Nodes": {"metadata": {}, "items": [node_object(n) for n in nodes]},
            "NodeNames": None}


def wait_for(condition, seconds=20):
    """Until condition() is true; fails when it does not become so."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "did not happen in time"
        time.sleep(0.02)
