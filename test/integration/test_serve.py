# SPDX-License-Identifier: MIT
"""rdma-ds serve, the static program, against a fake sysfs and with the real curl."""
import json
import os
import re
import signal
import subprocess
import time

import pytest

from fakenode import RDMA_DS, FakeNode

PORT = 54005
FIELDS = ["name", "used_tx_rate", "capacity_tx_rate", "used_vfs", "capacity_vfs", "vfs"]
VF_FIELDS = ["vf", "mac", "vlan", "qos", "vlan_proto", "spoof_check", "trust", "link_state",
             "min_tx_rate", "max_tx_rate", "vgt_plus", "rate_group", "allocated"]


class Server:
    """A running rdma-ds serve in the node's namespace."""

    def __init__(self, node, *args, env=None, prefix=()):
        self.node = node
        self.log = os.path.join(node.dir, "log")
        argv = [*prefix, RDMA_DS, "serve", "--sysfs", node.sysfs, "--state-dir", node.state, *args]
        with open(self.log, "w", encoding="utf-8") as log:
            self.proc = node.popen(argv, stderr=log, stdout=log,
                                   env={**os.environ, **(env or {})})
        deadline = time.monotonic() + 20
        while "listening on" not in self.text():
            assert self.proc.poll() is None, self.text()
            assert time.monotonic() < deadline, "not listening: " + self.text()
            time.sleep(0.02)

    def text(self):
        with open(self.log, encoding="utf-8") as f:
            return f.read()

    def curl(self, path, *args):
        r = self.node.run(["curl", "-sS", "-i", "--max-time", "20", *args,
                           "http://127.0.0.1:%d%s" % (PORT, path)])
        assert r.returncode == 0, r.stderr
        head, _, body = r.stdout.partition("\n\n")
        status = int(head.split()[1])
        return status, head.replace("\r", ""), body

    def get(self, path):
        r = self.node.run(["curl", "-sS", "-w", "\n%{http_code} %{content_type}", "--max-time",
                           "20", "http://127.0.0.1:%d%s" % (PORT, path)])
        assert r.returncode == 0, r.stderr
        body, _, tail = r.stdout.rpartition("\n")
        code, _, ctype = tail.partition(" ")
        return int(code), ctype, body

    def json(self, path):
        code, ctype, body = self.get(path)
        assert (code, ctype) == (200, "application/json"), body
        return json.loads(body)

    def stop(self):
        self.proc.send_signal(signal.SIGTERM)
        return self.proc.wait(timeout=20)


@pytest.fixture(name="node")
def fixture_node():
    n = FakeNode()
    yield n
    n.close()


@pytest.fixture(name="serve")
def fixture_serve(node):
    servers = []

    def start(*args, **kw):
        servers.append(Server(node, "--max-age-ms", "0", *args, **kw))
        return servers[-1]

    yield start
    for s in servers:
        if s.proc.poll() is None:
            s.proc.kill()
            s.proc.wait()


def test_getpfs_has_exactly_the_contract_fields(node, serve):
    node.add_pf("enp4s0f0", vfs=2)
    pfs = serve().json("/getpfs")
    assert [list(pf) for pf in pfs] == [FIELDS]
    assert [list(vf) for vf in pfs[0]["vfs"]] == [VF_FIELDS] * 2
    assert pfs[0]["name"] == "enp4s0f0"
    assert pfs[0]["capacity_vfs"] == 2
    assert pfs[0]["used_vfs"] == 0
    assert [vf["vf"] for vf in pfs[0]["vfs"]] == [0, 1]
    assert not any(vf["allocated"] for vf in pfs[0]["vfs"])


def test_no_hardware_is_an_empty_list_and_ready(serve):
    s = serve()
    assert s.json("/getpfs") == []
    assert s.get("/readyz")[0] == 200


def test_pfs_are_listed_by_pci_address(node, serve):
    node.add_pf("zeta", bdf="0000:04:00.0")
    node.add_pf("alpha", bdf="0000:81:00.0")
    node.add_pf("novfs", bdf="0000:02:00.0", vfs=0)
    assert [pf["name"] for pf in serve().json("/getpfs")] == ["zeta", "alpha"]


@pytest.mark.parametrize("netdev,driver,state", [
    (False, "igbvf", "away"),
    (False, "vfio-pci", "vfio"),
    (False, "mlx5_vfio_pci", "vfio"),
    (False, "uio_pci_generic", "other-driver"),
    (False, None, "no-driver"),
    (True, "igbvf", "free"),
])
def test_vf_state_decides_what_is_allocated(node, serve, netdev, driver, state):
    node.add_pf("enp4s0f0", vfs=1)
    node.link("bus/pci/devices/0000:04:00.0/sriov_unused", "x")
    node.write("bus/pci/devices/0000:04:00.0/sriov_numvfs", "2\n")
    node.add_vf("enp4s0f0", "0000:04:00.0", 1, netdev=netdev, driver=driver)
    s = serve()
    pf = s.json("/getpfs")[0]
    assert pf["vfs"][1]["allocated"] == (state != "free")
    assert pf["used_vfs"] == (0 if state == "free" else 1)
    assert s.json("/v1/node")["pfs"][0]["vfs"][1]["state"] == state


def test_a_ledger_record_allocates_and_reserves(node, serve):
    node.add_pf("enp4s0f0", vfs=2)
    node.record("c0ffee:eth0.json", vf=1, minTxRate=300, maxTxRate=400)
    s = serve()
    pf = s.json("/getpfs")[0]
    assert (pf["used_vfs"], pf["used_tx_rate"]) == (1, 300)
    assert [vf["allocated"] for vf in pf["vfs"]] == [False, True]
    vf = s.json("/v1/node")["pfs"][0]["vfs"][1]
    assert vf["holder"]["pod_name"] == "train-0"
    assert vf["holder"]["min_tx_rate"] == 300
    assert vf["drift"] == "held-but-in-host"


def test_a_damaged_record_is_reported_and_harmless(node, serve):
    node.add_pf("enp4s0f0", vfs=2)
    path = node.record("bad:eth0.json")
    with open(path, "w", encoding="utf-8") as f:
        f.write('{"version": 1, "vf": ')
    s = serve()
    ledger = s.json("/v1/node")["ledger"]
    assert (ledger["records"], ledger["damaged"]) == (0, 1)
    assert "bad:eth0.json" in ledger["problem"]
    assert s.json("/getpfs")[0]["used_vfs"] == 0
    assert "bad:eth0.json" in s.text()


def test_an_unreadable_ledger_is_no_empty_ledger(node, serve):
    """Who cannot see who holds what must not offer VFs."""
    node.add_pf("enp4s0f0", vfs=2)
    os.rmdir(os.path.join(node.state, "attachments"))
    with open(os.path.join(node.state, "attachments"), "w", encoding="utf-8"):
        pass
    s = serve()
    assert s.get("/getpfs")[0] == 503
    assert s.get("/readyz")[0] == 503
    assert s.get("/healthz")[0] == 200
    code, _, body = s.get("/metrics")
    assert code == 200 and "\nferrule_node_up 0\n" in body
    os.unlink(os.path.join(node.state, "attachments"))
    assert s.get("/readyz")[0] == 200
    assert "can be read again" in s.text()


def test_a_pf_that_vanishes_and_one_that_appears_are_followed(node, serve):
    node.add_pf("enp4s0f0", vfs=1)
    s = serve()
    assert [p["name"] for p in s.json("/getpfs")] == ["enp4s0f0"]
    node.add_pf("enp5s0f0", bdf="0000:05:00.0", vfs=1)
    assert [p["name"] for p in s.json("/getpfs")] == ["enp4s0f0", "enp5s0f0"]
    node.del_pf("enp4s0f0")
    assert [p["name"] for p in s.json("/getpfs")] == ["enp5s0f0"]
    assert "enp4s0f0 (0000:04:00.0): gone" in s.text()


def test_capacity_survives_a_link_that_goes_down(node, serve):
    node.add_pf("enp4s0f0", vfs=1)
    s = serve()
    full = s.json("/getpfs")[0]["capacity_tx_rate"]
    assert full > 0
    node.ip("link", "set", "enp4s0f0", "down")
    assert s.json("/getpfs")[0]["capacity_tx_rate"] == full
    assert s.json("/v1/node")["pfs"][0]["speed_mbps"] == 0
    assert s.stop() == 0
    assert serve().json("/getpfs")[0]["capacity_tx_rate"] == full  # kept beside the ledger


def test_configuration_restricts_and_sets_capacity(node, serve):
    node.add_pf("enp4s0f0", vfs=1)
    node.add_pf("enp5s0f0", bdf="0000:05:00.0", vfs=1)
    conf = os.path.join(node.dir, "node.json")
    with open(conf, "w", encoding="utf-8") as f:
        json.dump({"pfs": [{"name": "enp5s0f0", "capacityMbps": 50000, "headroomMbps": 1000}]}, f)
    pfs = serve("--config", conf).json("/getpfs")
    assert [(p["name"], p["capacity_tx_rate"]) for p in pfs] == [("enp5s0f0", 49000)]


def test_readings_are_shared_for_max_age(node):
    node.add_pf("enp4s0f0", vfs=1)
    s = Server(node, "--max-age-ms", "10000")
    try:
        assert s.json("/getpfs")[0]["used_vfs"] == 0
        node.record("c0ffee:eth0.json")
        assert s.json("/getpfs")[0]["used_vfs"] == 0  # 10 s have not passed
    finally:
        assert s.stop() == 0


def test_endpoints_methods_and_head(node, serve):
    node.add_pf("enp4s0f0", vfs=1)
    s = serve()
    listing = s.get("/")[2]
    for path in ("/getpfs", "/v1/node", "/metrics", "/healthz", "/readyz"):
        assert path in listing
        assert s.get(path)[0] == 200
        status, head, body = s.curl(path, "-I")
        assert status == 200 and body == "" and "Content-Length: " in head
    assert s.get("/nothing")[0] == 404
    assert s.get("/getpfs/")[0] == 404
    status, head, _ = s.curl("/getpfs", "-X", "POST", "-d", "x")
    assert status == 405 and re.search(r"^Allow: .*GET", head, re.M)


def test_metrics_are_well_formed_and_true(node, serve):
    node.add_pf("enp4s0f0", vfs=2)
    node.record("c0ffee:eth0.json", minTxRate=300)
    s = serve()
    for _ in range(3):
        s.json("/getpfs")
    code, ctype, body = s.get("/metrics")
    assert code == 200 and ctype.startswith("text/plain; version=0.0.4")
    sample = re.compile(r'^[a-z_]+(\{([a-z]+="(\\.|[^"\\])*",?)+\})? [0-9.e+-]+$|^[a-z_]+\{.*le="\+Inf".*\} [0-9]+$')
    typed = set()
    for line in body.splitlines():
        if line.startswith("# TYPE "):
            assert line.split()[2] not in typed, "declared twice: " + line
            typed.add(line.split()[2])
        elif not line.startswith("# HELP "):
            assert sample.match(line), line
            base = re.sub(r"_(bucket|sum|count)$", "", re.split(r"[ {]", line)[0])
            assert base in typed or re.split(r"[ {]", line)[0] in typed, line
    assert 'ferrule_pf_used_vfs{pf="enp4s0f0"} 1\n' in body
    assert 'ferrule_pf_free_vfs{pf="enp4s0f0"} 1\n' in body
    assert 'ferrule_pf_reserved_mbps{pf="enp4s0f0"} 300\n' in body
    assert 'ferrule_vfs{pf="enp4s0f0",state="free"} 2\n' in body
    assert re.search(r'ferrule_http_requests_total\{route="/getpfs",code="2xx"\} 3\n', body), body
    assert 'ferrule_build_info{program="rdma-ds",version="' in body


def test_runs_without_privilege(node, serve):
    """A user without any capability serves; the state directory stays read-only to it."""
    node.add_pf("enp4s0f0", vfs=1)
    s = serve(prefix=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                      "--bounding-set=-all", "--no-new-privs"))
    assert s.json("/getpfs")[0]["capacity_tx_rate"] > 0
    with open("/proc/%d/status" % s.proc.pid, encoding="ascii") as f:
        status = f.read()
    assert re.search(r"^CapEff:\s+0+$", status, re.M)
    assert re.search(r"^Uid:\s+65534\s", status, re.M)
    assert "not kept across restarts" in s.text()


def test_root_gives_up_every_capability(serve):
    s = serve()
    with open("/proc/%d/status" % s.proc.pid, encoding="ascii") as f:
        status = f.read()
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert re.search(r"^%s:\s+0+$" % name, status, re.M), status
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.M)


def test_port_from_environment_and_listen(node, serve):
    serve(env={"PORT": "54006"})
    r = node.run(["curl", "-sS", "http://127.0.0.1:54006/healthz"])
    assert r.stdout == "ok\n"
    serve("--listen", "127.0.0.1:54007", "--listen", "[::1]:54008", env={"PORT": "1"})
    for addr in ("127.0.0.1:54007", "[::1]:54008"):
        assert node.run(["curl", "-sS", "http://%s/healthz" % addr]).stdout == "ok\n"


def refused(node, *args, env=None, code=100):
    r = node.run([RDMA_DS, "serve", "--sysfs", node.sysfs, "--state-dir", node.state, *args],
                 env={**os.environ, **(env or {})})
    assert r.returncode == code, r.stderr
    assert r.stdout == ""
    lines = r.stderr.splitlines()
    assert len(lines) == 1, r.stderr
    assert re.match(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d error: ", lines[0])
    return lines[0]


@pytest.mark.parametrize("args,word", [
    (("--frobnicate",), "--frobnicate"),
    (("--listen", "nowhere:1"), "nowhere"),
    (("--listen", "1.2.3.4:65536"), "65536"),
    (("--listen",), "--listen"),
    (("--max-age-ms", "-1"), "--max-age-ms"),
    (("--max-age-ms", "1e3"), "--max-age-ms"),
    (("--max-age-ms", "5", "--max-age-ms", "6"), "twice"),
    (("--config", "/nonexistent/node.json"), "/nonexistent/node.json"),
    (("--log-level", "loud"), "loud"),
    (("extra",), "extra"),
    (("-v",), "-v"),
])
def test_bad_usage_is_one_line_and_100(node, args, word):
    assert word in refused(node, *args)


def test_bad_port_variable_names_the_variable(node):
    line = refused(node, env={"PORT": "http"})
    assert "PORT" in line and "http" in line


def test_an_empty_port_variable_is_as_none(node, serve):
    serve(env={"PORT": ""})
    assert node.run(["curl", "-sS", "http://127.0.0.1:54005/healthz"]).stdout == "ok\n"


def test_bad_configuration_names_key_and_place(node):
    conf = os.path.join(node.dir, "node.json")
    with open(conf, "w", encoding="utf-8") as f:
        f.write('{\n  "pfs": [{"name": "enp4s0f0", "capacity": 1}]\n}\n')
    line = refused(node, "--config", conf)
    assert conf in line and "capacity" in line and "line 2" in line
    assert "capacity" in refused(node, "--check-config", "--config", conf)


def test_port_in_use_is_one_line_and_111(node, serve):
    serve()
    line = refused(node, code=111)
    assert "54005" in line and "in use" in line


def test_missing_sysfs_is_111(node):
    r = node.run([RDMA_DS, "serve", "--sysfs", "/nonexistent"])
    assert r.returncode == 111 and "/nonexistent" in r.stderr


def test_sigterm_finishes_what_has_begun(node, serve):
    node.add_pf("enp4s0f0", vfs=2)
    s = serve()
    # A request whose head is half sent when the signal comes is still answered.
    script = (
        "import socket,sys,time\n"
        "c=socket.create_connection(('127.0.0.1',%d))\n"
        "c.sendall(b'GET /getpfs HTTP/1.1\\r\\nHost: x\\r\\n')\n"
        "print('sent',flush=True)\n"
        "sys.stdin.readline()\n"
        "c.sendall(b'\\r\\n')\n"
        "d=b''\n"
        "while True:\n"
        "    p=c.recv(65536)\n"
        "    if not p: break\n"
        "    d+=p\n"
        "sys.stdout.write(d.decode())\n" % PORT)
    client = node.popen(["/usr/bin/python3", "-c", script], stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE, text=True)
    assert client.stdout.readline() == "sent\n"
    s.json("/getpfs")  # the half head has arrived: requests are served in order of arrival
    s.proc.send_signal(signal.SIGTERM)
    while "stopping" not in s.text():
        time.sleep(0.02)
    out, _ = client.communicate("go\n", timeout=20)
    assert out.startswith("HTTP/1.1 200") and "enp4s0f0" in out
    assert s.proc.wait(timeout=20) == 0
    assert s.text().rstrip().endswith("stopped")


def test_sigterm_does_not_wait_for_ever(node, serve):
    s = serve()
    script = ("import socket,time\n"
              "c=socket.create_connection(('127.0.0.1',%d))\n"
              "c.sendall(b'GET /getpfs HTTP/1.1\\r\\n')\n"
              "print('sent',flush=True)\n"
              "time.sleep(60)\n" % PORT)
    client = node.popen(["/usr/bin/python3", "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert client.stdout.readline() == "sent\n"
        s.json("/getpfs")
        assert s.stop() == 0
    finally:
        client.kill()
        client.wait()


@pytest.mark.parametrize("path", ["/getpfs", "/metrics"])
def test_slow_readers_do_not_disturb_others(node, serve, path):
    """More clients that never read their answers than there are copies of a page: each holds on to
    another reading, and all others are served throughout."""
    for i in range(4):
        node.add_pf("enp%ds0f0" % (4 + i), bdf="0000:%02x:00.0" % (4 + i), vfs=126, total=126)
    s = serve()
    script = ("import socket,time\n"
              "cs=[]\n"
              "for i in range(12):\n"
              "    c=socket.socket()\n"
              "    c.setsockopt(socket.SOL_SOCKET,socket.SO_RCVBUF,2048)\n"
              "    c.connect(('127.0.0.1',%d))\n"
              "    c.settimeout(0.2)\n"
              "    try:\n"
              "        while True: c.sendall(b'GET %s HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'*100)\n"
              "    except TimeoutError: pass\n"
              "    cs.append(c)\n"
              "    print('stuck',flush=True)\n"
              "time.sleep(60)\n" % (PORT, path))
    client = node.popen(["/usr/bin/python3", "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        for _ in range(12):
            assert client.stdout.readline() == "stuck\n"
            assert len(s.json("/getpfs")) == 4
            assert s.get("/metrics")[0] == 200
        assert [len(pf["vfs"]) for pf in s.json("/getpfs")] == [126] * 4
        assert "error" not in s.text()
    finally:
        client.kill()
        client.wait()


def test_unreadable_pf_is_told_and_not_ready(node, serve):
    """A PF that cannot be read is not the same as no PF."""
    node.add_pf("enp4s0f0", vfs=2)
    node.add_pf("enp5s0f0", bdf="0000:05:00.0", vfs=1)
    node.write("bus/pci/devices/0000:04:00.0/sriov_totalvfs", "x\n")
    s = serve()
    assert [p["name"] for p in s.json("/getpfs")] == ["enp5s0f0"]
    problem = s.json("/v1/node")["pfs"][0]["problem"]
    assert "sriov_totalvfs" in problem
    code, _, body = s.get("/readyz")
    assert code == 503 and "enp4s0f0" in body
    assert "sriov_totalvfs" in s.text()
    node.write("bus/pci/devices/0000:04:00.0/sriov_totalvfs", "7\n")
    assert s.get("/readyz")[0] == 200


def test_sysfs_of_another_namespace_is_told(node, serve):
    """Host sysfs without the host's network namespace: PFs are seen and cannot be asked."""
    node.add_pf("enp4s0f0", vfs=2)
    node.ip("link", "del", "enp4s0f0")
    s = serve()
    assert s.json("/getpfs") == []
    assert s.get("/readyz")[0] == 503
    assert "not in this network namespace" in s.json("/v1/node")["pfs"][0]["problem"]


def test_ipv6_and_ipv4_on_the_default_port(node, serve):
    serve()
    for host in ("127.0.0.1", "[::1]"):
        assert node.run(["curl", "-sS", "http://%s:54005/healthz" % host]).stdout == "ok\n"


def test_version_help_and_no_command():
    run = lambda *a: subprocess.run([RDMA_DS, *a], capture_output=True, text=True, check=False)
    assert re.match(r"rdma-ds \d+\.\d+\.\d+", run("--version").stdout)
    assert "rdma-ds serve" in run("--help").stdout
    assert "--max-age-ms" in run("serve", "--help").stdout
    assert run().returncode == 100
    bad = run("frob")
    assert bad.returncode == 100 and "'frob'" in bad.stderr


def test_check_config_opens_nothing(node):
    r = node.run([RDMA_DS, "serve", "--check-config", "--sysfs", "/nonexistent"])
    assert (r.returncode, r.stderr) == (0, "")


def test_closed_standard_descriptors_are_survived(node):
    """Started with stderr closed, no socket may become 'stderr' and be written to."""
    script = 'exec %s serve --sysfs %s --state-dir %s 0<&- 1>&- 2>&-' % (
        RDMA_DS, node.sysfs, node.state)
    p = node.popen(["sh", "-c", script])
    try:
        deadline = time.monotonic() + 20
        while node.run(["curl", "-sS", "http://127.0.0.1:54005/healthz"]).stdout != "ok\n":
            assert time.monotonic() < deadline
        for fd in (0, 1, 2):
            assert os.readlink("/proc/%d/fd/%d" % (p.pid, fd)) == "/dev/null"
    finally:
        p.terminate()
        assert p.wait(timeout=20) == 0
