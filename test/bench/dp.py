# SPDX-License-Identifier: MIT
"""rdma-dummy-dp: from kubelet.sock to the list of devices, memory, and what an idle one costs."""
import os
import re
import shutil
import statistics
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "test", "integration"))
from kubelet import Kubelet, Plugin, make_device, wait  # noqa: E402

RESTARTS = 50
IDLE_S = 35


def cost(pid):
    """Context switches and CPU ticks so far."""
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        switches = sum(int(n) for n in re.findall(r"ctxt_switches:\s+(\d+)", f.read()))
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        fields = f.read().rsplit(") ", 1)[1].split()
    return switches, int(fields[11]) + int(fields[12])


def private_kib(pid):
    with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as f:
        return sum(int(m) for m in re.findall(r"^Private_\w+:\s+(\d+) kB", f.read(), re.M))


def main():
    base = tempfile.mkdtemp(prefix="dpb-")
    os.mkdir(base + "/dp")
    os.mkdir(base + "/infiniband")
    make_device(base + "/infiniband", "uverbs0")
    plugin = Plugin(base + "/dp", base + "/infiniband", log=base + "/log")
    times, kubelet = [], None
    try:
        for _ in range(RESTARTS):
            kubelet = Kubelet(base + "/dp").start()
            endpoint = kubelet.endpoint()
            times.append((endpoint.lists[0][0] - kubelet.bound) * 1000)
            if len(times) < RESTARTS:
                kubelet.stop()
        times.sort()
        size = endpoint.lists[0][1].ByteSize()
        print("rdma-dummy-dp, %d devices, a list of %d bytes" % (len(endpoint.devices()), size))
        print("  kubelet.sock to the list received, %d restarts:  median %.1f ms, largest %.1f ms" % (
            RESTARTS, statistics.median(times), times[-1]))
        pid = plugin.proc.pid
        print("  resident after that: %d KiB, peak %d KiB, of which private %d KiB" % (
            plugin.memory_kib(), plugin.memory_kib("VmHWM"), private_kib(pid)))
        wait(lambda: (lambda a: (time.sleep(1), a == cost(pid))[1])(cost(pid)))
        before = cost(pid)
        time.sleep(IDLE_S)
        after = cost(pid)
        print("  idle for %d s: %d context switches, %d CPU ticks" % (
            IDLE_S, after[0] - before[0], after[1] - before[1]))
    finally:
        plugin.proc.terminate()
        plugin.proc.wait()
        if kubelet:
            kubelet.stop()
        shutil.rmtree(base)


if __name__ == "__main__":
    main()
