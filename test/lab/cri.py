# SPDX-License-Identifier: MIT
"""A client of a node's container runtime, as kubelet is one: the Container Runtime Interface (CRI).

The nodes are reached from the lab's own network alone, so the client proper is a process there
(this file as a program): one line of JSON in for each call, one out when it has ended."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
PORT = 5001  # test/lab/guest/containerd.toml
SERVICE = "/runtime.v1.RuntimeService/"

# Request and answer of each call.
METHODS = {
    "Version": ("Empty", "VersionResponse"),
    "Status": ("StatusRequest", "StatusResponse"),
    "RunPodSandbox": ("RunPodSandboxRequest", "PodSandboxId"),
    "StopPodSandbox": ("PodSandboxId", "Empty"),
    "RemovePodSandbox": ("PodSandboxId", "Empty"),
    "PodSandboxStatus": ("PodSandboxId", "PodSandboxStatusResponse"),
    "ListPodSandbox": ("Empty", "ListPodSandboxResponse"),
}


class CriError(Exception):
    """A call failed; the text is what the runtime said."""


class Cri:
    """One runtime. Calls may be under way at the same time."""

    def __init__(self, lab_tool, addr):
        self.process = subprocess.Popen(
            [lab_tool, "host", "--", sys.executable, "-B", os.path.abspath(__file__), addr],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.sent = 0
        self.answers = {}

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(20)

    def start(self, method, request=None):
        """Begins a call and returns what answer() wants."""
        self.sent += 1
        line = json.dumps({"id": self.sent, "method": method, "request": request or {}})
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return self.sent

    def answer(self, number):
        """The answer of a call, when it is there."""
        while number not in self.answers:
            line = self.process.stdout.readline()
            assert line, "the CRI client has ended"
            got = json.loads(line)
            self.answers[got["id"]] = got
        got = self.answers.pop(number)
        if "error" in got:
            raise CriError(got["error"])
        return got["answer"]

    def call(self, method, request=None):
        return self.answer(self.start(method, request))

    def start_pod(self, name, annotations=None, attempt=0):
        return self.start("RunPodSandbox", {"config": {
            "metadata": {"name": name, "uid": f"uid-{name}", "namespace": "default",
                         "attempt": attempt},
            "annotations": annotations or {}}})

    def run_pod(self, name, annotations=None, attempt=0):
        """Runs a pod and returns its id."""
        return self.answer(self.start_pod(name, annotations, attempt))["podSandboxId"]

    def stop_pod(self, pod):
        self.call("StopPodSandbox", {"podSandboxId": pod})

    def remove_pod(self, pod):
        """Ends a pod as kubelet does."""
        self.stop_pod(pod)
        self.call("RemovePodSandbox", {"podSandboxId": pod})

    def pods(self):
        """{id: ready or not} of all pods."""
        items = self.call("ListPodSandbox").get("items", [])
        return {i["id"]: i.get("state", 0) == 0 for i in items}

    def ready(self):
        try:
            self.call("Status")
            return True
        except CriError:
            return False

    def network(self):
        """The name of the network that pods get, or None."""
        info = self.call("Status", {"verbose": True})["info"]
        names = [n["Config"]["Name"] for n in json.loads(info["cniconfig"]).get("Networks") or []]
        return next((n for n in names if n != "cni-loopback"), None)

    def addresses(self, pod):
        """The pod's addresses, the first one first."""
        network = self.call("PodSandboxStatus", {"podSandboxId": pod})["status"].get("network", {})
        return [network.get("ip")] + [i["ip"] for i in network.get("additionalIps", [])]


def _messages():
    """The messages' Python classes, generated from our own .proto."""
    out = tempfile.mkdtemp(prefix="ferrule-pb-")
    try:
        subprocess.run(["protoc", "-I", HERE, "--python_out", out, "cri.proto"], check=True)
        sys.path.insert(0, out)
        import cri_pb2  # pylint: disable=import-outside-toplevel,import-error
        sys.path.remove(out)
        return cri_pb2
    finally:
        shutil.rmtree(out)


def main(addr):
    import grpc  # pylint: disable=import-outside-toplevel
    from google.protobuf import json_format  # pylint: disable=import-outside-toplevel

    messages = _messages()
    options = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]
    lock = threading.Lock()

    def call(asked):
        kinds = [getattr(messages, kind) for kind in METHODS[asked["method"]]]
        got = {"id": asked["id"]}
        # A connection each: the runtime may have been another one a moment ago.
        with grpc.insecure_channel(f"{addr}:{PORT}", options=options) as channel:
            stub = channel.unary_unary(SERVICE + asked["method"],
                                       request_serializer=kinds[0].SerializeToString,
                                       response_deserializer=kinds[1].FromString)
            try:
                request = json_format.ParseDict(asked["request"], kinds[0]())
                got["answer"] = json_format.MessageToDict(stub(request, timeout=60))
            except grpc.RpcError as e:
                got["error"] = f"{e.code().name}: {e.details()}"
        with lock:
            print(json.dumps(got), flush=True)

    with ThreadPoolExecutor(16) as pool:
        for line in sys.stdin:
            pool.submit(call, json.loads(line))


if __name__ == "__main__":
    main(sys.argv[1])
