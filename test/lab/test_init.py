# SPDX-License-Identifier: MIT
"""rdma-ds init on the kernel's own PFs."""

import json

import pytest

from labtool import AS_NOBODY

pytestmark = pytest.mark.usefixtures("rdma_ds")

PF = "enp1s0f0"
OTHER = "enp1s0f1"


def num_vfs(node, pf=PF):
    return int(node.text("cat", f"/sys/class/net/{pf}/device/sriov_numvfs"))


def vf_infos(node, pf=PF):
    return {i["vf"]: i for i in node.link(pf).get("vfinfo_list", [])}


def said(done):
    return (done.stdout + done.stderr).decode()


def into_namespace(node, index, name="pod", as_name="eth0"):
    """Moves a VF's netdev into a new namespace, under the name that a pod gives it."""
    netdev = node.vf_netdev(PF, index)
    node.sh('ip netns add $2; ip link set "$1" netns $2; ip -n $2 link set "$1" name $3',
            netdev, name, as_name)


def refused(done, *words, status=(100, 111)):
    """A refusal says why, in a line or two, with all these words."""
    assert done.returncode in status
    for word in words:
        assert word in said(done)
    assert len(done.stderr.decode().strip().splitlines()) <= 3


def test_brings_up_all_vfs_of_the_pfs_with_an_rdma_device(node1):
    node1.sh("modprobe rdma_rxe; rdma link add rxe0 type rxe netdev $1", PF)
    node1.init()
    assert (num_vfs(node1), num_vfs(node1, OTHER)) == (7, 0)


def test_without_an_rdma_device_nothing_is_touched(node1):
    words = "2 SR-IOV capable PFs, none with an RDMA device (--all-sriov"
    assert words in said(node1.init())
    assert (num_vfs(node1), num_vfs(node1, OTHER)) == (0, 0)
    refused(node1.init("--require", check=False), words, status=(111,))
    assert (num_vfs(node1), num_vfs(node1, OTHER)) == (0, 0)


def test_all_sriov_takes_every_pf(node1):
    node1.init("--all-sriov")
    assert (num_vfs(node1), num_vfs(node1, OTHER)) == (7, 7)


def test_no_hardware_is_a_warning_and_an_error_if_required(node1):
    for pf in (PF, OTHER):
        node1.sh('echo 1 >"/sys/bus/pci/devices/$1/remove"', node1.pci(pf))
    words = "no SR-IOV capable network device on this node"
    done = node1.init("--all-sriov")
    assert done.returncode == 0
    assert f"{words}: nothing to do" in said(done)
    node1.run("test", "!", "-e", "/run/ferrule/init.lock")
    refused(node1.init("--all-sriov", "--require", check=False), words, status=(111,))


def test_each_vf_is_configured(node1):
    node1.init("--pf", PF, "--num-vfs", "4")
    assert (num_vfs(node1), num_vfs(node1, OTHER)) == (4, 0)
    assert "UP" in node1.link(PF)["flags"]
    infos = vf_infos(node1)
    assert sorted(infos) == [0, 1, 2, 3]
    macs = {i["address"] for i in infos.values()}
    assert len(macs) == 4 and "00:00:00:00:00:00" not in macs
    for index, info in infos.items():
        assert info["trust"] is True
        assert info["spoofchk"] is False
        assert node1.link(node1.vf_netdev(PF, index))["address"] == info["address"]


def test_settings_can_be_chosen(node1):
    node1.init("--pf", PF, "--num-vfs", "2", "--trust", "off", "--spoofchk", "on")
    assert [(i["trust"], i["spoofchk"]) for i in vf_infos(node1).values()] == [(False, True)] * 2


def test_max_is_all_the_device_has(node1):
    node1.init("--pf", PF, "--num-vfs", "max")
    assert num_vfs(node1) == 7


def test_twice_is_once(node1):
    node1.init("--pf", PF, "--num-vfs", "4")
    before = node1.json("ip", "-j", "-d", "link")
    node1.init("--pf", PF, "--num-vfs", "4")
    after = node1.json("ip", "-j", "-d", "link")

    def lasting(links):
        return {i["ifname"]: (i["ifindex"], i["address"], i.get("vfinfo_list")) for i in links}

    assert lasting(before) == lasting(after)


def test_a_mac_that_differs_is_brought_together_again(node1):
    node1.init("--pf", PF, "--num-vfs", "2")
    node1.run("ip", "link", "set", PF, "vf", "1", "mac", "02:00:00:00:00:77")
    node1.init("--pf", PF)
    assert node1.link(node1.vf_netdev(PF, 1))["address"] == vf_infos(node1)[1]["address"]


def test_vfs_already_there_are_kept_by_default(node1):
    node1.sh('echo 3 >"/sys/class/net/$1/device/sriov_numvfs"', PF)
    before = [node1.link(node1.vf_netdev(PF, i))["ifindex"] for i in range(3)]
    node1.init("--pf", PF)
    assert num_vfs(node1) == 3
    assert [node1.link(node1.vf_netdev(PF, i))["ifindex"] for i in range(3)] == before
    assert all(i["trust"] for i in vf_infos(node1).values())


def test_another_number_when_none_is_in_use(node1):
    node1.init("--pf", PF, "--num-vfs", "3")
    node1.init("--pf", PF, "--num-vfs", "5")
    assert sorted(vf_infos(node1)) == [0, 1, 2, 3, 4]


def test_another_number_is_refused_while_a_vf_is_in_a_namespace(node1):
    node1.init("--pf", PF, "--num-vfs", "3")
    into_namespace(node1, 1)
    done = node1.init("--pf", PF, "--num-vfs", "5", check=False)
    refused(done, f"{PF}: VF 1 is in use: its interface is in another network namespace",
            status=(111,))
    assert num_vfs(node1) == 3
    assert node1.link("eth0", netns="pod")


def test_a_vf_in_a_namespace_is_not_touched(node1):
    node1.init("--pf", PF, "--num-vfs", "3")
    into_namespace(node1, 1)
    node1.sh("ip link set $1 vf 1 mac 02:00:00:00:00:11 trust off spoofchk on vlan 44", PF)
    node1.sh("ip link set $1 vf 2 trust off spoofchk on", PF)
    before = vf_infos(node1)[1]
    mac = node1.link("eth0", netns="pod")["address"]
    node1.init("--pf", PF, "--num-vfs", "3")
    assert vf_infos(node1)[1] == before
    assert node1.link("eth0", netns="pod")["address"] == mac
    assert (vf_infos(node1)[2]["trust"], vf_infos(node1)[2]["spoofchk"]) == (True, False)


def test_a_vf_bound_to_vfio_is_not_touched(node1):
    node1.init("--pf", PF, "--num-vfs", "3")
    bind_vfio(node1, 2)
    node1.sh("ip link set $1 vf 2 trust off spoofchk on", PF)
    before = vf_infos(node1)[2]
    node1.init("--pf", PF, "--num-vfs", "3")
    assert vf_infos(node1)[2] == before
    done = node1.init("--pf", PF, "--num-vfs", "4", check=False)
    refused(done, f"{PF}: VF 2 is in use: bound to vfio-pci", status=(111,))
    assert num_vfs(node1) == 3


def bind_vfio(node, index):
    node.sh("""modprobe vfio-pci
        echo vfio-pci >"/sys/bus/pci/devices/$1/driver_override"
        echo "$1" >"/sys/bus/pci/devices/$1/driver/unbind"
        echo "$1" >/sys/bus/pci/drivers/vfio-pci/bind""", node.vf_pci(PF, index))


@pytest.mark.parametrize("name, why", [
    ("enp9s0f0", "no such network interface"),
    ("lo", "not SR-IOV capable"),
    ("mgmt0", "not SR-IOV capable"),
    ("a-name-of-more-than-15", "no such network interface"),
    ("../../class", "no such network interface"),
    (".", "no such network interface"),
])
def test_names_that_are_no_pf(node1, name, why):
    refused(node1.init("--pf", name, check=False), f"error: {name}: {why}")
    assert (num_vfs(node1), num_vfs(node1, OTHER)) == (0, 0)


def test_a_vf_is_no_pf(node1):
    node1.init("--pf", PF, "--num-vfs", "1")
    name = node1.vf_netdev(PF, 0)
    refused(node1.init("--pf", name, check=False), f"{name}: is a virtual function",
            status=(100,))
    assert num_vfs(node1) == 1


def test_an_empty_name(node1):
    refused(node1.init("--pf", "", check=False), "--pf: the value is empty", status=(100,))


def test_too_many_vfs(node1):
    refused(node1.init("--pf", PF, "--num-vfs", "8", check=False),
            f"{PF}: 8 VFs are asked for, the device can have 7", status=(100,))
    assert num_vfs(node1) == 0


@pytest.mark.parametrize("argv, word", [
    (["--num-vfs", "-1"], "-1"),
    (["--num-vfs", "many"], "many"),
    (["--num-vfs", "7x"], "7x"),
    (["--num-vfs", "99999999999"], "99999999999"),
    (["--num-vfs"], "--num-vfs"),
    (["--trust", "yes"], "yes"),
    (["--spoofchk", "1"], "1"),
    (["--timeout", "0x10"], "0x10"),
    (["--timeout", "-5"], "-5"),
    (["--no-such-option"], "--no-such-option"),
    (["stray"], "stray"),
])
def test_bad_options(node1, argv, word):
    refused(node1.init("--pf", PF, *argv, check=False), word, status=(100,))
    assert num_vfs(node1) == 0


def test_a_configuration_file_that_is_wrong_is_named_with_the_key(node1):
    node1.write("/etc/ferrule/node.json", '{"noSuchKey": 1}')
    refused(node1.init("--pf", PF, check=False), "/etc/ferrule/node.json", "noSuchKey",
            status=(100,))
    refused(node1.init("--pf", PF, "--config", "/tmp/none.json", check=False), "/tmp/none.json",
            "No such file", status=(100,))
    assert num_vfs(node1) == 0


def test_vfs_whose_driver_is_missing_end_the_wait(node1):
    node1.sh("rmmod igbvf; mv /lib/modules/*/igbvf.ko /igbvf.ko")
    try:
        done = node1.init("--pf", PF, "--num-vfs", "2", "--timeout", "15", check=False)
        assert done.returncode == 111
        assert f"{PF}: VF 0 (0000:01:10.0): bound to no driver" in said(done)
        assert "is the kernel module igbvf loaded?" in said(done)
        done = node1.init("--pf", PF, "--num-vfs", "2", "--timeout", "15", check=False)
        assert done.returncode == 111, "a restart must not make a success of it"
        assert f"{PF}: VF 1 (0000:01:10.2): bound to no driver" in said(done)
    finally:
        node1.sh("mv /igbvf.ko /lib/modules/$(uname -r)/; modprobe igbvf")
    node1.init("--pf", PF, "--num-vfs", "1")
    assert vf_infos(node1)[0]["trust"] is True


def test_vfs_that_shall_have_no_driver_are_not_waited_for(node1):
    node1.sh('echo 0 >"/sys/class/net/$1/device/sriov_drivers_autoprobe"', PF)
    try:
        done = node1.init("--pf", PF, "--num-vfs", "2", "--timeout", "3600")
        assert f"{PF}: sriov_drivers_autoprobe is 0" in said(done)
        assert num_vfs(node1) == 2
    finally:
        node1.sh('echo 1 >"/sys/class/net/$1/device/sriov_drivers_autoprobe"', PF)


def test_a_run_that_changes_nothing_says_so(node1):
    assert f"{PF}: 3 VFs made, 3 set up" in said(node1.init("--pf", PF, "--num-vfs", "3"))
    assert f"{PF}: 3 VFs, all as they should be" in said(node1.init("--pf", PF, "--num-vfs", "3"))


def test_one_pf_that_fails_does_not_stop_the_others(node1):
    node1.init("--pf", PF, "--num-vfs", "2")
    into_namespace(node1, 0)
    done = node1.init("--pf", PF, "--pf", OTHER, "--num-vfs", "3", check=False)
    assert done.returncode == 111
    assert f"1 of 2 PFs failed: {PF}" in said(done)
    assert (num_vfs(node1), num_vfs(node1, OTHER)) == (2, 3)


def test_a_vf_that_was_destroyed_with_its_namespace_is_set_up_again(node1):
    node1.init("--pf", PF, "--num-vfs", "2")
    into_namespace(node1, 1)
    node1.sh("ip link set $1 vf 1 trust off; ip -n pod link set eth0 down; ip netns del pod", PF)
    node1.wait(lambda: node1.vf_netdev(PF, 1), "the VF is back")
    node1.init("--pf", PF)
    assert vf_infos(node1)[1]["trust"] is True
    assert node1.link(node1.vf_netdev(PF, 1))["address"] == vf_infos(node1)[1]["address"]


RECORD = {"version": 1, "containerId": "c0ffee", "ifname": "eth0", "phase": "attached",
          "pod": {"namespace": "default", "name": "web-0"}, "pf": PF, "vf": 1,
          "minTxRate": 0, "maxTxRate": 0}


def record(node, name="c0ffee:eth0.json", text=None):
    node.write(f"/run/ferrule/attachments/{name}", text or json.dumps(RECORD))


def test_a_vf_in_the_ledger_is_not_touched(node1):
    node1.init("--pf", PF, "--num-vfs", "2")
    node1.sh("ip link set $1 vf 0 trust off; ip link set $1 vf 1 trust off", PF)
    record(node1)
    node1.init("--pf", PF)
    assert [i["trust"] for i in vf_infos(node1).values()] == [True, False]
    refused(node1.init("--pf", PF, "--num-vfs", "3", check=False), "VF 1", "default/web-0",
            status=(111,))
    assert num_vfs(node1) == 2


def test_with_a_damaged_record_nothing_is_removed_or_changed(node1):
    node1.init("--pf", PF, "--num-vfs", "2")
    record(node1, text='{"version": 1, "containerId"')
    refused(node1.init("--pf", PF, "--num-vfs", "3", check=False), "c0ffee:eth0.json",
            status=(111,))
    assert num_vfs(node1) == 2
    node1.init("--pf", PF)
    node1.sh("ip link set $1 vf 0 trust off", PF)
    done = node1.init("--pf", PF, check=False)
    assert done.returncode == 111
    assert "c0ffee:eth0.json" in said(done)
    assert vf_infos(node1)[0]["trust"] is False


def test_the_configuration_says_how_many_which_and_how(node1):
    node1.write("/etc/ferrule/node.json", json.dumps(
        {"pfs": [{"name": PF, "numVfs": 2}], "vf": {"trust": False, "spoofCheck": True}}))
    node1.init("--all-sriov")
    assert (num_vfs(node1), num_vfs(node1, OTHER)) == (2, 0)
    assert [(i["trust"], i["spoofchk"]) for i in vf_infos(node1).values()] == [(False, True)] * 2
    refused(node1.init("--pf", OTHER, check=False), OTHER, "configuration", status=(100,))
    node1.init("--pf", PF, "--num-vfs", "3", "--trust", "on")
    assert [(i["trust"], i["spoofchk"]) for i in vf_infos(node1).values()] == [(True, True)] * 3


def test_two_at_a_time_work_one_after_the_other(node1):
    done = node1.sh("""rdma-ds init --pf "$1" --num-vfs 5 & a=$!
        rdma-ds init --pf "$1" --num-vfs 5 & b=$!
        wait $a; wait $b""", PF)
    assert said(done).count("5 VFs made") == 1
    assert said(done).count("all as they should be") == 1
    assert num_vfs(node1) == 5


def test_the_link_speed_is_kept_for_when_the_link_is_down(node1):
    node1.init("--pf", PF, "--num-vfs", "1")
    node1.wait(lambda: node1.text("cat", f"/sys/class/net/{PF}/carrier").strip() == "1", "link up")
    node1.init("--pf", PF)
    assert node1.text("cat", f"/run/ferrule/speed/{node1.pci(PF)}").strip() == "1000"


def test_without_privilege_it_says_what_it_could_not_do(node1):
    argv = [*AS_NOBODY, "rdma-ds", "init", "--pf", PF]
    refused(node1.run(*argv, check=False), "/run/ferrule", "denied", status=(111,))
    node1.sh("mkdir -m 777 /run/ferrule")
    done = node1.run(*argv, check=False)
    assert done.returncode == 111
    assert f"{PF}/device/sriov_numvfs for writing: Permission denied" in said(done)
    assert num_vfs(node1) == 0
