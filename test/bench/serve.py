# SPDX-License-Identifier: MIT
"""Memory and speed of rdma-ds serve: one PF with 126 VFs in a fake sysfs, loaded by http_load."""
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "test", "integration"))
from fakenode import RDMA_DS, FakeNode  # noqa: E402

SECONDS = os.environ.get("BENCH_SECONDS", "4")


def status_kib(pid, key):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        return int(re.search(r"^%s:\s+(\d+) kB" % key, f.read(), re.M).group(1))


def main():
    load = os.path.abspath(sys.argv[1])
    node = FakeNode()
    server = None
    try:
        node.add_pf("enp4s0f0", vfs=126, total=126)
        server = node.popen([RDMA_DS, "serve", "--sysfs", node.sysfs, "--state-dir", node.state],
                            stderr=subprocess.DEVNULL)
        url = "http://127.0.0.1:54005/getpfs"
        for _ in range(200):
            body = node.run(["curl", "-sS", url]).stdout
            if body:
                break
            time.sleep(0.05)
        print("rdma-ds serve, one PF with 126 VFs, /getpfs of %d bytes" % len(body))
        print("  %-46s %6d KiB" % ("resident after one request", status_kib(server.pid, "VmRSS")))
        for conns in ("1", "64"):
            r = node.run([load, "--conns", conns, "--seconds", SECONDS, "127.0.0.1:54005",
                          "/getpfs"], timeout=120)
            if r.returncode != 0:
                sys.exit("http_load: " + r.stderr)
            print("  %3s connections: %s" % (conns, r.stdout.strip()))
        print("  %-46s %6d KiB" % ("resident after the load (peak)", status_kib(server.pid, "VmHWM")))
        print("  of which private: %d KiB" % private_kib(server.pid))
    finally:
        if server is not None:
            server.terminate()
            server.wait(timeout=10)
        node.close()


def private_kib(pid):
    with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as f:
        text = f.read()
    return sum(int(m) for m in re.findall(r"^Private_\w+:\s+(\d+) kB", text, re.M))


if __name__ == "__main__":
    main()
