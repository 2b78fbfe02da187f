# SPDX-License-Identifier: MIT
"""The lab itself: what its commands promise."""

import hashlib
import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from labtool import TOP, Node

pytestmark = pytest.mark.both


@pytest.mark.parametrize("status", [0, 1, 7, 111, 255])
def test_exec_gives_the_exit_status(node1, status):
    assert node1.run("sh", "-c", f"exit {status}", check=False).returncode == status


def test_exec_gives_128_and_the_signal(node1):
    assert node1.run("sh", "-c", "kill -9 $$", check=False).returncode == 137


def test_exec_of_an_unknown_program(node1):
    done = node1.run("no-such-program", check=False)
    assert done.returncode == 127
    assert b"no-such-program: No such file" in done.stderr


def test_exec_of_a_file_that_is_no_program(node1):
    assert node1.run("/etc/passwd", check=False).returncode == 126


def test_exec_keeps_stdout_and_stderr_apart(node1):
    done = node1.run("sh", "-c", "echo out; echo err >&2")
    assert (done.stdout, done.stderr) == (b"out\n", b"err\n")


def test_exec_keeps_arguments_as_they_are(node1):
    args = ["a b", "", "'", '"', "$HOME", "*", "\\", "new\nline", "--", "-i", "\u00e9"]
    done = node1.run("printf", "%s\\0", *args)
    assert done.stdout == b"".join(a.encode() + b"\0" for a in args)


def test_exec_carries_any_octets_both_ways(node1):
    data = os.urandom(6 << 20)
    assert node1.run("cat", data=data).stdout == data


def test_exec_without_i_gives_no_input(node1):
    assert node1.run("cat").stdout == b""


def test_exec_ends_though_input_is_not_read(node1):
    done = node1.run("sh", "-c", "exit 3", data=b"x" * (4 << 20), check=False)
    assert done.returncode == 3


def test_exec_does_not_wait_for_what_stays_behind(node1):
    done = node1.run("sh", "-c", "sleep 1000 & echo started", timeout=20)
    assert done.stdout == b"started\n"
    assert node1.run("pidof", "sleep").stdout


def test_exec_kills_the_command_and_its_group_when_time_is_up(node1):
    done = node1.run("sh", "-c", "sleep 1001 & sleep 1001", check=False, timeout=1)
    assert done.returncode == 124
    assert b"stopped after 1 s" in done.stderr
    node1.wait(lambda: node1.run("pidof", "sleep", check=False).returncode == 1, "no sleep left")


def test_many_commands_at_once(lab, node1, node2):
    def one(i):
        node = lab.nodes[i % 2]
        return node.run("sh", "-c", f"sleep 0.3; echo {i}; exit {i}", check=False)

    with ThreadPoolExecutor(10) as pool:
        results = list(pool.map(one, range(20)))
    assert [(r.returncode, int(r.stdout)) for r in results] == [(i, i) for i in range(20)]


def test_exec_on_an_unknown_node(lab):
    done = lab.call("exec", "node3", "--", "true", check=False)
    assert done.returncode == 255
    assert b"no node 'node3': there are node1 to node2" in done.stderr


def test_push_keeps_content_and_mode(lab, node1, tmp_path):
    file = tmp_path / "some file"
    file.write_bytes(os.urandom(3 << 20))
    file.chmod(0o751)
    lab.call("push", "node1", str(file), "/tmp/pushed")
    lab.call("push", "node1", str(file), "/tmp/")
    for path in ("/tmp/pushed", "/tmp/some file"):
        digest = node1.text("sha256sum", path).split()[0]
        assert digest == hashlib.sha256(file.read_bytes()).hexdigest()
        assert node1.text("stat", "-c", "%a", path) == "751\n"


@pytest.mark.parametrize("file, path, status, said", [
    ("/no/such", "/tmp/x", 100, b"/no/such: No such file"),
    ("/etc/hostname", "/no/such/folder/x", 111, b"/no/such/folder/x"),
])
def test_push_says_what_is_wrong(lab, node1, file, path, status, said):
    done = lab.call("push", "node1", file, path, check=False)
    assert done.returncode == status
    assert said in done.stderr


def test_host_reaches_the_nodes_and_only_them(lab, node1):
    node1.sh("mkdir /tmp/www; echo hello >/tmp/www/page; cd /tmp/www; "
             "setsid busybox httpd -f -p 8080 >/dev/null 2>&1 & echo $! >/tmp/httpd.pid")
    get = ["curl", "-sS", "--noproxy", "*", "--max-time", "3", f"http://{node1.addr}:8080/page"]
    try:
        node1.wait(lambda: lab.host(*get, check=False).stdout == b"hello\n", "the page")
        here = subprocess.run(get, capture_output=True, check=False)
        assert b"hello" not in here.stdout
    finally:
        node1.sh("kill $(cat /tmp/httpd.pid)")


def test_host_gives_status_and_output(lab):
    done = lab.host("sh", "-c", "echo out; echo err >&2; exit 9", check=False)
    assert (done.returncode, done.stdout, done.stderr) == (9, b"out\n", b"err\n")
    done = lab.call("host", "--timeout", "1", "--", "sleep", "100", check=False)
    assert done.returncode == 124
    done = lab.host("ip", "-j", "addr", "show", "dev", "mgmt")
    assert b'"10.77.0.1"' in done.stdout


@pytest.mark.parametrize("argv, said", [
    ([], b"scripts/lab COMMAND"),
    (["nonsense"], b"'nonsense'"),
    (["exec", "node1", "true"], b"'-- COMMAND' is missing"),
    (["exec", "node1", "--"], b"'-- COMMAND' is missing"),
    (["exec", "--timeout", "0", "node1", "--", "true"], b"'0' is not a number of seconds"),
    (["exec", "--timeout", "x", "node1", "--", "true"], b"'x' is not a number of seconds"),
    (["up", "--nodes", "0"], b"'0' is not a number from 1 to 32"),
    (["up", "--nodes", "many"], b"'many' is not a number"),
    (["up", "--pfs", "9"], b"'9' is not a number from 1 to 8"),
    (["push", "node1"], b"required"),
    (["push", "node7", "/etc/hostname", "/tmp/x"], b"no node 'node7'"),
    (["cable", "node1", "2", "off"], b"no PF 2"),
    (["cable", "node1", "0", "loose"], b"'loose'"),
])
def test_wrong_command_lines(lab, argv, said):
    done = lab.call(*argv, check=False)
    assert done.returncode == 100
    assert said in done.stderr + done.stdout


def test_up_while_up_says_so(lab):
    done = lab.call("up", "--nodes", "2", "--pfs", "2")
    assert b"already up: 2 nodes with 2 PFs each" in done.stderr
    done = lab.call("up", "--nodes", "3", check=False)
    assert done.returncode == 111
    assert b"take it down first" in done.stderr


def test_status(lab):
    lines = lab.call("status").stdout.decode().splitlines()
    assert lines[0].startswith("up: 2 nodes, 2 PFs each, kernel ")
    assert [line.split()[:3] for line in lines[1:]] == [
        ["node1", "10.77.0.11", "answers"], ["node2", "10.77.0.12", "answers"]]


def test_nodes_are_what_the_documentation_says(rdma_ds, node1, node2):
    for node in (node1, node2):
        assert node.text("hostname").strip() == node.name
        assert node.names() == {"lo", "mgmt0", "enp1s0f0", "enp1s0f1"}
        assert node.text("cat", "/sys/class/net/enp1s0f1/device/sriov_totalvfs") == "7\n"
        for tool in ("ip", "rdma", "devlink", "curl", "setpriv"):
            assert node.text("which", tool).startswith("/usr/sbin/")
        for plugin in ("host-local", "static", "host-device", "loopback"):
            done = node.run("env", "CNI_COMMAND=VERSION", f"/opt/cni/bin/{plugin}",
                            data=b'{"cniVersion":"1.0.0"}')
            assert b"supportedVersions" in done.stdout
        for program in os.listdir(os.path.dirname(rdma_ds)):
            assert node.text("which", program) == f"/usr/local/bin/{program}\n"
    node1.run("ping", "-c", "1", "-W", "5", "node2")


def test_a_pf_without_cable_loses_its_link(lab, node1):
    def carrier():
        return "LOWER_UP" in node1.link("enp1s0f0")["flags"]

    node1.run("ip", "link", "set", "enp1s0f0", "up")
    node1.wait(carrier, "link up")
    lab.call("cable", "node1", "0", "off")
    try:
        node1.wait(lambda: not carrier(), "link down")
    finally:
        lab.call("cable", "node1", "0", "on")
    node1.wait(carrier, "link up again")


def test_vfs_of_two_nodes_reach_each_other_over_the_wire(node1, node2):
    for i, node in enumerate((node1, node2), 1):
        node.sh("""
            echo 1 >/sys/class/net/enp1s0f1/device/sriov_numvfs
            ip link set enp1s0f1 up
            vf=$(ls /sys/class/net/enp1s0f1/device/virtfn0/net)
            ip netns add pod
            ip link set $vf netns pod name eth0
            ip -n pod addr add 192.0.2.$1/24 dev eth0
            ip -n pod link set eth0 up""", str(i))
    node1.wait(lambda: node1.run("ip", "netns", "exec", "pod", "ping", "-c", "1", "-W", "1",
                                 "192.0.2.2", check=False).returncode == 0, "ping over the wire")


def processes_about(text):
    """The command lines that mention text."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                line = f.read().decode(errors="replace")
        except OSError:
            continue
        if text in line:
            found.append(line)
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_start_leaves_nothing(tmp_path, number):
    """In a clone of its own, beside the lab that is up: labs do not know each other."""
    clone = tmp_path / "clone"
    clone.mkdir()
    for name in ("scripts", "test"):
        (clone / name).symlink_to(os.path.join(TOP, name))
    lab = clone / "build" / "lab"
    lab.mkdir(parents=True)
    for name in ("packages", "kernel", "kvm-verdict"):
        if os.path.exists(os.path.join(TOP, "build", "lab", name)):
            (lab / name).symlink_to(os.path.join(TOP, "build", "lab", name))
    tool = str(clone / "scripts" / "lab")
    with subprocess.Popen([tool, "up", "--nodes", "1"], stderr=subprocess.PIPE,
                          preexec_fn=lambda: signal.signal(signal.SIGINT,
                                                           signal.default_int_handler)) as up:
        Node.wait(lambda: processes_about(str(lab / "initrd")), "QEMU has been started")
        up.send_signal(number)
        up.wait(30)
    assert up.returncode == {signal.SIGKILL: -9}.get(number, 128 + number)
    Node.wait(lambda: processes_about(str(clone)) == [], "no process left")
    assert not (lab / "run").exists()
    assert subprocess.run([tool, "status"], capture_output=True, check=False).stdout == b"down\n"
    done = subprocess.run([tool, "exec", "node1", "--", "true"], capture_output=True, check=False)
    assert done.returncode == 255
    assert b"the lab is not up" in done.stderr
