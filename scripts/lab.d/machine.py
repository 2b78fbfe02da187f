# SPDX-License-Identifier: MIT
"""QEMU: the command line of a node, and whether KVM can be trusted on this machine."""

import json
import os
import socket
import subprocess

from common import HOST_ADDR, LAB, LOG, RUN, LabError, node_addr, node_name, run, say, tool_env, \
    write_atomic

QEMU = "qemu-system-x86_64"
MEMORY_MB = 768
PORTS_A_CARD = 2
PROBE_SECONDS = 10


# QEMU's interpreter loses a processor's one-shot timer event now and then, and with it all timers of
# that processor; a periodic timer outlives it.
KERNEL_ARGS = "console=ttyS0 quiet panic=-1 net.ifnames=0 mitigations=off nohz=off highres=off"


def cpus(nodes):
    """Processors of a node. More than the host has, all in all, make a lab several times slower:
    a guest's processor waits for another one that the host does not let run."""
    return 2 if len(os.sched_getaffinity(0)) >= 2 * nodes else 1


def _base(kernel, initrd, append, accel, smp=1):
    cpu = "host" if accel == "kvm" else "max"
    name = "kvm" if accel == "kvm" else "tcg,thread=multi"
    return [QEMU, "-machine", "q35,kernel-irqchip=split" if accel == "kvm" else "q35",
            "-accel", name, "-cpu", cpu, "-smp", str(smp), "-m", str(MEMORY_MB),
            "-nodefaults", "-display", "none", "-no-reboot", "-no-user-config",
            "-kernel", kernel.image, "-initrd", initrd,
            "-append", f"{KERNEL_ARGS} {append}"]


def check_qemu():
    """Fails unless there is a QEMU with the igb device (8.0 or newer)."""
    if b'"igb"' not in run([QEMU, "-device", "help"]):
        raise LabError(f"{QEMU} has no igb device: version 8.0 or newer is needed "
                       "(run scripts/setup)")


def check_tun():
    """Fails unless this user may make tap devices."""
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        raise LabError("/dev/net/tun cannot be opened for reading and writing: load the module "
                       "tun, and run the lab as root or make the file mode 0666 (udev's default)")


def _tap(ident, ifname):
    return ["-netdev", f"tap,id={ident},ifname={ifname},script=no,downscript=no"]


def mgmt_tap(number):
    return f"m{number}"


def wire_tap(number, port):
    return f"w{number}p{port}"


def command(kernel, initrd, accel, number, nodes, pfs):
    """The command line of one node. Ports come on cards of two, as on a real 82576, so that a PF
    is enp<card>s0f<port>; with ARI the first function must name the second one. The IOMMU is
    there for VFs that are bound to vfio-pci."""
    name = node_name(number)
    argv = _base(kernel, initrd, f"intel_iommu=on iommu=pt lab.name={name} "
                 f"lab.addr={node_addr(number)} lab.host={HOST_ADDR} lab.nodes={nodes} "
                 f"lab.pfs={pfs}", accel, cpus(nodes))
    argv += ["-name", name, "-device", "intel-iommu,intremap=off",
             "-serial", f"file:{os.path.join(LOG, name)}.console",
             "-qmp", f"unix:{name}.qmp,server=on,wait=off", "-device", "virtio-rng-pci"]
    argv += _tap("mgmt", mgmt_tap(number))
    argv += ["-device", f"virtio-net-pci,netdev=mgmt,romfile=,mac=52:54:00:4d:00:{number:02x}"]
    for port in range(pfs):
        card, function = divmod(port, PORTS_A_CARD)
        if function == 0:
            argv += ["-device", f"pcie-root-port,id=card{card},slot={card + 1},chassis={card + 1}"]
        argv += _tap(f"pf{port}", wire_tap(number, port))
        argv += ["-device", f"igb,id=igb{port},bus=card{card},addr=0.{function},multifunction=on,"
                 f"x-pcie-ari-nextfn-1={'on' if function == 0 and port + 1 < pfs else 'off'},"
                 f"netdev=pf{port},romfile=,mac=52:54:00:50:{number:02x}:{port:02x}"]
    return argv


def _probe(kernel, initrd):
    """Boots a guest under KVM until it powers off, within a time limit."""
    console = os.path.join(LOG, "kvm-probe.console")
    argv = _base(kernel, initrd, "lab.probe=1", "kvm") + ["-serial", f"file:{console}"]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, env=tool_env()) as qemu:
        try:
            status = qemu.wait(PROBE_SECONDS)
        except subprocess.TimeoutExpired:
            return False
        finally:
            qemu.kill()
    with open(console, "rb") as f:
        return status == 0 and b"lab: probe booted" in f.read()


def choose_accel(kernel, initrd):
    """"kvm" if a guest has booted under it since this machine started, else "tcg"."""
    forced = os.environ.get("FERRULE_LAB_ACCEL", "")
    if forced in ("kvm", "tcg"):
        return forced
    if forced:
        raise LabError(f"FERRULE_LAB_ACCEL is '{forced}': kvm or tcg")
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    verdict = os.path.join(LAB, "kvm-verdict")
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as f:
        key = f"{f.read().strip()} {kernel.version}"
    try:
        with open(verdict, encoding="ascii") as f:
            known, _, answer = f.read().strip().rpartition(" ")
    except OSError:
        known, answer = "", ""
    if known != key or answer not in ("kvm", "tcg"):
        say(f"trying KVM (at most {PROBE_SECONDS} s, once)")
        answer = "kvm" if _probe(kernel, initrd) else "tcg"
        write_atomic(verdict, f"{key} {answer}\n".encode())
        say("KVM works" if answer == "kvm" else "KVM does not boot a guest here: using TCG")
    return answer


def set_cable(name, port, plugged):
    """Sets the link state of a PF's port through the QEMU monitor of its node."""
    here = os.getcwd()
    try:
        # A socket's path must be short, a clone's need not be: go where it is.
        os.chdir(RUN)
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(f"{name}.qmp")
            f = s.makefile("rw", encoding="utf-8")
            f.readline()
            for request in ({"execute": "qmp_capabilities"},
                            {"execute": "set_link",
                             "arguments": {"name": f"igb{port}", "up": plugged}}):
                f.write(json.dumps(request) + "\n")
                f.flush()
                _qmp_answer(f)
    except OSError as e:
        raise LabError(f"{name}: QEMU's monitor: {e}") from None
    finally:
        os.chdir(here)


def _qmp_answer(f):
    """Reads up to the answer of the last request, over the events that may come before it."""
    for line in f:
        answer = json.loads(line)
        if "error" in answer:
            raise LabError(f"QEMU: {answer['error'].get('desc')}")
        if "return" in answer:
            return
    raise LabError("QEMU's monitor closed the connection")
