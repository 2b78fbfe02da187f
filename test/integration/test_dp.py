# SPDX-License-Identifier: MIT
"""rdma-dummy-dp, the static program, with a stand-in kubelet that speaks gRPC's own library."""
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import grpc
import pytest

from kubelet import (DP, PLUGIN, RESOURCE, Client, Kubelet, Plugin, make_device, pb, wait)


class Node:
    """A folder for the kubelet, one for the devices, and who runs there."""

    def __init__(self, base):
        self.base = str(base)
        self.folder = os.path.join(self.base, "device-plugins")
        self.dev = os.path.join(self.base, "infiniband")
        os.mkdir(self.folder, 0o750)
        os.mkdir(self.dev)
        make_device(self.dev, "uverbs0")
        self.kubelets, self.plugins = [], []

    def plugin(self, *args, **kw):
        self.plugins.append(Plugin(self.folder, self.dev, *args,
                                   log="%s/log%d" % (self.base, len(self.plugins)),
                                   **kw))
        return self.plugins[-1]

    def kubelet(self, **kw):
        wipe = kw.pop("wipe", True)
        self.kubelets.append(Kubelet(self.folder, **kw).start(wipe))
        return self.kubelets[-1]

    def pair(self, *args, **kw):
        plugin = self.plugin(*args, **kw)
        return plugin, self.kubelet().endpoint()

    def close(self):
        for p in self.plugins:
            if p.proc.poll() is None:
                p.proc.kill()
                p.proc.wait()
        for k in self.kubelets:
            k.stop(unlink=False)


@pytest.fixture
def node(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("device nodes need root")
    # Sockets have short paths; pytest's are long.
    short = "/tmp/dp-%d" % os.getpid()
    shutil.rmtree(short, ignore_errors=True)
    os.mkdir(short, 0o755)
    n = Node(short)
    yield n
    n.close()
    shutil.rmtree(short)


def request(*containers):
    return pb.AllocateRequest(container_requests=[
        pb.ContainerAllocateRequest(devices_ids=ids) for ids in containers])


def ids_of(endpoint, n):
    return [d.ID for d in endpoint.devices()[:n]]


def fails(status, text, call, *args, **kw):
    with pytest.raises(grpc.RpcError) as info:
        call(*args, **kw)
    assert info.value.code() == status, info.value.details()
    assert text in info.value.details()


# --- Registration and the list of devices


@pytest.mark.parametrize("old", [False, True], ids=["call-back-first", "answer-first"])
@pytest.mark.parametrize("authority", ["path", "encoded", "localhost"])
def test_registers_and_lists_its_devices(node, old, authority):
    path = os.path.join(node.folder, "rdma-dummy-dp.sock")
    node.plugin()
    k = node.kubelet(old=old, authority={"path": path, "encoded": path.replace("/", "%2F"),
                                         "localhost": "localhost"}[authority])
    e = k.endpoint()
    r = k.requests[0]
    assert (r.version, r.endpoint, r.resource_name) == ("v1beta1", "rdma-dummy-dp.sock", RESOURCE)
    assert len(e.devices()) == 10000
    assert len({d.ID for d in e.devices()}) == 10000
    assert e.health() == {"Healthy"}
    assert not any(d.HasField("topology") for d in e.devices())
    if not old:
        assert e.options == pb.DevicePluginOptions()
        assert r.options == e.options
    assert len(k.requests) == 1


@pytest.mark.parametrize("count", [1, 2, 7, 100000])
def test_count(node, count):
    _, e = node.pair("--count", str(count))
    assert len(e.devices()) == count
    assert len({d.ID for d in e.devices()}) == count


def test_other_names(node):
    node.plugin("--resource", "example.com/rdma", "--socket", "x.sock")
    k = node.kubelet()
    k.endpoint()
    assert k.requests[0].resource_name == "example.com/rdma"
    assert k.requests[0].endpoint == "x.sock"


# --- The other methods


def test_allocate_gives_each_device(node):
    make_device(node.dev, "rdma_cm")
    make_device(node.dev, "umad1")
    os.mkdir(node.dev + "/by-ibdev")
    make_device(node.dev + "/by-ibdev", "inner")
    os.symlink("umad1", node.dev + "/link")
    with open(node.dev + "/file", "w", encoding="ascii"):
        pass
    os.mkfifo(node.dev + "/fifo")
    _, e = node.pair()
    answer = e.client.call("Allocate", request(ids_of(e, 1)))
    assert len(answer.container_responses) == 1
    one = answer.container_responses[0]
    assert [(d.container_path, d.host_path, d.permissions) for d in one.devices] == [
        ("/dev/infiniband/" + name, node.dev + "/" + name, "rw")
        for name in ("rdma_cm", "umad1", "uverbs0")]
    assert not one.envs and not one.mounts and not one.annotations and not one.cdi_devices


def test_allocate_gives_what_is_there_now(node):
    _, e = node.pair()
    make_device(node.dev, "uverbs1")
    os.unlink(node.dev + "/uverbs0")
    answer = e.client.call("Allocate", request(ids_of(e, 1)))
    assert [d.host_path for d in answer.container_responses[0].devices] == [node.dev + "/uverbs1"]


def test_allocate_directory(node):
    _, e = node.pair("--mode=directory", "--permissions=rwm")
    answer = e.client.call("Allocate", request(ids_of(e, 1)))
    one = answer.container_responses[0].devices
    assert [(d.container_path, d.host_path, d.permissions) for d in one] == [
        ("/dev/infiniband", node.dev, "rwm")]


def test_allocate_several_containers(node):
    _, e = node.pair()
    a, b, c = ids_of(e, 3)
    answer = e.client.call("Allocate", request([a], [b, c], [], [a]))
    assert [len(r.devices) for r in answer.container_responses] == [1, 1, 0, 1]


def test_allocate_no_container(node):
    _, e = node.pair()
    assert e.client.call("Allocate", request()) == pb.AllocateResponse()


def test_allocate_all_at_once(node):
    _, e = node.pair()
    answer = e.client.call("Allocate", request(ids_of(e, 10000)))
    assert len(answer.container_responses[0].devices) == 1


@pytest.mark.parametrize("bad", ["nonsense", "", "infiniband-10000", "infiniband-0000",
                                 "infiniband-+0001", "infiniband-00000 ", "infiniband-000\u00e90"])
def test_allocate_unknown_id(node, bad):
    p, e = node.pair()
    fails(grpc.StatusCode.INVALID_ARGUMENT, "none of this plugin's 10000 devices",
          e.client.call, "Allocate", request(ids_of(e, 1), [bad]))
    assert "Allocate refused" in p.text()


def test_allocate_without_devices(node):
    os.unlink(node.dev + "/uverbs0")
    _, e = node.pair()
    assert e.health() == {"Unhealthy"}
    fails(grpc.StatusCode.FAILED_PRECONDITION, "no character device is there",
          e.client.call, "Allocate", request(ids_of(e, 1)))
    answer = e.client.call("Allocate", request([], []))
    assert [len(r.devices) for r in answer.container_responses] == [0, 0]


def test_allocate_is_logged_for_those_who_debug(node):
    p, e = node.pair("--log-level=debug")
    e.client.call("Allocate", request(ids_of(e, 1), []))
    p.says("debug: Allocate: 1 entries for each of 1 of 2 containers")


def test_allocate_answer_too_large(node):
    for i in range(200):
        make_device(node.dev, "uverbs%d" % (i + 1), minor=i + 1)
    _, e = node.pair()
    fails(grpc.StatusCode.RESOURCE_EXHAUSTED, "too large",
          e.client.call, "Allocate", request(*[ids_of(e, 1)] * 5000))
    assert len(e.client.call("Allocate", request(ids_of(e, 1))).container_responses) == 1


def preferred(available, must, size):
    return pb.ContainerPreferredAllocationRequest(
        available_deviceIDs=available, must_include_deviceIDs=must, allocation_size=size)


def test_preferred_allocation(node):
    _, e = node.pair()
    a, b, c, d = ids_of(e, 4)
    answer = e.client.call("GetPreferredAllocation", pb.PreferredAllocationRequest(
        container_requests=[preferred([a, b, c, d], [c], 3), preferred([d, b], [], 1),
                            preferred([], [], 0)]))
    assert [list(r.deviceIDs) for r in answer.container_responses] == [[c, a, b], [d], []]
    assert e.client.call("GetPreferredAllocation") == pb.PreferredAllocationResponse()
    every = ids_of(e, 10000)
    answer = e.client.call("GetPreferredAllocation", pb.PreferredAllocationRequest(
        container_requests=[preferred(every, [], 10000)]))
    assert list(answer.container_responses[0].deviceIDs) == every


@pytest.mark.parametrize("available, must, size, why", [
    ([0, 1], [], 3, "3 devices are asked for and 2 are available"),
    ([0, 1], [], -1, "-1 devices are asked for"),
    ([0, 1], [0, 1], 1, "1 devices are asked for and 2 must be among them"),
    ([0, 0, 0], [], 2, "2 devices are asked for and 1 are available"),
    (["x"], [], 1, "'x' is none of"),
    ([], ["x"], 1, "'x' is none of"),
])
def test_preferred_allocation_refused(node, available, must, size, why):
    _, e = node.pair()
    names = ids_of(e, 2)
    pick = lambda what: [names[i] if isinstance(i, int) else i for i in what]  # noqa: E731
    fails(grpc.StatusCode.INVALID_ARGUMENT, why, e.client.call, "GetPreferredAllocation",
          pb.PreferredAllocationRequest(
              container_requests=[preferred(pick(available), pick(must), size)]))


def test_pre_start_container(node):
    _, e = node.pair()
    assert e.client.call("PreStartContainer", pb.PreStartContainerRequest(
        devices_ids=ids_of(e, 2)), timeout=30) == pb.PreStartContainerResponse()
    fails(grpc.StatusCode.INVALID_ARGUMENT, "none of this plugin's", e.client.call,
          "PreStartContainer", pb.PreStartContainerRequest(devices_ids=["x"]))


def raw(client, method, data, **kw):
    stub = client.channel.unary_unary(method, request_serializer=lambda x: x,
                                      response_deserializer=lambda x: x)
    return stub(data, timeout=20, **kw)


@pytest.mark.parametrize("data", [b"\x0a", b"\x0a\x05ab", b"\x08\x01", b"\x0a\x02\x0a\x01",
                                  b"\x0a\x02\x08\x01", b"\xff" * 12, b"\x0a\x04\x0a\x02\xff\xfe",
                                  b"\x0b", b"\x0a\xff\xff\xff\xff\x0f"])
def test_malformed_message(node, data):
    _, e = node.pair()
    fails(grpc.StatusCode.INVALID_ARGUMENT, "malformed", raw, e.client, DP + "Allocate", data)


def test_unknown_fields_are_skipped(node):
    _, e = node.pair()
    data = request(ids_of(e, 1)).SerializeToString() + b"\x9a\x06\x03abc\xa0\x06\x01\xad\x06abcd"
    answer = pb.AllocateResponse.FromString(raw(e.client, DP + "Allocate", data))
    assert len(answer.container_responses) == 1


@pytest.mark.parametrize("method", [DP + "Nothing", DP, "/", "/v1beta1.Registration/Register",
                                    DP + "allocate", "/" + "x" * 300])
def test_unknown_method(node, method):
    _, e = node.pair()
    fails(grpc.StatusCode.UNIMPLEMENTED, "unknown method", raw, e.client, method, b"")


def test_compressed_message(node):
    _, e = node.pair()
    c = Client(node.plugins[0].socket,
               options=[("grpc.default_compression_algorithm", 2)])  # gzip
    fails(grpc.StatusCode.UNIMPLEMENTED, "compressed", c.call, "Allocate",
          request(ids_of(e, 1000)))
    c.close()


def test_message_too_large(node):
    _, e = node.pair()
    fails(grpc.StatusCode.RESOURCE_EXHAUSTED, "is larger than 4194304", raw, e.client,
          DP + "Allocate", b"\x0a" * (4 * 1024 * 1024 + 1))
    fails(grpc.StatusCode.INVALID_ARGUMENT, "malformed", raw, e.client,
          DP + "Allocate", b"\x0b" * (4 * 1024 * 1024))
    assert e.client.call("GetDevicePluginOptions") == pb.DevicePluginOptions()


def test_concurrent_calls_on_one_connection(node):
    _, e = node.pair()
    one = ids_of(e, 1)
    done, lock = [], threading.Lock()

    def work():
        for _ in range(20):
            n = len(e.client.call("Allocate", request(one)).container_responses)
            with lock:
                done.append(n)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert done == [1] * 320
    assert not e.ended.is_set()


# --- Health


def test_health_follows_the_devices(node):
    _, e = node.pair()
    os.unlink(node.dev + "/uverbs0")
    wait(lambda: e.health() == {"Unhealthy"})
    make_device(node.dev, "uverbs3")
    wait(lambda: e.health() == {"Healthy"})
    shutil.rmtree(node.dev)
    wait(lambda: e.health() == {"Unhealthy"})
    os.mkdir(node.dev)
    make_device(node.dev, "uverbs0")
    wait(lambda: e.health() == {"Healthy"})
    os.rename(node.dev, node.dev + ".away")
    wait(lambda: e.health() == {"Unhealthy"})
    os.rename(node.dev + ".away", node.dev)
    wait(lambda: e.health() == {"Healthy"})
    assert all(len(answer.devices) == 10000 for _, answer in e.lists)


def test_no_list_without_a_change(node):
    _, e = node.pair()
    for i in range(20):
        make_device(node.dev, "umad%d" % i)
    os.unlink(node.dev + "/uverbs0")
    assert len(e.client.call("Allocate", request(ids_of(e, 1))).container_responses[0].devices) == 20
    assert len(e.lists) == 1


def test_device_folder_missing_at_start(node):
    shutil.rmtree(node.dev)
    node.dev = node.base + "/a/b/infiniband"
    p, e = node.pair()
    assert e.health() == {"Unhealthy"}
    os.makedirs(node.dev)
    make_device(node.dev, "uverbs0")
    wait(lambda: e.health() == {"Healthy"})
    p.says("devices are healthy")


def test_flapping_devices(node):
    _, e = node.pair()
    for _ in range(200):
        os.unlink(node.dev + "/uverbs0")
        make_device(node.dev, "uverbs0")
    os.unlink(node.dev + "/uverbs0")
    wait(lambda: e.health() == {"Unhealthy"})


# --- The kubelet goes and comes


def test_kubelet_restarts(node):
    p = node.plugin()
    for old in (False, True, False):
        k = node.kubelet(old=old)
        k.endpoint()
        k.stop()
    p.says("waiting for the kubelet: no")


def test_kubelet_first(node):
    k = node.kubelet()
    node.plugin()
    k.endpoint()


def test_kubelet_socket_replaced_under_us(node):
    """No moment without a kubelet.sock: the new one is renamed over the old."""
    p, e = node.pair()
    other = node.base + "/other"
    os.mkdir(other)
    k = Kubelet(other).start()
    k.folder = node.folder
    node.kubelets.append(k)
    os.rename(k.path, node.folder + "/kubelet.sock")
    k.endpoint()
    assert p.proc.poll() is None
    assert not e.ended.is_set()


def test_folder_deleted_and_made_again(node):
    p, _ = node.pair()
    node.kubelets[0].stop()
    shutil.rmtree(node.folder)
    p.says("No such file")
    os.mkdir(node.folder)
    node.kubelet().endpoint()


def test_folder_deleted_while_it_is_in_use(node):
    """An open socket in the folder keeps its inode: the folder itself has no event to tell."""
    p, _ = node.pair()
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(node.folder + "/held.sock")
        s.listen()
        node.kubelets[0].stop()
        p.says("no %s/kubelet.sock" % node.folder)
        for name in os.listdir(node.folder):
            os.unlink(os.path.join(node.folder, name))
        time.sleep(0.5)  # the events of the files must be over before the folder goes
        os.rmdir(node.folder)
        p.says("No such file")
        os.mkdir(node.folder)
        node.kubelet().endpoint()


def test_folder_swapped(node):
    node.pair()
    node.kubelets[0].stop()
    os.rename(node.folder, node.folder + ".old")
    os.mkdir(node.folder)
    node.kubelet().endpoint()


def test_folder_missing_at_start(node):
    shutil.rmtree(node.folder)
    node.folder = node.base + "/deep/down/device-plugins"
    p = node.plugin()
    p.says("waiting for the kubelet: %s: No such file" % node.folder)
    os.makedirs(node.folder)
    node.kubelet().endpoint()


def test_stale_kubelet_socket(node):
    """A kubelet that was killed leaves its socket: nobody listens there until the next one."""
    code = ("import socket,sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()")
    subprocess.run(["/usr/bin/python3", "-c", code, node.folder + "/kubelet.sock"], check=True)
    p = node.plugin()
    p.says("Connection refused")
    node.kubelet().endpoint()
    assert p.text().count("Connection refused") == 1


def test_kubelet_socket_is_no_socket(node):
    with open(node.folder + "/kubelet.sock", "w", encoding="ascii"):
        pass
    p = node.plugin()
    p.says("is no socket")
    os.unlink(node.folder + "/kubelet.sock")
    node.kubelet().endpoint()


def test_silent_kubelet(node):
    """Something listens and never says a word; then a real one comes."""
    s = socket.socket(socket.AF_UNIX)
    s.bind(node.folder + "/kubelet.sock")
    s.listen()
    p = node.plugin()
    conn, _ = s.accept()
    assert conn.recv(24).startswith(b"PRI * HTTP/2.0")
    node.kubelet().endpoint()
    conn.close()
    s.close()
    p.says("the kubelet watches the devices")


@pytest.mark.parametrize("status, text", [
    (grpc.StatusCode.UNKNOWN, 'requested API version "v1beta1" is not supported by kubelet'),
    (grpc.StatusCode.INVALID_ARGUMENT, "the ResourceName is invalid: 50% \u00e9")])
def test_kubelet_refuses(node, status, text):
    p = node.plugin()
    k = node.kubelet(refuse=(status, text))
    p.says("the kubelet refuses %s: %s: " % (RESOURCE, status.name))
    p.says(text.replace("\u00e9", "\u00e9"))
    wait(lambda: len(k.requests) >= 4)
    assert p.text().count("the kubelet refuses") == 1
    k.refuse = None
    k.endpoint()
    p.says("the kubelet watches the devices")


def test_stream_cut(node):
    _, e = node.pair()
    e.stream.cancel()
    assert e.ended.wait(20)
    node.kubelets[0].endpoint(2)


def test_stream_cut_while_another_watches(node):
    """The kubelet's own stream counts, not how many there are."""
    p, e = node.pair()
    other = Client(p.socket)
    watch = other.watch()
    next(watch)
    e.stream.cancel()
    e2 = node.kubelets[0].endpoint(2)
    watch.cancel()
    other.close()
    assert not e2.ended.is_set()
    assert len(node.kubelets[0].requests) == 2


WATCH = """
import sys
sys.path.insert(0, sys.argv[1])
from kubelet import Client
stream = Client(sys.argv[2]).watch()
next(stream)
print("up", flush=True)
sys.stdin.read()
"""


def test_many_watchers_do_not_keep_the_kubelet_out(node):
    """The table of connections is full of watchers: the process with the most makes room."""
    p, e = node.pair("--listen", "127.0.0.1:0")
    port = re.search(r"listening on 127.0.0.1:(\d+)", p.text()).group(1)
    many = WATCH.replace("stream = Client(sys.argv[2]).watch()\nnext(stream)", """
clients, streams = [], []
for _ in range(40):
    clients.append(Client(sys.argv[2]))
    streams.append(clients[-1].watch())
    next(streams[-1])""")
    assert many != WATCH
    with subprocess.Popen(["/usr/bin/python3", "-c", many, os.path.dirname(__file__), p.socket],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"up\n"
        wait(lambda: "\nferrule_dp_streams 16\n" in get(port, "/metrics")[1])
        assert "\nferrule_dp_connections_refused_total 0\n" in get(port, "/metrics")[1]
        assert not e.ended.is_set()
        e.stream.cancel()
        e2 = node.kubelets[0].endpoint(2)
        assert e2.client.call("GetDevicePluginOptions") == pb.DevicePluginOptions()
        other.stdin.close()
    assert not e2.ended.is_set()
    assert len(node.kubelets[0].requests) == 2


def test_another_process_is_not_the_kubelet(node):
    p = node.plugin("--listen", "127.0.0.1:0")
    p.says("listening on")
    port = re.search(r"listening on 127.0.0.1:(\d+)", p.text()).group(1)
    node.kubelet(deaf=True)
    p.says("registered with the kubelet")
    with subprocess.Popen(["/usr/bin/python3", "-c", WATCH, os.path.dirname(__file__), p.socket],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"up\n"
        wait(lambda: "\nferrule_dp_streams 1\n" in get(port, "/metrics")[1])
        assert get(port, "/readyz")[0] == 503
        assert '\nferrule_dp_state{state="registered"} 1\n' in get(port, "/metrics")[1]
        node.kubelets[0].made[0].follow()
        wait(lambda: get(port, "/readyz") == (200, "ok\n"))
        other.stdin.close()
    assert get(port, "/readyz") == (200, "ok\n")


def test_connection_cut(node):
    _, e = node.pair()
    e.client.close()
    node.kubelets[0].endpoint(2)


def test_own_socket_removed(node):
    p, e = node.pair()
    os.unlink(p.socket)
    node.kubelets[0].endpoint(2)
    assert os.path.exists(p.socket)


def test_killed_plugin_leaves_a_socket(node):
    p, _ = node.pair()
    p.stop(-signal.SIGKILL, signal.SIGKILL)
    assert os.path.exists(p.socket)
    node.plugin()
    node.kubelets[0].endpoint(2)


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_socket_is_removed_at_exit(node, sig):
    p, _ = node.pair()
    p.stop(sig=sig)
    assert os.listdir(node.folder) == ["kubelet.sock"]
    assert "stopped" in p.text()


def test_rolling_update(node):
    """The new one takes the name over; the old one neither fights for it nor removes it."""
    old, _ = node.pair()
    new = node.plugin()
    e = node.kubelets[0].endpoint(2)
    old.says("another process has taken over")
    ours = os.stat(new.socket).st_ino
    old.stop()
    assert os.stat(new.socket).st_ino == ours
    assert e.client.call("GetDevicePluginOptions") == pb.DevicePluginOptions()
    assert not e.ended.is_set()


def test_the_old_one_comes_back(node):
    old, _ = node.pair()
    new = node.plugin()
    node.kubelets[0].endpoint(2)
    old.says("another process has taken over")
    new.stop()
    node.kubelets[0].endpoint(3)
    assert len(node.kubelets[0].requests) == 3


def test_two_users_do_not_fight(node):
    """The one may not connect to the other's socket: that too is somebody."""
    os.chmod(node.folder, 0o777)
    k = node.kubelet()
    os.chmod(k.path, 0o777)
    old = node.plugin(user=65534, group=65534, extra_groups=[])
    k.endpoint()
    new = node.plugin()
    e = k.endpoint(2)
    new.says("was another process's socket: its name is taken over")
    old.says("another process has taken over")
    for i in range(50):  # each is an event in the folder
        make_device(node.folder, "x%d" % i)
    assert e.client.call("GetDevicePluginOptions") == pb.DevicePluginOptions()
    assert len(k.requests) == 2
    assert old.text().count("another process has taken over") == 1
    assert os.stat(new.socket).st_uid == 0


def test_socket_removed_again_and_again(node):
    p, _ = node.pair()
    k = node.kubelets[0]
    end = time.monotonic() + 2
    while time.monotonic() < end:
        if os.path.exists(p.socket):
            os.unlink(p.socket)
        time.sleep(0.002)
    # 100 ms, 100 ms, 200 ms, 400 ms, ...: five fit; without pauses there are hundreds.
    assert len(k.requests) < 10
    assert p.text().count("\n") < 40
    k.endpoint(len(k.requests))
    wait(lambda: os.path.exists(p.socket))


@pytest.mark.parametrize("make", [lambda path: open(path, "w", encoding="ascii").close(),
                                  os.mkdir, lambda path: os.symlink("kubelet.sock", path)],
                         ids=["file", "folder", "link"])
def test_own_name_is_no_socket(node, make):
    path = node.folder + "/rdma-dummy-dp.sock"
    make(path)
    before = os.lstat(path)
    p = node.plugin()
    k = node.kubelet()
    p.says("%s is no socket: it is left as it is" % path)
    assert not k.requests
    assert os.lstat(path).st_ino == before.st_ino
    if os.path.isdir(path):
        os.rmdir(path)
    else:
        os.unlink(path)
    k.endpoint()
    assert p.text().count("is no socket: it is left as it is") <= 2  # not at each try


def test_two_hundred_restarts(node):
    p = node.plugin()
    k = node.kubelet()
    k.endpoint()
    memory = None
    for i in range(200):
        k.stop(unlink=i % 2 == 0)
        k = node.kubelet(old=i % 3 == 0)
        k.endpoint()
        if i == 20:
            memory = p.memory_kib()
    # Three standard ones, epoll, signals, two inotify, listener, the kubelet's connection.
    wait(lambda: p.descriptors() == 9)
    assert p.memory_kib() <= memory + 128
    assert p.text().count("the kubelet watches the devices") == 201


# --- The program


def test_refuses_wrong_usage():
    for args, why in [
            (["--count", "0"], "--count"),
            (["--count", "100001"], "--count"),
            (["--mode", "dir"], "'dir' is not devices or directory"),
            (["--permissions", "rx"], "'rx' is not some of"),
            (["--permissions", "rwmr"], "'rwmr' is not some of"),
            (["--permissions", "rr"], "each once"),
            (["--plugin-dir", "relative"], "not an absolute path"),
            (["--dev-dir", "/x/"], "not an absolute path"),
            (["--plugin-dir", "/" + "x" * 100], "too long for a socket"),
            (["--socket", "a/b"], "is not a file name"),
            (["--socket", "kubelet.sock"], "the kubelet's own"),
            (["--socket", "kubelet_internal_checkpoint"], "the kubelet's own"),
            (["--socket", ".x"], "hidden"),
            (["--resource", "none"], "has no '/'"),
            (["--resource", "a.kubernetes.io/x"], "Kubernetes' own"),
            (["--resource", "requests.a/x"], "requests."),
            (["--resource", "A/x"], "no lower-case domain name"),
            (["--resource", "a..b/x"], "no lower-case domain name"),
            (["--resource", "-a/x"], "no lower-case domain name"),
            (["--resource", "a/"], "behind '/'"),
            (["--resource", "a/-x"], "behind '/'"),
            (["--resource", "a/x/y"], "behind '/'"),
            (["--resource", "a/" + "x" * 64], "behind '/'"),
            (["--resource", "a" * 245 + "/x"], "no lower-case domain name"),
            (["--listen", "x"], "--listen"),
            (["--log-level", "loud"], "--log-level"),
            (["--nothing"], "--nothing"),
            (["operand"], "operand")]:
        r = subprocess.run([PLUGIN, *args], capture_output=True, text=True, timeout=20)
        assert r.returncode == 100, (args, r.stderr)
        assert why in r.stderr and r.stderr.count("\n") == 1, (args, r.stderr)


def test_system_fails():
    with socket.create_server(("127.0.0.1", 0)) as s:
        r = subprocess.run([PLUGIN, "--listen", "127.0.0.1:%d" % s.getsockname()[1]],
                           capture_output=True, text=True, timeout=20)
    assert r.returncode == 111
    assert "Address" in r.stderr and "in use" in r.stderr and "stopped" not in r.stderr


def test_help_version_check():
    r = subprocess.run([PLUGIN, "--help"], capture_output=True, text=True, timeout=20)
    assert r.returncode == 0 and "--plugin-dir" in r.stdout
    r = subprocess.run([PLUGIN, "--version"], capture_output=True, text=True, timeout=20)
    assert r.returncode == 0 and r.stdout.startswith("rdma-dummy-dp ")
    r = subprocess.run([PLUGIN, "--check-config"], capture_output=True, text=True, timeout=20)
    assert (r.returncode, r.stdout, r.stderr) == (0, "", "")


def get(port, path):
    try:
        with urllib.request.urlopen("http://127.0.0.1:%s%s" % (port, path), timeout=20) as r:
            return r.status, r.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def test_endpoints(node):
    p = node.plugin("--listen", "127.0.0.1:0")
    p.says("listening on")
    port = re.search(r"listening on 127.0.0.1:(\d+)", p.text()).group(1)
    assert get(port, "/healthz") == (200, "ok\n")
    status, why = get(port, "/readyz")
    assert status == 503 and "waiting for the kubelet: no" in why
    e = node.kubelet().endpoint()
    wait(lambda: get(port, "/readyz") == (200, "ok\n"))
    e.client.call("Allocate", request(ids_of(e, 1)))
    status, text = get(port, "/metrics")
    assert status == 200
    for line in ['ferrule_dp_state{state="streaming"} 1', 'ferrule_dp_state{state="waiting"} 0',
                 "ferrule_dp_devices 10000", "ferrule_dp_healthy 1", "ferrule_dp_nodes 1",
                 "ferrule_dp_streams 1", "ferrule_dp_registrations_total 1",
                 "ferrule_dp_allocations_total 1", 'ferrule_dp_calls_total{status="OK"} 2']:
        assert "\n%s\n" % line in text, text
    node.kubelets[0].stop()
    wait(lambda: get(port, "/readyz")[0] == 503)


def test_has_no_privilege(node):
    p, _ = node.pair()
    with open("/proc/%d/status" % p.proc.pid, encoding="ascii") as f:
        status = dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[name], 16) == 0, name
    assert status["NoNewPrivs"] == "1"
    assert os.stat(p.socket).st_mode & 0o777 == 0o600


def test_any_user_with_a_writable_folder(node):
    os.chown(node.folder, 65534, 65534)
    p = node.plugin(user=65534, group=65534, extra_groups=[])
    k = node.kubelet(wipe=False)
    os.chmod(k.path, 0o777)
    k.endpoint()
    assert os.stat(p.socket).st_uid == 65534


def test_folder_not_writable(node):
    """Nor readable at first: that changes without anything being made or moved."""
    p = node.plugin(user=65534, group=65534, extra_groups=[])
    p.says("waiting for the kubelet")
    os.chmod(node.folder, 0o755)
    node.kubelet(wipe=False)
    p.says("make a socket in %s: Permission denied" % node.folder)
    assert p.proc.poll() is None


def test_folder_that_may_not_be_searched(node):
    os.chmod(node.folder, 0o744)
    p = node.plugin(user=65534, group=65534, extra_groups=[])
    p.says("waiting for the kubelet: %s/kubelet.sock: Permission denied" % node.folder)


def test_folder_that_may_not_be_read(node):
    """No watch can be had; that is said once, and looking goes on by the clock."""
    os.chmod(node.folder, 0o733)
    p = node.plugin(user=65534, group=65534, extra_groups=[])
    p.says("cannot watch %s: Permission denied" % node.folder)
    p.says("waiting for the kubelet: no")
    k = node.kubelet(wipe=False)
    os.chmod(k.path, 0o777)
    k.endpoint()
    k.stop()
    p.says("waiting for the kubelet: no", 2)
    assert p.text().count("cannot watch") == 1
    os.chmod(node.folder, 0o777)
    p.says("watching %s" % node.folder, 1)
    k = node.kubelet(wipe=False)
    os.chmod(k.path, 0o777)
    k.endpoint()


def test_read_only_root(node):
    script = ("mount --make-rprivate / && mount --bind %s %s && mount -o remount,ro,bind / && "
              "exec \"$@\"" % (node.base, node.base))
    p, e = node.pair(prefix=["unshare", "-m", "sh", "-c", script, "sh"])
    assert len(e.devices()) == 10000
    p.stop()


def test_idle_does_nothing(node):
    """No timer under 10 s: an idle plugin makes no system call in two seconds."""
    p, _ = node.pair()

    def switches():
        with open("/proc/%d/status" % p.proc.pid, encoding="ascii") as f:
            return sum(int(n) for n in re.findall(r"ctxt_switches:\s+(\d+)", f.read()))

    wait(lambda: (lambda a: (time.sleep(0.5), a == switches())[1])(switches()))
    before = switches()
    time.sleep(2)
    assert switches() - before <= 1
