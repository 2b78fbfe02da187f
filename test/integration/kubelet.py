# SPDX-License-Identifier: MIT
"""A stand-in for the kubelet's device manager, with gRPC's own library, and a device plugin beside it."""
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from concurrent import futures

import grpc

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PLUGIN = os.path.join(ROOT, "build", "bin", "rdma-dummy-dp")
PLUGIN_ASAN = os.path.join(ROOT, "build", "asan", "bin", "rdma-dummy-dp")
RESOURCE = "rdma-sriov/dev-infiniband-mount"
DP = "/v1beta1.DevicePlugin/"


def _messages():
    """The messages' Python classes, generated from our own .proto."""
    out = tempfile.mkdtemp(prefix="ferrule-pb-")
    try:
        subprocess.run(["protoc", "-I", os.path.join(ROOT, "src", "grpc"), "--python_out", out,
                        "device_plugin.proto"], check=True)
        sys.path.insert(0, out)
        import device_plugin_pb2  # pylint: disable=import-outside-toplevel
        sys.path.remove(out)
        return device_plugin_pb2
    finally:
        shutil.rmtree(out)


pb = _messages()

METHODS = {
    "GetDevicePluginOptions": (pb.Empty, pb.DevicePluginOptions),
    "GetPreferredAllocation": (pb.PreferredAllocationRequest, pb.PreferredAllocationResponse),
    "Allocate": (pb.AllocateRequest, pb.AllocateResponse),
    "PreStartContainer": (pb.PreStartContainerRequest, pb.PreStartContainerResponse),
}


def wait(what, seconds=20):
    """Waits until what() is true and returns its value."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        assert time.monotonic() < end, "waited %d s in vain" % seconds
        time.sleep(0.005)


class Client:
    """One connection to a plugin's socket."""

    def __init__(self, path, authority=None, options=()):
        opts = [("grpc.use_local_subchannel_pool", 1), *options]
        if authority:
            opts.append(("grpc.default_authority", authority))
        self.channel = grpc.insecure_channel("unix:" + path, options=opts)

    def call(self, method, request=None, timeout=20, **kw):
        kind, answer = METHODS[method]
        stub = self.channel.unary_unary(DP + method, request_serializer=kind.SerializeToString,
                                        response_deserializer=answer.FromString)
        return stub(request or kind(), timeout=timeout, **kw)

    def watch(self):
        stub = self.channel.unary_stream(DP + "ListAndWatch",
                                         request_serializer=pb.Empty.SerializeToString,
                                         response_deserializer=pb.ListAndWatchResponse.FromString)
        return stub(pb.Empty())

    def close(self):
        self.channel.close()


class Endpoint:
    """What a kubelet knows of a registered plugin: its connection, and the last list it sent."""

    def __init__(self, path, authority):
        self.client = Client(path, authority)
        self.options = None
        self.lists = []
        self.ended = threading.Event()
        self.stream = None

    def get_options(self):
        self.options = self.client.call("GetDevicePluginOptions", timeout=10, wait_for_ready=True)

    def follow(self):
        self.stream = self.client.watch()
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self):
        try:
            for answer in self.stream:
                self.lists.append((time.monotonic(), answer))
        except grpc.RpcError:
            pass
        self.ended.set()

    def devices(self):
        return self.lists[-1][1].devices

    def health(self):
        return {d.health for d in self.devices()} if self.lists else None


class Kubelet:
    """old: answer Register first and call back then (until 1.25); else the other way round."""

    def __init__(self, folder, old=False, authority=None, refuse=None, deaf=False):
        self.folder = folder
        self.path = os.path.join(folder, "kubelet.sock")
        self.old, self.authority, self.refuse = old, authority, refuse
        self.deaf = deaf  # never asks for the devices
        self.requests, self.endpoints = [], []
        self.made = []  # also endpoints whose registration came to nothing
        self.server = None
        self.bound = None

    def wipe(self):
        for name in os.listdir(self.folder):
            path = os.path.join(self.folder, name)
            if stat.S_ISSOCK(os.lstat(path).st_mode):
                os.unlink(path)

    def start(self, wipe=True):
        if wipe:
            self.wipe()
        handler = grpc.method_handlers_generic_handler("v1beta1.Registration", {
            "Register": grpc.unary_unary_rpc_method_handler(
                self._register, request_deserializer=pb.RegisterRequest.FromString,
                response_serializer=pb.Empty.SerializeToString)})
        self.server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
        self.server.add_generic_rpc_handlers((handler,))
        self.server.add_insecure_port("unix:" + self.path)
        self.bound = time.monotonic()
        self.server.start()
        return self

    def _register(self, request, context):
        self.requests.append(request)
        if self.refuse:
            context.abort(*self.refuse)
        endpoint = Endpoint(os.path.join(self.folder, request.endpoint), self.authority)
        self.made.append(endpoint)
        if self.old:
            threading.Thread(target=self._add, args=(endpoint,), daemon=True).start()
        else:
            endpoint.get_options()
            threading.Thread(target=self._add, args=(endpoint,), daemon=True).start()
        return pb.Empty()

    def _add(self, endpoint):
        if not self.deaf:
            endpoint.follow()
        old = self.endpoints[-1:]
        self.endpoints.append(endpoint)
        for e in old:
            e.client.close()

    def endpoint(self, n=1, seconds=20):
        """The n-th registration's endpoint, once it has sent a list."""
        wait(lambda: len(self.endpoints) >= n and self.endpoints[n - 1].lists, seconds)
        return self.endpoints[n - 1]

    def stop(self, unlink=True):
        """As when the process ends: connections close, without a word to anybody."""
        for e in self.made:
            e.client.close()
        if self.server:
            self.server.stop(0).wait()
            self.server = None
        for e in self.made:
            e.client.close()
        if unlink and os.path.exists(self.path):
            os.unlink(self.path)


class Plugin:
    """A running rdma-dummy-dp."""

    def __init__(self, folder, dev, *args, program=PLUGIN, prefix=(), log="/tmp/log", **kw):
        self.folder = folder
        self.socket = os.path.join(folder, "rdma-dummy-dp.sock")
        self.log = log
        with open(self.log, "w", encoding="utf-8") as log:
            self.proc = subprocess.Popen(
                [*prefix, program, "--plugin-dir", folder, "--dev-dir", dev, *args],
                stdout=log, stderr=log, **kw)

    def text(self):
        with open(self.log, encoding="utf-8") as f:
            return f.read()

    def says(self, what, times=1):
        wait(lambda: self.text().count(what) >= times or self.proc.poll() is not None)
        assert self.text().count(what) >= times, self.text()

    def memory_kib(self, key="VmRSS"):
        with open("/proc/%d/status" % self.proc.pid, encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith(key))

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.proc.pid))

    def stop(self, expect=0, sig=signal.SIGTERM):
        if self.proc.poll() is None:
            self.proc.send_signal(sig)
        status = self.proc.wait(timeout=20)
        assert status == expect, (status, self.text())


def make_device(dev, name, major=231, minor=0):
    os.mknod(os.path.join(dev, name), stat.S_IFCHR | 0o600, os.makedev(major, minor))


def raw_connection(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.connect(path)
    s.settimeout(20)
    return s
