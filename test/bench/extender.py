# SPDX-License-Identifier: MIT
"""rdma-scheduler-extender with simulated nodes: time, memory, and how both grow. Answers are checked.

    extender.py SIM_NODES [QUICK]
"""
import json
import os
import re
import resource
import socket
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXTENDER = os.path.join(ROOT, "build", "bin", "rdma-scheduler-extender")
PORT = 54007
ROUNDS = 7


class Extender:
    def __init__(self, *args):
        self.proc = subprocess.Popen(
            [EXTENDER, "--listen", "127.0.0.1:0", "--node-port", str(PORT), *args],
            stderr=subprocess.PIPE, text=True)
        self.port = int(re.search(r"port:  (\d+)", self.proc.stderr.readline()).group(1))
        self.log = subprocess.Popen(["cat"], stdin=self.proc.stderr, stdout=subprocess.DEVNULL)
        self.sock = socket.create_connection(("127.0.0.1", self.port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.settimeout(60)
        self.buf = bytearray(96 << 20)

    def post(self, body, path="/scheduler/rdma_scheduling"):
        """Seconds and the answer's body."""
        head = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (
            path.encode(), len(body))
        view = memoryview(self.buf)
        begin = time.perf_counter()
        self.sock.sendall(head)
        self.sock.sendall(body)
        got, need = 0, None
        while need is None or got < need:
            got += self.sock.recv_into(view[got:])
            if need is None:
                at = bytes(self.buf[:2048]).find(b"\r\n\r\n")
                if at >= 0:
                    length = re.search(rb"Content-Length: (\d+)", bytes(self.buf[:at])).group(1)
                    start, need = at + 4, at + 4 + int(length)
        seconds = time.perf_counter() - begin
        assert self.buf.startswith(b"HTTP/1.1 200"), bytes(self.buf[:200])
        return seconds, bytes(view[start:need])

    def get(self, path):
        self.sock.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                          % path.encode())
        got = b"".join(iter(lambda: self.sock.recv(1 << 20), b""))
        self.sock.close()
        return json.loads(got.split(b"\r\n\r\n", 1)[1])

    def peak_mb(self):
        with open("/proc/%d/status" % self.proc.pid, encoding="ascii") as f:
            return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1)) / 1024

    def reset_peak(self):
        with open("/proc/%d/clear_refs" % self.proc.pid, "w", encoding="ascii") as f:
            f.write("5")

    def stop(self):
        self.sock.close()
        self.proc.terminate()
        self.proc.wait()
        self.log.wait()


def name(i):
    return "node-%05d" % i


def addr(i):
    return "127.%d.%d.%d" % (16 + i // 62500, i // 250 % 250, 1 + i % 250)


def pod(uid, annotated=True):
    meta = {"name": "p-" + uid, "namespace": "bench", "uid": uid}
    if annotated:
        meta["annotations"] = {"rdma_interfaces_required": '[{"min_tx_rate":5},{"min_tx_rate":7}]'}
    return {"metadata": meta, "spec": {"containers": []}}


def node_object(i):
    images = [{"names": ["registry.example/team/image-%d@sha256:%064x" % (k, i * 100 + k)],
               "sizeBytes": 123456789} for k in range(50)]
    o = {"metadata": {"name": name(i), "labels": {"kubernetes.io/hostname": name(i)},
                      "annotations": {"node.alpha.kubernetes.io/ttl": "0"}},
         "status": {"addresses": [{"type": "InternalIP", "address": addr(i)},
                                  {"type": "Hostname", "address": name(i)}],
                    "capacity": {"cpu": "64", "memory": "263856344Ki"}, "images": images}}
    o["metadata"]["annotations"]["pad"] = "x" * (10000 - len(json.dumps(o)))
    return o


def full_body(p, nodes):
    return ('{"Pod":%s,"Nodes":{"metadata":{},"items":[%s]},"NodeNames":null}'
            % (json.dumps(p), nodes)).encode()


def names_body(p, names):
    return ('{"Pod":%s,"Nodes":null,"NodeNames":%s}' % (json.dumps(p), names)).encode()


def check(text, n, want_pass=True):
    res = json.loads(text)
    got = res["NodeNames"] if res["Nodes"] is None else [
        o["metadata"]["name"] for o in res["Nodes"]["items"]]
    assert res["Error"] == "" and len(got) == (n if want_pass else 0), (
        len(got), list(res["FailedNodes"].items())[:3])
    assert got == [name(i) for i in range(n)]


def median(xs):
    return sorted(xs)[len(xs) // 2]


def full_row(n, nodes, kind):
    ext = Extender("--node-timeout", "60000")  # to measure, on however busy a machine
    first, text = ext.post(full_body(pod("first"), nodes))
    check(text, n)
    first_mb = ext.peak_mb()
    later = []
    time.sleep(1)
    ext.reset_peak()
    for i in range(ROUNDS):
        s, text = ext.post(full_body(pod("p%d" % i), nodes))
        later.append(s)
    check(text, n)
    later_mb = ext.peak_mb()
    plain = [ext.post(full_body(pod("n", False), nodes))[0] for _ in range(ROUNDS)]
    print("  %-9s %6d full nodes: first %7.3f s (%4.0f MB), following %7.4f s (%4.0f MB), "
          "without annotation %7.4f s" % (kind, n, first, first_mb, median(later), later_mb,
                                          median(plain)))
    ext.stop()


def names_row(n):
    ext = Extender("--node-timeout", "60000")
    small = ",".join('{"metadata":{"name":"%s"},"status":{"addresses":[{"type":"InternalIP",'
                     '"address":"%s"}]}}' % (name(i), addr(i)) for i in range(n))
    first, text = ext.post(full_body(pod("first"), small))
    check(text, n)
    names = json.dumps([name(i) for i in range(n)])
    time.sleep(1)
    ext.reset_peak()
    later = []
    for i in range(ROUNDS):
        s, text = ext.post(names_body(pod("p%d" % i), names))
        later.append(s)
    check(text, n)
    plain = [ext.post(names_body(pod("n", False), names))[0] for _ in range(ROUNDS)]
    states = [s["state"] for s in ext.get("/v1/nodes")["nodes"]]
    print("  %6d names: first %6.3f s, following %7.4f s (%4.0f MB), without annotation %7.4f s; "
          "%d followed, %d polled" % (n, first, median(later), ext.peak_mb(), median(plain),
                                      states.count("followed"), n - states.count("followed")))
    ext.stop()


def rate_row(n, nodes):
    ext = Extender()
    ext.post(full_body(pod("first"), nodes))
    body = full_body(pod("again"), nodes)
    names = names_body(pod("again"), json.dumps([name(i) for i in range(n)]))
    for what, b in (("full", body), ("names", names)):
        count, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < 3:
            ext.post(b)
            count += 1
        print("  %d nodes, %s: %.0f requests/s" % (n, what, count / (time.perf_counter() - begin)))
    ext.stop()


def main():
    sim_path, quick = os.path.abspath(sys.argv[1]), len(sys.argv) > 2
    nodes = [json.dumps(node_object(i)) for i in range(100 if quick else 5000)]
    sizes = [100] if quick else [100, 1000, 5000]
    for kind in ("followed", "plain"):
        sim = subprocess.Popen([sim_path, str(PORT), "4"] + (["plain"] if kind == "plain" else []),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = sim.stdout.readline().strip()
        time.sleep(0.3)
        print("nodes that can be followed (%s)" % line if kind == "followed"
              else "nodes that know /getpfs alone: asked in each call")
        for n in sizes:
            full_row(n, ",".join(nodes[:n]), kind)
        if kind == "followed":
            rate_row(sizes[min(1, len(sizes) - 1)], ",".join(nodes[:sizes[min(1, len(sizes) - 1)]]))
        sim.stdin.close()
        sim.wait()
    sim = subprocess.Popen([sim_path, str(PORT), "18"], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, text=True)
    sim.stdout.readline()
    time.sleep(0.5)
    print("names alone, of nodes that are followed")
    print("  (this machine allows %d open files; nodes beyond are polled)"
          % resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    for n in ([100] if quick else [5000, 65000]):
        names_row(n)
    sim.stdin.close()
    sim.wait()


if __name__ == "__main__":
    main()
