# SPDX-License-Identifier: MIT
"""rdma-ds serve: what it says of real VFs, in every state a VF can be in."""

import json
import re

import pytest

from expected import compare
from labtool import AS_NOBODY
from test_init import OTHER, PF, bind_vfio, into_namespace

pytestmark = pytest.mark.usefixtures("rdma_ds")


@pytest.fixture
def node(node1):
    """node1 with three VFs on one PF, link up, and rdma-ds serve running without privilege."""
    node1.init("--pf", PF, "--num-vfs", "3")
    node1.wait(lambda: "LOWER_UP" in node1.link(PF)["flags"], "link up")
    node1.serve(prefix=AS_NOBODY)
    return node1


def settle(node, pf=PF, **expected):
    """Compares until it agrees: the kernel takes namespaces and links apart in its own time."""
    last = []

    def agrees():
        try:
            compare(node, pf, **expected)
            return True
        except AssertionError as e:
            last[:] = [str(e)]
            return False

    node.wait(agrees, f"/getpfs agrees with ip on {pf}", lambda: last[0])


def test_it_agrees_with_ip_field_by_field(node):
    compare(node, PF)


def test_a_pf_without_vfs_is_not_listed(node):
    assert [p["name"] for p in node.getpfs()] == [PF]


def test_both_pfs_are_listed(node1):
    node1.init("--all-sriov")
    node1.serve()
    for pf in (PF, OTHER):
        node1.wait(lambda pf=pf: "LOWER_UP" in node1.link(pf)["flags"], "link up")
        compare(node1, pf)
    assert [p["name"] for p in node1.getpfs()] == [PF, OTHER]


def test_it_follows_every_setting(node):
    node.sh("""ip link set $1 vf 0 mac 02:00:00:aa:bb:cc vlan 100 qos 3
        ip link set $1 vf 1 trust off spoofchk on
        ip link set $1 vf 2 max_tx_rate 300""", PF)
    got = compare(node, PF)
    assert got["vfs"][0]["mac"] == "02:00:00:aa:bb:cc"
    assert (got["vfs"][0]["vlan"], got["vfs"][0]["vlan_proto"]) == (100, "802.1Q")
    assert got["vfs"][2]["max_tx_rate"] == 300


def test_a_vf_in_a_namespace_is_allocated(node):
    into_namespace(node, 1)
    compare(node, PF, allocated=[1])


@pytest.mark.parametrize("as_name", ["eth0", "net9"])
def test_a_vf_comes_back_from_a_namespace_that_dies(node, as_name):
    """A name that is free in the host namespace is kept; eth0 is not free there: the kernel makes
    up another."""
    assert "eth0" in node.names() and node.vf_netdev(PF, 1) != "eth0"
    into_namespace(node, 1, as_name=as_name)
    compare(node, PF, allocated=[1])
    node.run("ip", "netns", "del", "pod")
    settle(node, allocated=[])
    back = node.vf_netdev(PF, 1)
    assert back == as_name if as_name == "net9" else back.startswith("dev")


def test_a_vf_bound_to_vfio_is_allocated(node):
    bind_vfio(node, 2)
    compare(node, PF, allocated=[2])


def test_a_vf_without_a_driver_is_allocated(node):
    node.sh('echo "$1" >"/sys/bus/pci/devices/$1/driver/unbind"', node.vf_pci(PF, 0))
    compare(node, PF, allocated=[0])


def test_several_vfs_in_several_states(node):
    into_namespace(node, 0, "pod-a")
    into_namespace(node, 1, "pod-b")
    bind_vfio(node, 2)
    compare(node, PF, allocated=[0, 1, 2])


def link_up(node):
    pfs = json.loads(node.fetch("/v1/node").stdout)["pfs"]
    return {p["name"]: p["link_up"] for p in pfs}[PF]


def test_a_pf_taken_down_keeps_its_capacity(node):
    compare(node, PF, capacity=1000)
    node.run("ip", "link", "set", PF, "down")
    node.wait(lambda: link_up(node) is False, "rdma-ds sees the link down")
    compare(node, PF, capacity=1000)


def test_a_pf_whose_cable_is_pulled_keeps_its_capacity(node):
    compare(node, PF, capacity=1000)
    node.lab.call("cable", node.name, "0", "off")
    try:
        node.wait(lambda: link_up(node) is False, "rdma-ds sees the link down")
        compare(node, PF, capacity=1000)
    finally:
        node.lab.call("cable", node.name, "0", "on")


def test_capacity_from_the_node_configuration(node1):
    node1.init("--pf", PF, "--num-vfs", "2")
    node1.write("/etc/ferrule/node.json",
                json.dumps({"pfs": [{"name": PF, "capacityMbps": 40000}]}))
    node1.serve()
    compare(node1, PF, capacity=40000)


def test_a_pf_that_vanishes_and_comes_back_is_followed(node):
    pci = node.pci(PF)
    node.sh('echo 1 >"/sys/bus/pci/devices/$1/remove"', pci)
    node.wait(lambda: node.getpfs() == [], "the PF has left the list")
    node.sh("echo 1 >/sys/bus/pci/rescan")
    node.wait(lambda: PF in node.names(), "the PF is back")
    node.init("--pf", PF, "--num-vfs", "2")
    node.wait(lambda: "LOWER_UP" in node.link(PF)["flags"], "link up")
    settle(node)


def test_vfs_that_vanish_and_come_back_are_followed(node):
    node.init("--pf", PF, "--num-vfs", "5")
    settle(node)
    node.sh('echo 0 >"/sys/class/net/$1/device/sriov_numvfs"', PF)
    node.wait(lambda: node.getpfs() == [], "no PF has VFs")


def test_the_answer_is_the_same_inside_and_outside(node):
    inside = node.run("curl", "-sS", "--fail", "http://127.0.0.1:54005/getpfs").stdout
    assert json.loads(inside) == node.getpfs()


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/metrics", "/v1/node"])
def test_the_other_pages_answer(node, path):
    assert node.fetch(path).stdout.strip()


def test_the_node_page_knows_the_hardware(node):
    into_namespace(node, 1)
    bind_vfio(node, 2)
    page = json.loads(node.fetch("/v1/node").stdout)
    assert page["hostname"] == node.name
    pf = {p["name"]: p for p in page["pfs"]}[PF]
    numa = int(node.text("cat", f"/sys/class/net/{PF}/device/numa_node"))
    want = {"pci": node.pci(PF), "driver": "igb", "rdma_device": None, "admin_up": True,
            "numa_node": None if numa < 0 else numa,
            "link_up": True, "speed_mbps": 1000, "mac": node.link(PF)["address"],
            "total_vfs": 7, "num_vfs": 3, "used_vfs": 2, "free_vfs": 1, "problem": None}
    assert {k: pf[k] for k in want} == want
    assert pf["supports"]["min_tx_rate"] == "no" and pf["supports"]["max_tx_rate"] == "yes"
    fields = ("pci", "netdev", "driver", "state", "in_use")
    assert [tuple(vf[k] for k in fields) for vf in pf["vfs"]] == [
        (node.vf_pci(PF, 0), node.vf_netdev(PF, 0), "igbvf", "free", False),
        (node.vf_pci(PF, 1), None, "igbvf", "away", True),
        (node.vf_pci(PF, 2), None, "vfio-pci", "vfio", True)]


def test_an_rdma_device_is_named(node):
    node.sh("modprobe rdma_rxe; rdma link add rxe0 type rxe netdev $1", PF)
    node.wait(lambda: {p["name"]: p["rdma_device"] for p in json.loads(
        node.fetch("/v1/node").stdout)["pfs"]}[PF] == "rxe0", "rxe0 at the PF")


def samples(node):
    """The page /metrics as a dictionary; every line must be a comment or a sample."""
    found = {}
    for line in node.fetch("/metrics").stdout.decode().splitlines():
        if line and not line.startswith("#"):
            assert re.fullmatch(r'[a-zA-Z_:][\w:]*(\{[^}]*\})? \S+', line), line
            name, _, value = line.rpartition(" ")
            assert name not in found, f"{name} twice"
            found[name] = float(value)
    return found


def test_metrics_count_vfs_by_state(node):
    into_namespace(node, 1)
    bind_vfio(node, 2)
    found = samples(node)
    states = {k.split('state="')[1].split('"')[0]: v for k, v in found.items()
              if k.startswith(f'ferrule_vfs{{pf="{PF}"')}
    assert {k: v for k, v in states.items() if v} == {"free": 1, "away": 1, "vfio": 1}
    assert found[f'ferrule_pf_used_vfs{{pf="{PF}"}}'] == 2
    assert found[f'ferrule_pf_total_vfs{{pf="{PF}"}}'] == 7
    assert found[f'ferrule_pf_capacity_mbps{{pf="{PF}"}}'] == 1000


def test_an_unknown_page_is_404(node):
    done = node.fetch("/getpfss", check=False)
    assert done.returncode != 0
    assert b"404" in done.stderr


def test_it_holds_no_privilege(node):
    pid = node.text("cat", "/tmp/serve.pid").strip()
    status = node.text("cat", f"/proc/{pid}/status")
    assert re.search(r"^Uid:\s65534\s65534\s65534\s65534$", status, re.M)
    assert re.findall(r"^Cap(?:Prm|Eff|Bnd):\s(\d+)$", status, re.M) == ["0" * 16] * 3
    compare(node, PF)


def test_a_read_only_root_is_enough(node1):
    node1.init("--pf", PF, "--num-vfs", "2")
    node1.serve(prefix=[
        "unshare", "-m", "sh", "-ec",
        "mount --rbind / /mnt; mount -o remount,bind,ro /mnt; exec chroot /mnt \"$@\"", "sh",
        *AS_NOBODY])
    node1.wait(lambda: "LOWER_UP" in node1.link(PF)["flags"], "link up")
    compare(node1, PF)


def test_sigterm_ends_it_with_status_0(node1):
    done = node1.sh("""rdma-ds serve >/tmp/serve.log 2>&1 </dev/null & pid=$!
        i=0
        until curl -sS --fail -o /dev/null http://127.0.0.1:54005/healthz 2>/dev/null; do
            i=$((i + 1)); [ $i -lt 100 ]; sleep 0.1
        done
        kill -TERM $pid; wait $pid; echo "status $?" """, timeout=60)
    assert done.stdout == b"status 0\n"


def one_line(done, status, *words):
    assert done.returncode == status
    lines = done.stderr.decode().strip().splitlines()
    assert len(lines) == 1
    for word in words:
        assert word in lines[0]


def test_a_port_in_use_is_said_in_one_line(node):
    one_line(node.run("rdma-ds", "serve", check=False, timeout=20), 111, "54005")


def test_the_port_can_be_chosen(node1):
    node1.init("--pf", PF, "--num-vfs", "1")
    node1.serve("--listen", "0.0.0.0:8099", port="8099")
    assert node1.fetch("/getpfs", "8099").stdout
    assert node1.fetch("/getpfs", check=False).returncode != 0


def test_the_port_can_come_from_the_environment(node1):
    node1.init("--pf", PF, "--num-vfs", "1")
    node1.serve(prefix=["env", "PORT=8100"], port="8100")
    assert node1.fetch("/getpfs", "8100").stdout


@pytest.mark.parametrize("argv, word", [
    (["--listen", "nonsense"], "nonsense"),
    (["--listen", "10.77.0.11:70000"], "70000"),
    (["--listen", ":0x50"], "0x50"),
    (["--listen"], "--listen"),
    (["--max-age-ms", "-1"], "-1"),
    (["--max-age-ms", "soon"], "soon"),
    (["--frobnicate"], "--frobnicate"),
    (["stray"], "stray"),
])
def test_bad_options(node1, argv, word):
    one_line(node1.run("rdma-ds", "serve", *argv, check=False, timeout=20), 100, word)


@pytest.mark.parametrize("text, words", [
    ('{"noSuchKey": 1}', ["noSuchKey"]),
    ('{"pfs": [{"name": "enp1s0f0", "capacityMbps": -1}]}', ["capacityMbps"]),
    ('{"pfs": [{"name": "enp1s0f0", "capacityMbps": "fast"}]}', ["capacityMbps"]),
    ('{"pfs": [}', []),
    ("", []),
])
def test_a_wrong_configuration_names_file_key_and_place(node1, text, words):
    node1.write("/etc/ferrule/node.json", text)
    one_line(node1.run("rdma-ds", "serve", check=False, timeout=20), 100,
             "/etc/ferrule/node.json", *words)


def test_a_bad_port_in_the_environment(node1):
    one_line(node1.run("env", "PORT=http", "rdma-ds", "serve", check=False, timeout=20), 100,
             "PORT", "http")
