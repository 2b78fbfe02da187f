# SPDX-License-Identifier: MIT
"""A real container runtime for a node: the distribution's containerd and runc, and an image for
pods, made here. A node gets it when it is asked for, since it is large."""

import hashlib
import io
import json
import os
import tarfile
import tempfile

import channel
import image
import kernel
from common import GUEST, LAB, LabError, node_addr, say
from store import Store, distro, fetch

PROGRAMS = ("usr/bin/containerd", "usr/bin/containerd-shim-runc-v2", "usr/bin/ctr",
            "usr/sbin/runc")
START = "etc/lab/containerd"


def _fetch_all(folder):
    say("fetching containerd and runc")
    if not fetch(folder, distro().codename, ["containerd", "runc"]):
        raise LabError("containerd and runc cannot be fetched")
    return {}


def _read(path):
    with open(os.path.realpath(path), "rb") as f:
        return f.read()


def _tar(out, files):
    """Writes (path, octets, mode) as a tar archive, owned by root and without a date."""
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, data, mode in files:
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), mode
            tar.addfile(entry, io.BytesIO(data))


def _tar_octets(files):
    out = io.BytesIO()
    _tar(out, files)
    return out.getvalue()


def _pause_image(packages):
    """The image of which pods are made, as a docker archive: BusyBox, asleep."""
    layer = _tar_octets([("bin/busybox", _read(image.busybox_of(packages)), 0o755)])
    config = {"architecture": "amd64", "os": "linux",
              "config": {"Entrypoint": ["/bin/busybox", "sleep", "1000000"]},
              "rootfs": {"type": "layers",
                         "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}}
    manifest = [{"Config": "config.json", "RepoTags": ["docker.io/lab/pause:1"],
                 "Layers": ["layer.tar"]}]
    return _tar_octets([("layer.tar", layer, 0o644),
                        ("config.json", json.dumps(config).encode(), 0o644),
                        ("manifest.json", json.dumps(manifest).encode(), 0o644)])


def _files(tree, packages):
    """What a node gets. It has the libraries of its shell already, and they are in use."""
    have = set(image.libraries(image.host_tool("dash")))
    files, libraries = [], set()
    for name in PROGRAMS:
        program = os.path.join(tree, name)
        files.append((name, _read(program), 0o755))
        libraries.update(image.libraries(program))
    files += [(lib.lstrip("/"), _read(lib), 0o755) for lib in sorted(libraries - have)]
    config = _read(os.path.join(GUEST, "containerd.toml"))
    files.append(("etc/containerd/config.toml", config, 0o644))
    files.append((START, _read(os.path.join(GUEST, "containerd")), 0o755))
    files.append(("etc/resolv.conf", b"", 0o644))
    files.append(("usr/share/lab/pause.tar", _pause_image(packages), 0o644))
    return files


def install(name, number, enter):
    """Puts the runtime on a node and starts it. enter: goes where the node can be reached."""
    store = Store("runtime-packages", "-runtime", _fetch_all)
    record = store.record()
    tree = store.unpacked(record, "runtime")
    say(" ".join(n.rsplit("_", 1)[0] for n in record["files"]))
    with tempfile.TemporaryFile(dir=LAB) as f:
        _tar(f, _files(tree, kernel.prepare().packages))
        f.seek(0)
        enter()
        status = channel.execute(name, node_addr(number), ["tar", "-C", "/", "-xf", "-"],
                                 f.fileno())
    status = status or channel.execute(name, node_addr(number), ["/" + START])
    if status != 0:
        raise LabError(f"{name}: containerd does not start (exit status {status})")
