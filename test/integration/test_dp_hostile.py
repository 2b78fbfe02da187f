# SPDX-License-Identifier: MIT
"""rdma-dummy-dp and peers that are no kubelet: other HTTP/2 clients, old ones, hostile ones.

Beside each of them stands an honest kubelet that must be served, and memory must stay bounded.
"""
import os
import re
import shutil
import socket
import struct
import subprocess

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (ConnectionTerminated, DataReceived, ResponseReceived, StreamEnded,
                       StreamReset, TrailersReceived)
from hpack import Encoder

from kubelet import DP, PLUGIN_ASAN, Kubelet, Plugin, make_device, pb, raw_connection, wait

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\0\0\0\4\0\0\0\0\0"
MEMORY_KIB = 8 * 1024  # of the release program, whatever one peer does (a message may be 4 MiB)


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + \
        struct.pack(">I", stream) + payload


def headers(path=DP + "Allocate", authority="localhost", **more):
    out = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", authority),
           ("content-type", "application/grpc"), ("te", "trailers")]
    for name, value in more.items():
        name = name.replace("_", "-")
        out = [(n, v) for n, v in out if n.strip(":") != name] + \
            [(":" + name if name == "method" else name, value)]
    return sorted(out, key=lambda f: not f[0].startswith(":"))


def message(data=b""):
    return b"\0" + struct.pack(">I", len(data)) + data


class Peer:
    """An HTTP/2 client that does what it is told."""

    def __init__(self, path):
        self.sock = raw_connection(path)
        self.h2 = H2Connection(config=H2Configuration(
            client_side=True, header_encoding="utf-8", validate_outbound_headers=False,
            normalize_outbound_headers=False, validate_inbound_headers=False))
        self.h2.initiate_connection()
        self.flush()

    def flush(self):
        self.sock.sendall(self.h2.data_to_send())

    def open(self, fields, data=None, end=True):
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, fields, end_stream=end and data is None)
        if data is not None:
            self.h2.send_data(stream, data, end_stream=end)
        self.flush()
        return stream

    def answer(self, stream):
        """Headers, data and trailers (or how the stream was reset)."""
        head, data, tail = {}, b"", {}
        while True:
            got = self.sock.recv(65536)
            if not got:
                return head, data, {"closed": True}
            for event in self.h2.receive_data(got):
                if isinstance(event, ConnectionTerminated):
                    return head, data, {"goaway": event.error_code}
                if getattr(event, "stream_id", None) != stream:
                    continue
                if isinstance(event, ResponseReceived):
                    head = dict(event.headers)
                elif isinstance(event, TrailersReceived):
                    tail = dict(event.headers)
                elif isinstance(event, DataReceived):
                    data += event.data
                    self.h2.acknowledge_received_data(event.flow_controlled_length, stream)
                elif isinstance(event, StreamReset):
                    return head, data, {"reset": event.error_code}
                elif isinstance(event, StreamEnded):
                    self.flush()
                    return head, data, tail
            self.flush()

    def close(self):
        self.sock.close()


class Beside:
    """A plugin, its kubelet, and the proof that both still work."""

    def __init__(self, base, program=None):
        self.base = base
        shutil.rmtree(base, ignore_errors=True)
        os.makedirs(base + "/dp")
        os.mkdir(base + "/infiniband")
        make_device(base + "/infiniband", "uverbs0")
        kw = {"program": program} if program else {}
        self.plugin = Plugin(base + "/dp", base + "/infiniband", "--listen", "127.0.0.1:0",
                             log=base + "/log", **kw)
        self.kubelet = Kubelet(base + "/dp").start()
        self.endpoint = self.kubelet.endpoint()
        self.ask()

    def ask(self):
        ids = [self.endpoint.devices()[0].ID]
        answer = self.endpoint.client.call("Allocate", pb.AllocateRequest(
            container_requests=[pb.ContainerAllocateRequest(devices_ids=ids)]))
        assert len(answer.container_responses[0].devices) == 1
        assert not self.endpoint.ended.is_set()
        assert len(self.kubelet.requests) == 1

    def close(self):
        try:
            self.ask()
            self.plugin.stop()
        finally:
            self.kubelet.stop()
            if self.plugin.proc.poll() is None:
                self.plugin.proc.kill()
                self.plugin.proc.wait()
            shutil.rmtree(self.base)


# Memory is counted in the release program, its misuse found in the sanitized one.
@pytest.fixture(params=["release", "asan"])
def beside(request):
    if os.geteuid() != 0:
        pytest.skip("device nodes need root")
    asan = request.param == "asan"
    b = Beside("/tmp/dph-%d" % os.getpid(), PLUGIN_ASAN if asan else None)
    b.asan = asan
    yield b
    if not asan:
        assert b.plugin.memory_kib("VmHWM") < MEMORY_KIB
    b.close()


def swallow(sock, data):
    """Sends as much as the peer takes; it may well have hung up."""
    try:
        sock.sendall(data)
    except (BrokenPipeError, ConnectionResetError, socket.timeout):
        pass


def ends(sock):
    """The peer closes the connection (and may say why before)."""
    got = b""
    try:
        while True:
            part = sock.recv(65536)
            if not part:
                return got
            got += part
    except ConnectionResetError:
        return got


# --- Requests by hand


@pytest.mark.parametrize("authority", [
    "/var/lib/kubelet/device-plugins/x.sock", "%2Fvar%2Flib%2Fx.sock", "localhost", "",
    "unix:/x y\"<>"])
def test_any_authority(beside, authority):
    p = Peer(beside.plugin.socket)
    stream = p.open(headers(DP + "GetDevicePluginOptions", authority), message())
    head, data, tail = p.answer(stream)
    assert head[":status"] == "200" and head["content-type"] == "application/grpc"
    assert data == message() and tail == {"grpc-status": "0"}
    p.close()


def test_pieces_of_any_size(beside):
    p = Peer(beside.plugin.socket)
    stream = p.open(headers(), end=False)
    for byte in message(b"\x0a\x00\x0a\x00"):
        p.h2.send_data(stream, bytes([byte]))
        p.flush()
    p.h2.send_data(stream, b"", end_stream=True)
    p.flush()
    _, data, tail = p.answer(stream)
    assert data == message(b"\x0a\x00\x0a\x00") and tail["grpc-status"] == "0"
    p.close()


@pytest.mark.parametrize("fields, data, status, text", [
    ({}, None, "13", "no message in the request"),
    ({}, b"", "13", "no message in the request"),
    ({}, b"\0\0", "13", "the message is cut short"),
    ({}, b"\0\0\0\0\5abcd", "13", "the message is cut short"),
    ({}, message() + message(), "13", "more than one message"),
    ({}, b"\1\0\0\0\0", "12", "compressed"),
    ({}, b"\2\0\0\0\0", "13", "neither 0 nor 1"),
    ({}, b"\0\xff\xff\xff\xff", "8", "a message of 4294967295 bytes is larger than 4194304"),
    ({"grpc_encoding": "gzip"}, message(), "12", "compressed"),
    ({"grpc_timeout": "1"}, message(), "13", "grpc-timeout"),
    ({"grpc_timeout": "123456789S"}, message(), "13", "grpc-timeout"),
    ({"grpc_timeout": "-1S"}, message(), "13", "grpc-timeout"),
    ({"grpc_timeout": "1X"}, message(), "13", "grpc-timeout"),
    ({"path": "/" + "x" * 4000}, message(), "12", "unknown method with too long a name"),
    ({"path": "/%\u00e9\t"}, message(), "12", "unknown method /%25%C3%A9%09"),
], ids=lambda v: v if isinstance(v, str) and v.isdigit() else "")
def test_refused_request(beside, fields, data, status, text):
    p = Peer(beside.plugin.socket)
    head, _, tail = p.answer(p.open(headers(**fields), data))
    got = {**head, **tail}
    assert got.get(":status") == "200"
    assert got["grpc-status"] == status and text in got["grpc-message"], got
    p.close()


@pytest.mark.parametrize("fields, status", [
    ({"content_type": "text/html"}, "415"), ({"content_type": "application/grpcx"}, "415"),
    ({"method": "GET"}, "405")])
def test_no_grpc(beside, fields, status):
    p = Peer(beside.plugin.socket)
    head, _, _ = p.answer(p.open(headers(**fields), message()))
    assert head[":status"] == status
    p.close()


@pytest.mark.parametrize("kind", ["application/grpc+proto", "application/grpc;x=y",
                                  "Application/GRPC"])
def test_content_types(beside, kind):
    p = Peer(beside.plugin.socket)
    _, _, tail = p.answer(p.open(headers(content_type=kind), message()))
    assert tail["grpc-status"] == "0"
    p.close()


def test_deadline_of_a_stream(beside):
    p = Peer(beside.plugin.socket)
    head, _, tail = p.answer(p.open(headers(DP + "ListAndWatch", grpc_timeout="100m"), message()))
    assert head[":status"] == "200" and tail == {"reset": 8}
    p.close()


def test_deadline_of_a_request(beside):
    p = Peer(beside.plugin.socket)
    head, _, _ = p.answer(p.open(headers(grpc_timeout="50000u"), end=False))
    assert head["grpc-status"] == "4"
    p.close()


def test_ping_and_settings_are_answered(beside):
    s = raw_connection(beside.plugin.socket)
    s.sendall(PREFACE + SETTINGS + frame(6, 0, 0, b"\2\4\20\20\11\16\7\7") +
              frame(4, 0, 0, struct.pack(">HI", 4, 1 << 24)))
    want = [frame(4, 1, 0), frame(6, 1, 0, b"\2\4\20\20\11\16\7\7"), frame(4, 1, 0)]
    got = b""
    while not all(w in got for w in want):
        part = s.recv(4096)
        assert part, got
        got += part
    s.close()


def test_goaway_leaves_calls_alone(beside):
    p = Peer(beside.plugin.socket)
    stream = p.open(headers(DP + "ListAndWatch"), message())
    p.sock.sendall(frame(7, 0, 0, struct.pack(">II", 0, 0)))
    os.unlink(beside.base + "/infiniband/uverbs0")
    data = b""
    while data.count(b"Unhealthy") < 10000:
        for event in p.h2.receive_data(p.sock.recv(65536)):
            if isinstance(event, DataReceived):
                data += event.data
                p.h2.acknowledge_received_data(event.flow_controlled_length, stream)
        p.flush()
    make_device(beside.base + "/infiniband", "uverbs0")
    p.close()


def test_a_window_of_one_byte_at_a_time(beside):
    p = Peer(beside.plugin.socket)
    p.h2.update_settings({4: 1})  # SETTINGS_INITIAL_WINDOW_SIZE
    p.flush()
    stream = p.open(headers(DP + "ListAndWatch"), message())
    got = b""
    while len(got) < 50:
        for event in p.h2.receive_data(p.sock.recv(65536)):
            if isinstance(event, DataReceived):
                got += event.data
                p.h2.increment_flow_control_window(1, stream)
        p.flush()
    assert got[:1] == b"\0" and got[5:9] == b"\x0a\x1b\x0a\x10"
    p.close()


# --- Hostile peers


@pytest.mark.parametrize("data", [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", bytes(range(256)) * 64,
    PREFACE[:-1] + b"x", PREFACE + b"\xff" * 9, PREFACE + frame(0, 0, 1, b"x"),
    PREFACE + frame(4, 0, 0, b"12345"), PREFACE + SETTINGS + frame(6, 0, 0, b"123"),
    PREFACE + SETTINGS + frame(8, 0, 0, b"\0\0\0\0"), PREFACE + SETTINGS + frame(1, 4, 2, b"\x82"),
    PREFACE + SETTINGS + frame(1, 4, 1, b"\xff\xff\xff\xff\xff\xff"),
    PREFACE + SETTINGS + frame(5, 4, 1, b"\0\0\0\2\x82"),
    PREFACE + SETTINGS + b"\xff\xff\xff\0\0\0\0\0\1" + b"x" * 100000],
    ids=["http1", "tls", "bytes", "preface", "frame", "data-first", "settings-size", "ping-size",
         "window-zero", "even-stream", "hpack", "push", "long-frame"])
def test_garbage(beside, data):
    s = raw_connection(beside.plugin.socket)
    swallow(s, data)
    ends(s)
    s.close()


def test_settings_flood(beside):
    s = raw_connection(beside.plugin.socket)
    swallow(s, PREFACE + SETTINGS * 1000000)
    s.close()


def test_ping_flood_unread(beside):
    s = raw_connection(beside.plugin.socket)
    swallow(s, PREFACE + SETTINGS + frame(6, 0, 0, b"x" * 8) * 1000000)
    s.close()


def streams(n, *more):
    """Calls of ListAndWatch on n streams, each followed by the frames that more makes for it."""
    enc = Encoder()
    out = [PREFACE, SETTINGS]
    for number in range(1, 2 * n, 2):
        out.append(frame(1, 4, number, enc.encode(headers(DP + "ListAndWatch"))))
        out.append(frame(0, 1, number, message()))
        out += [make(number) for make in more]
    return b"".join(out)


def test_reset_flood(beside):
    s = raw_connection(beside.plugin.socket)
    swallow(s, streams(20000, lambda number: frame(3, 0, number, b"\0\0\0\x08")))
    ends(s)
    s.close()


def test_thousands_of_streams(beside):
    s = raw_connection(beside.plugin.socket)
    swallow(s, streams(5000))
    s.close()


def test_continuation_flood(beside):
    s = raw_connection(beside.plugin.socket)
    swallow(s, PREFACE + SETTINGS + frame(1, 0, 1, Encoder().encode(headers())) +
            frame(9, 0, 1, b"\0\1a\1b" * 100) * 10000)
    ends(s)
    s.close()


def test_header_bomb(beside):
    """One entry of 4,000 bytes in the dynamic table, and thousands of one-byte references to it."""
    s = raw_connection(beside.plugin.socket)
    enc = Encoder()
    block = enc.encode(headers()) + enc.encode([("x", "a" * 4000)])
    s.sendall(PREFACE + SETTINGS)
    for i in range(20):
        swallow(s, frame(1, 0, 2 * i + 1, block if i == 0 else enc.encode(headers())) +
                frame(9, 4, 2 * i + 1, b"\xbe" * 16000))
    got = s.recv(65536)
    assert got
    s.close()


def test_too_many_headers(beside):
    p = Peer(beside.plugin.socket)
    head, _, _ = p.answer(p.open(headers() + [("x-%d" % i, "y" * 50) for i in range(200)],
                                 message()))
    assert head["grpc-status"] == "8" and "headers" in head["grpc-message"]
    p.close()


def test_a_peer_that_never_reads(beside):
    peers = []
    for _ in range(4):
        p = Peer(beside.plugin.socket)
        p.h2.increment_flow_control_window(1 << 30)
        p.h2.update_settings({4: (1 << 31) - 1})
        p.flush()
        for _ in range(60):
            p.open(headers(DP + "ListAndWatch"), message())
        peers.append(p)
    for _ in range(10):
        os.unlink(beside.base + "/infiniband/uverbs0")
        make_device(beside.base + "/infiniband", "uverbs0")
    beside.ask()
    for p in peers:
        p.close()


def test_messages_promised_and_not_sent(beside):
    p = Peer(beside.plugin.socket)
    for _ in range(40):
        p.open(headers(), b"\0\0\x40\0\0" + b"x" * 1000, end=False)
    beside.ask()
    p.close()


def test_half_open(beside):
    """Connections that say nothing, or half a preface, or no request: more than there is room for."""
    socks = []
    for i in range(50):
        s = raw_connection(beside.plugin.socket)
        swallow(s, [b"", PREFACE[:10], PREFACE + SETTINGS][i % 3])
        socks.append(s)
    beside.ask()
    p = Peer(beside.plugin.socket)
    _, _, tail = p.answer(p.open(headers(), message()))
    assert tail["grpc-status"] == "0"
    p.close()
    for s in socks:
        s.close()


def test_connections_come_and_go(beside):
    for i in range(300):
        s = raw_connection(beside.plugin.socket)
        swallow(s, PREFACE + SETTINGS)
        if i % 2:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
    wait(lambda: beside.plugin.descriptors() < 15)


def test_peer_closes_half(beside):
    s = raw_connection(beside.plugin.socket)
    s.sendall(PREFACE + SETTINGS)
    s.shutdown(socket.SHUT_WR)
    ends(s)
    s.close()


# --- nghttp2's own programs


def message_file(beside):
    name = os.path.join(beside.base, "data")
    with open(name, "wb") as f:
        f.write(message())
    return name


def test_nghttp(beside):
    """nghttp cannot dial a unix socket: a relay gives it a port."""
    with relay(beside) as port:
        data = message_file(beside)
        r = subprocess.run(
            ["nghttp", "-v", "-d", data, "-H", "content-type: application/grpc", "-H",
             "te: trailers", "http://127.0.0.1:%d%sGetDevicePluginOptions" % (port, DP)],
            capture_output=True, text=True, timeout=60)
        plain = re.sub(r"\x1b\[[0-9;]*m", "", r.stdout)
        assert ":status: 200" in plain and "grpc-status: 0" in plain, plain + r.stderr


def test_h2load(beside):
    with relay(beside) as port:
        data = message_file(beside)
        r = subprocess.run(
            ["h2load", "-n", "2000", "-c", "4", "-m", "32", "-d", data, "-H",
             "content-type: application/grpc", "http://127.0.0.1:%d%sAllocate" % (port, DP)],
            capture_output=True, text=True, timeout=120)
        assert "2000 succeeded, 0 failed" in r.stdout, r.stdout + r.stderr


class relay:
    """A TCP port on the loopback that leads to the plugin's socket."""

    def __init__(self, beside):
        self.path = beside.plugin.socket

    def __enter__(self):
        s = socket.create_server(("127.0.0.1", 0))
        self.port = s.getsockname()[1]
        s.close()
        self.proc = subprocess.Popen(["/usr/bin/python3", os.path.join(
            os.path.dirname(__file__), "relay.py"), str(self.port), self.path])

        def up():
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return True
            except ConnectionRefusedError:
                return False

        wait(up)
        return self.port

    def __exit__(self, *exc):
        self.proc.kill()
        self.proc.wait()
