# SPDX-License-Identifier: MIT
"""rdma-ds init, the static program, against a fake sysfs. Real VFs are in test/lab."""
import fcntl
import json
import os
import shutil
import signal
import stat
import subprocess

import pytest

from fakenode import RDMA_DS, FakeNode

PF = "enp4s0f0"
BDF = "0000:04:00.0"


@pytest.fixture
def node():
    n = FakeNode()
    yield n
    n.close()


def init(node, *args, **kw):
    return node.run([RDMA_DS, "init", "--sysfs", node.sysfs, "--state-dir", node.state, *args],
                    **kw)


def num_vfs(node, bdf=BDF):
    with open(f"{node.sysfs}/bus/pci/devices/{bdf}/sriov_numvfs", encoding="ascii") as f:
        return int(f.read())


def rdma(node, bdf=BDF, name="mlx5_0"):
    os.makedirs(f"{node.sysfs}/bus/pci/devices/{bdf}/infiniband/{name}")


def refused(done, status, *words):
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) <= 3
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize("argv, word", [
    (["--pf"], "--pf needs a value: NAME"),
    (["--pf", ""], "--pf: the value is empty"),
    (["--num-vfs", "-1"], "--num-vfs: '-1' is neither 'max' nor a number from 0 to 2048"),
    (["--num-vfs", "2049"], "'2049'"),
    (["--num-vfs", "Max"], "'Max'"),
    (["--num-vfs", "3 "], "'3 '"),
    (["--num-vfs", "1", "--num-vfs", "1"], "--num-vfs is given twice"),
    (["--trust", "ON"], "--trust: 'ON' is neither 'on' nor 'off'"),
    (["--spoofchk", "true"], "--spoofchk: 'true'"),
    (["--timeout", "0"], "--timeout: '0' is not a number from 1 to 3600"),
    (["--timeout", "3601"], "'3601'"),
    (["--speed-owner", "root"], "--speed-owner: 'root'"),
    (["--require=yes"], "--require takes no value"),
    (["--log-level", "loud"], "--log-level: 'loud'"),
    (["--state-dir=relative"], "--state-dir"),
    (["--bogus"], "unknown option --bogus"),
    (["-h"], "unknown option -h"),
    (["more"], "unexpected argument 'more'"),
])
def test_usage(node, argv, word):
    node.add_pf(PF, vfs=0)
    done = node.run([RDMA_DS, "init", "--sysfs", node.sysfs, *argv])
    refused(done, 100, word)
    assert num_vfs(node) == 0


def test_help(node):
    done = init(node, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    for option in ("--pf NAME", "--num-vfs N|max", "--timeout S", "--require"):
        assert option in done.stdout


def test_a_path_that_is_too_long(node):
    done = node.run([RDMA_DS, "init", "--state-dir", "/" + "x" * 130])
    refused(done, 100, "not an absolute path of under 128 bytes")


def test_check_config(node):
    node.add_pf(PF, vfs=0)
    conf = os.path.join(node.dir, "node.json")
    done = init(node, "--pf", PF, "--check-config")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with open(conf, "w", encoding="ascii") as f:
        f.write('{"vf": {"trusted": true}}')
    refused(init(node, "--check-config", "--config", conf), 100, conf, "trusted")
    refused(init(node, "--check-config", "--num-vfs", "x"), 100, "'x' is neither 'max' nor")
    assert num_vfs(node) == 0
    assert os.listdir(node.state) == ["attachments"]


def test_without_hardware_the_state_directory_is_not_touched(node):
    done = node.run([RDMA_DS, "init", "--sysfs", node.sysfs, "--state-dir", "/proc/no/such"])
    assert done.returncode == 0
    assert "no SR-IOV capable network device on this node: nothing to do" in done.stderr
    assert init(node).returncode == 0
    assert os.listdir(node.state) == ["attachments"]
    os.rmdir(os.path.join(node.sysfs, "class/net"))
    refused(init(node), 111, "class/net")


def test_no_hardware(node):
    done = init(node)
    assert done.returncode == 0
    assert "warning: no SR-IOV capable network device on this node" in done.stderr
    refused(init(node, "--require"), 111, "error: no SR-IOV capable network device")


def test_no_rdma_device(node):
    node.add_pf(PF, vfs=0)
    done = init(node)
    assert done.returncode == 0
    assert "1 SR-IOV capable PFs, none with an RDMA device (--all-sriov" in done.stderr
    refused(init(node, "--require"), 111, "--all-sriov")
    assert num_vfs(node) == 0


def test_no_sysfs(node):
    done = node.run([RDMA_DS, "init", "--state-dir", node.state, "--sysfs", "/nonexistent"])
    refused(done, 111, "/nonexistent")


def test_makes_the_vfs_of_pfs_with_rdma(node):
    node.add_pf(PF, vfs=0)
    node.add_pf("enp5s0f0", bdf="0000:05:00.0", vfs=0)
    rdma(node)
    for i in range(7):
        node.add_vf(PF, BDF, i)
    done = init(node)
    assert done.returncode == 0, done.stderr
    assert f"{PF}: 7 VFs made" in done.stderr
    # A veth has no VFs that its driver could describe, which is said once.
    assert done.stderr.count("driver igb does not describe its VFs") == 1
    assert num_vfs(node) == 7
    assert num_vfs(node, "0000:05:00.0") == 0


def test_vfs_without_interface(node):
    node.add_pf(PF, vfs=0)
    for i in range(2):
        node.add_vf(PF, BDF, i, netdev=False, driver="igbvf" if i else None)
    done = init(node, "--pf", PF, "--num-vfs", "2", "--timeout", "1")
    assert done.returncode == 111
    assert "VF 0 (0000:04:10.0): bound to no driver: is the kernel module igbvf" in done.stderr
    assert "VF 1 (0000:04:10.1): its driver igbvf has made no interface" in done.stderr
    assert "2 of 2 VFs have no interface after 1 s" in done.stderr
    # A restart must not make a success of it: VF 0 is still of no use to anybody.
    done = init(node, "--pf", PF, "--num-vfs", "2", "--timeout", "1")
    assert done.returncode == 111
    assert "VF 0 (0000:04:10.0): bound to no driver: is the kernel module igbvf" in done.stderr
    assert f"{PF}: 2 VFs, 1 in use and left alone, 1 failed" in done.stderr


@pytest.mark.parametrize("name, status, why", [
    ("nosuch", 111, "nosuch: no such network interface"),
    ("..", 111, "no such network interface"),
    ("lo", 100, "lo: not SR-IOV capable"),
    (PF + "v0", 100, "is a virtual function"),
    ("rep0", 100, "is a representor"),
])
def test_names_that_are_no_pf(node, name, status, why):
    node.add_pf(PF)
    os.makedirs(f"{node.sysfs}/class/net/lo")
    for n, bdf in ((PF + "v0", node.vf_bdf(BDF, 0)), ("rep0", BDF)):
        node.link(f"class/net/{n}/device", "../../../bus/pci/devices/" + bdf)
    node.write("class/net/rep0/phys_port_name", "pf0vf0\n")
    refused(init(node, "--pf", PF, "--pf", name, "--num-vfs", "3"), status, why)
    assert num_vfs(node) == 2  # not even the good one is touched


def test_too_many(node):
    node.add_pf(PF)
    refused(init(node, "--pf", PF, "--num-vfs", "8"), 100,
            f"{PF}: 8 VFs are asked for, the device can have 7")
    assert num_vfs(node) == 2


def test_too_many_for_one_leaves_the_others_alone(node):
    node.add_pf(PF, vfs=0)
    node.add_pf("enp5s0f0", bdf="0000:05:00.0", vfs=0, total=3)
    why = "enp5s0f0: 5 VFs are asked for, the device can have 3"
    refused(init(node, "--all-sriov", "--num-vfs", "5"), 100, why)
    refused(init(node, "--pf", PF, "--pf", "enp5s0f0", "--num-vfs", "5"), 100, why)
    conf = os.path.join(node.dir, "node.json")
    with open(conf, "w", encoding="ascii") as f:
        json.dump({"pfs": [{"name": PF}, {"name": "enp5s0f0", "numVfs": 5}]}, f)
    refused(init(node, "--all-sriov", "--config", conf), 100, why)
    assert (num_vfs(node), num_vfs(node, "0000:05:00.0")) == (0, 0)


def test_the_configuration_restricts(node):
    node.add_pf(PF, vfs=0)
    conf = os.path.join(node.dir, "node.json")

    def write(value):
        with open(conf, "w", encoding="utf-8") as f:
            json.dump(value, f)

    write({"pfs": [{"name": "other"}]})
    refused(init(node, "--config", conf, "--pf", PF), 100, PF, "configuration")
    done = init(node, "--config", conf, "--all-sriov")
    assert done.returncode == 0
    assert 'none of them in "pfs"' in done.stderr
    write({"pfs": [{"name": PF, "numVfs": 3}]})
    for i in range(5):
        node.add_vf(PF, BDF, i)
    assert init(node, "--config", conf, "--all-sriov").returncode == 0
    assert num_vfs(node) == 3
    assert init(node, "--config", conf, "--all-sriov", "--num-vfs", "5").returncode == 0
    assert num_vfs(node) == 5
    # Without a number those that are there are kept; "max" is a number.
    write({"pfs": [{"name": PF}]})
    done = init(node, "--config", conf, "--all-sriov")
    assert f"{PF}: keeps its 5 VFs; the device can have 7 (--num-vfs max)" in done.stderr
    assert num_vfs(node) == 5
    for i in range(7):
        node.add_vf(PF, BDF, i)
    write({"pfs": [{"name": PF, "numVfs": "max"}]})
    assert init(node, "--config", conf, "--all-sriov").returncode == 0
    assert num_vfs(node) == 7
    write({"pfs": [{"name": PF, "numVFs": 3}]})
    refused(init(node, "--config", conf), 100, "numVFs", conf)


def test_vfs_in_use_keep_their_pf_as_it_is(node):
    node.add_pf(PF, vfs=0)
    node.add_vf(PF, BDF, 0)
    node.add_vf(PF, BDF, 1, netdev=False)
    node.add_vf(PF, BDF, 2, netdev=False, driver="vfio-pci")
    node.write(f"bus/pci/devices/{BDF}/sriov_numvfs", "3\n")
    node.add_vf(PF, BDF, 3, netdev=False, driver=None)
    node.write(f"bus/pci/devices/{BDF}/sriov_numvfs", "4\n")
    node.record("c0ffee:eth0.json", pf=PF, vf=0)
    done = init(node, "--pf", PF, "--num-vfs", "5")
    assert "VF 3 is in use: bound to no driver" in done.stderr
    assert f"{PF}: keeps its 4 VFs (5 asked for): 4 of them in use" in done.stderr
    node.write(f"bus/pci/devices/{BDF}/sriov_numvfs", "3\n")
    done = init(node, "--pf", PF, "--num-vfs", "4")
    assert done.returncode == 111
    assert "VF 0 is in use: held by pod ml/train-0, container c0ffee" in done.stderr
    assert "VF 1 is in use: its interface is in another network namespace" in done.stderr
    assert "VF 2 is in use: bound to vfio-pci" in done.stderr
    assert f"1 of 1 PFs failed: {PF}" in done.stderr
    assert num_vfs(node) == 3
    done = init(node, "--pf", PF, "--num-vfs", "3")
    assert done.returncode == 0, done.stderr


def test_one_pf_that_fails_does_not_stop_the_others(node):
    node.add_pf(PF, vfs=1)
    node.add_pf("enp5s0f0", bdf="0000:05:00.0", vfs=0)
    node.record("c0ffee:eth0.json", pf=PF, vf=0)
    node.add_vf("enp5s0f0", "0000:05:00.0", 0)
    node.add_vf("enp5s0f0", "0000:05:00.0", 1)
    done = init(node, "--all-sriov", "--num-vfs", "2")
    assert done.returncode == 111
    assert f"1 of 2 PFs failed: {PF}" in done.stderr
    assert (num_vfs(node), num_vfs(node, "0000:05:00.0")) == (1, 2)


def test_a_damaged_record_protects_all_vfs(node):
    node.add_pf(PF)
    path = node.record("c0ffee:eth0.json")
    with open(path, "w", encoding="ascii") as f:
        f.write("{")
    refused(init(node, "--pf", PF, "--num-vfs", "3"), 111, "c0ffee:eth0.json",
            "keeps its 2 VFs (3 asked for)")
    assert num_vfs(node) == 2


def test_the_state_directory(node):
    node.add_pf(PF, vfs=0)
    state = os.path.join(node.dir, "new")
    argv = [RDMA_DS, "init", "--sysfs", node.sysfs, "--state-dir", state, "--speed-owner", "12345",
            "--all-sriov", "--num-vfs", "0"]
    assert node.run(argv).returncode == 0
    for name in ("", "attachments", "speed", "made"):
        assert stat.S_IMODE(os.stat(os.path.join(state, name)).st_mode) == 0o755
    assert os.stat(os.path.join(state, "speed")).st_uid == 12345
    assert os.stat(os.path.join(state, "attachments")).st_uid == os.getuid()
    shutil.rmtree(os.path.join(state, "speed"))
    with open(os.path.join(state, "speed"), "w", encoding="ascii"):
        pass
    refused(node.run(argv), 111, "speed: Not a directory")
    argv[argv.index(state)] = os.path.join(node.dir, "no/such")
    refused(node.run(argv), 111, "no/such: No such file or directory")


def held_by_4242(node, name):
    """The lock of that name in the state directory, held; closing it gives it back."""
    lock = open(os.path.join(node.state, name), "w", encoding="ascii")
    fcntl.flock(lock, fcntl.LOCK_EX)
    lock.write("4242\n")
    lock.flush()
    return lock


def test_another_init_is_waited_for_and_named(node):
    node.add_pf(PF, vfs=0)
    with held_by_4242(node, "init.lock"):
        done = init(node, "--all-sriov", "--num-vfs", "0", "--timeout", "1")
        refused(done, 111, "another rdma-ds init (process 4242) is at work")
        assert done.stderr.count(": waiting") == 1
    assert init(node, "--all-sriov", "--num-vfs", "0").returncode == 0


def test_nobody_reads_sriov_numvfs_without_the_lock(node):
    """Reading it blocks while another process writes it."""
    node.add_pf(PF, vfs=0)
    path = os.path.join(node.sysfs, "bus/pci/devices", BDF, "sriov_numvfs")
    os.unlink(path)
    os.mkfifo(path)
    with held_by_4242(node, "init.lock"):
        for names in (["--pf", PF], ["--all-sriov"]):
            refused(init(node, *names, "--timeout", "1"), 111, "(process 4242) is at work")


def test_two_at_a_time_work_one_after_the_other(node):
    node.add_pf(PF, vfs=0)
    for i in range(5):
        node.add_vf(PF, BDF, i)
    argv = [RDMA_DS, "init", "--sysfs", node.sysfs, "--state-dir", node.state, "--pf", PF,
            "--num-vfs", "5"]
    two = [node.popen(argv, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = "".join(p.communicate(timeout=60)[1] for p in two)
    assert [p.returncode for p in two] == [0, 0], said
    assert said.count("making 5 VFs") == 1
    assert said.count("5 VFs made, 5 not checked") == 1
    assert said.count("5 VFs, 5 not checked") == 1


def test_vfs_are_not_removed_while_somebody_takes_one(node):
    node.add_pf(PF, vfs=1)
    node.add_vf(PF, BDF, 1)
    argv = ["--pf", PF, "--num-vfs", "2", "--timeout", "1"]
    with held_by_4242(node, "lock"):
        refused(init(node, *argv), 111,
                f"{PF}: another program that takes VFs for a pod (process 4242) is at work")
        assert num_vfs(node) == 1
    done = init(node, *argv)
    assert done.returncode == 0, done.stderr
    assert num_vfs(node) == 2


def stopped(process, number):
    process.send_signal(number)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 111, said
    return said.strip().splitlines()[-1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait_for_a_lock(node, number):
    node.add_pf(PF, vfs=0)
    with held_by_4242(node, "init.lock"):
        p = started(node, "(process 4242) is at work: waiting")
        assert "error: " in stopped(p, number)
    assert num_vfs(node) == 0


def test_a_signal_ends_the_wait_for_interfaces(node):
    node.add_pf(PF, vfs=0)
    node.add_vf(PF, BDF, 0, netdev=False)
    p = started(node, f"{PF}: making 1 VFs")
    assert f"{PF}: stopped by a signal" in stopped(p, signal.SIGTERM)


def started(node, until):
    p = node.popen([RDMA_DS, "init", "--sysfs", node.sysfs, "--state-dir", node.state, "--pf", PF,
                    "--num-vfs", "1", "--timeout", "3600"], stderr=subprocess.PIPE, text=True)
    for line in p.stderr:
        if until in line:
            return p
    pytest.fail(f"it ended without saying '{until}'")


def test_without_privilege(node):
    node.add_pf(PF, vfs=0)
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    argv = [*as_nobody, RDMA_DS, "init", "--sysfs", node.sysfs, "--pf", PF, "--state-dir"]
    refused(node.run([*argv, node.state]), 111, "Permission denied")
    state = os.path.join(node.dir, "theirs")
    os.mkdir(state)
    os.chown(state, 65534, 65534)
    done = node.run([*argv, state])
    assert done.returncode == 111
    assert "sriov_numvfs" in done.stderr and "Permission denied" in done.stderr
    assert num_vfs(node) == 0


def test_remembered_pfs_are_forgotten(node):
    """rdma-cni remembers which PFs there are: init is run when there is a new one."""
    node.add_pf(PF, vfs=2)
    remembered = os.path.join(node.state, "pfs")
    with open(remembered, "w", encoding="ascii") as f:
        f.write(f"{PF} {BDF}\n")
    assert init(node, "--pf", PF, "--num-vfs", "2").returncode in (0, 111)
    assert not os.path.exists(remembered)
