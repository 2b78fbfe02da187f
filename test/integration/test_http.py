# SPDX-License-Identifier: MIT
"""src/http as a program: http_echo driven by raw sockets and by curl."""
import os
import re
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

import pytest

TOOLS = Path(os.environ.get("FERRULE_TOOLS", "build/tools"))
GET = b"GET /small HTTP/1.1\r\nHost: a\r\n\r\n"


class Server:
    """A running http_echo; leaving the block stops it and checks that it ended well."""

    def __init__(self, *args, listen="127.0.0.1:0"):
        self.process = subprocess.Popen(
            [TOOLS / "http_echo", "--listen", listen, *args], stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.address = line.split()[2]
        self.port = int(self.address.rsplit(":", 1)[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.process.stdout.close()
        assert kind is not None or code == 0

    def connect(self):
        s = socket.create_connection(("127.0.0.1", self.port))
        s.settimeout(20)
        return s

    def talk(self, data):
        """Send data, end our side, return all that comes."""
        with self.connect() as s:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            return read_all(s)

    def status(self, name):
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{name}:\s+(\d+)", text, re.M).group(1))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def get(self, path):
        return self.talk(b"GET %s HTTP/1.0\r\n\r\n" % path.encode()).split(b"\r\n\r\n", 1)[1]


@pytest.fixture
def server():
    with Server() as s:
        yield s


def read_all(s):
    data = b""
    while part := s.recv(65536):
        data += part
    return data


def read_answer(s):
    """One answer with a Content-Length: (head, body)."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = s.recv(65536)
        assert part, data
        data += part
    head, body = data.split(b"\r\n\r\n", 1)
    length = int(re.search(rb"Content-Length: (\d+)", head).group(1))
    while len(body) < length:
        part = s.recv(65536)
        assert part
        body += part
    assert len(body) == length
    return head, body


def curl(*args):
    return subprocess.run(
        ["curl", "-sS", "--max-time", "20", *args], capture_output=True, check=True
    )


def wait_for(what, seconds=10):
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.01)


# --- curl


def test_curl_get(server):
    assert curl(f"{server.url}/small").stdout == b"small\n"
    big = curl(f"{server.url}/big").stdout
    assert len(big) == 1 << 20
    assert big == (b"abcdefghijklmnopqrstuvwxyz" * 40330)[: 1 << 20]


def test_curl_head(server):
    out = curl("-I", f"{server.url}/big").stdout
    assert out.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Length: 1048576\r\n" in out
    assert re.search(rb"\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n", out)


def test_curl_keeps_the_connection(server):
    out = curl("-v", f"{server.url}/small", f"{server.url}/nope", f"{server.url}/small")
    assert out.stdout == b"small\nno such path\nsmall\n"
    assert out.stderr.count(b"Connected to") == 1


def test_curl_upload_with_expect(server, tmp_path):
    data = os.urandom(2_000_000)
    (tmp_path / "in").write_bytes(data)
    out = curl("-v", "-T", tmp_path / "in", f"{server.url}/echo")
    assert b"> Expect: 100-continue" in out.stderr
    assert b"< HTTP/1.1 100 Continue" in out.stderr
    assert out.stdout == data


def test_curl_upload_chunked(server, tmp_path):
    data = os.urandom(3_000_000)
    (tmp_path / "in").write_bytes(data)
    out = curl("-T", tmp_path / "in", "-H", "Transfer-Encoding: chunked", f"{server.url}/echo")
    assert out.stdout == data


@pytest.mark.parametrize("coding", ["Expect:", "Transfer-Encoding: chunked"])
def test_curl_upload_too_large(coding, tmp_path):
    (tmp_path / "in").write_bytes(bytes(1 << 20))
    with Server("--max-body", "1000000") as server:
        out = curl("-i", "-T", tmp_path / "in", "-H", coding, f"{server.url}/echo")
        assert b"HTTP/1.1 413 Content Too Large\r\n" in out.stdout
        assert b"Connection: close\r\n" in out.stdout
        assert server.get("/bodies") == b"0 0\n"


def test_curl_wrong_method(server):
    out = curl("-i", "-X", "DELETE", f"{server.url}/echo").stdout
    assert out.startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")
    assert b"Allow: POST, PUT\r\n" in out
    assert curl("-i", "-X", "BREW", f"{server.url}/echo").stdout.startswith(b"HTTP/1.1 501 ")


def test_handler_sees_the_request(server):
    out = curl("-i", "-H", "X-Test: hey", f"{server.url}/info?a=b&c").stdout
    assert b"X-Info: yes\r\n" in out
    assert b"method GET\nquery a=b&c\nx-test hey\npeer 127.0.0.1:" in out


def test_no_response_splitting(server):
    out = curl("-i", f"{server.url}/split").stdout
    assert out.startswith(b"HTTP/1.1 500 ")
    assert b"Cookie" not in out
    assert curl("-i", f"{server.url}/overflow").stdout.startswith(b"HTTP/1.1 500 ")


def test_dual_stack():
    with Server(listen="0") as server:
        assert curl(f"http://127.0.0.1:{server.port}/small").stdout == b"small\n"
        if server.address.startswith("[::]"):
            assert curl(f"http://[::1]:{server.port}/small").stdout == b"small\n"


def test_port_in_use(server):
    out = subprocess.run(
        [TOOLS / "http_echo", "--listen", server.address], capture_output=True, timeout=20
    )
    assert out.returncode == 111
    assert f"listen on {server.address}: Address".encode() in out.stderr


# --- Framing


def test_pipelining(server):
    head = b"HEAD /small HTTP/1.1\r\nHost: a\r\n\r\n"
    later = b"GET /later?50 HTTP/1.1\r\nHost: a\r\n\r\n"
    post = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
    out = server.talk((GET + later + head + post) * 20)
    assert out.count(b"HTTP/1.1 200 OK\r\n") == 80
    bodies = re.findall(rb"\r\n\r\n(?!HTTP)([a-z\n]+?)(?=HTTP|$)", out)
    assert bodies == [b"small\n", b"later\n", b"abc"] * 20


def test_byte_by_byte(server):
    with server.connect() as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n":
            s.sendall(bytes([byte]))
        assert read_answer(s)[1] == b"abc"


POST = b"POST /echo HTTP/1.1\r\nHost: a\r\n"
HOSTILE = {
    "length and coding": (400, POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "coding and length": (400, POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"),
    "two lengths": (400, POST + b"Content-Length: 0\r\nContent-Length: 40\r\n\r\n"),
    "list of lengths": (400, POST + b"Content-Length: 0, 40\r\n\r\n"),
    "signed length": (400, POST + b"Content-Length: +3\r\n\r\nabc"),
    "length in hexadecimal": (400, POST + b"Content-Length: 0x3\r\n\r\nabc"),
    "length over 64 bits": (400, POST + b"Content-Length: 18446744073709551619\r\n\r\nabc"),
    "other coding": (501, POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    "coding list": (501, POST + b"Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n"),
    "coding twice": (400, POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "coding with vertical tab": (400, POST + b"Transfer-Encoding:\vchunked\r\n\r\n0\r\n\r\n"),
    "blank before colon": (400, POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    "folded coding": (400, POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    "HTTP/1.0 with coding": (400, b"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "bare LF": (400, b"GET /small HTTP/1.1\nHost: a\n\n"),
    "bare CR": (400, b"GET /small HTTP/1.1\r\nHost: a\rX: y\r\n\r\n"),
    "NUL": (400, b"GET /small HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
    "no host": (400, b"GET /small HTTP/1.1\r\n\r\n"),
    "two hosts": (400, b"GET /small HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    "no version": (400, b"GET /small\r\n\r\n"),
    "two blanks": (400, b"GET  /small HTTP/1.1\r\nHost: a\r\n\r\n"),
    "leading blank": (400, b" GET /small HTTP/1.1\r\nHost: a\r\n\r\n"),
    "HTTP/2 preface": (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "TLS": (400, bytes.fromhex("1603010200010001fc0303")),
    "long line": (414, b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
    "long field": (431, b"GET /small HTTP/1.1\r\nHost: a\r\nX: " + b"b" * 17000 + b"\r\n\r\n"),
    "many fields": (431, b"GET /small HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 100 + b"\r\n"),
    "unknown expectation": (417, POST + b"Expect: x\r\n\r\n"),
    "coded body": (415, POST + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"),
    "no chunk size": (400, POST + b"Transfer-Encoding: chunked\r\n\r\n\r\nabc\r\n0\r\n\r\n"),
    "chunk size with blank": (400, POST + b"Transfer-Encoding: chunked\r\n\r\n3 \r\nabc\r\n0\r\n\r\n"),
    "negative chunk size": (400, POST + b"Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n"),
    "chunk size over 64 bits": (400, POST + b"Transfer-Encoding: chunked\r\n\r\n10000000000000003\r\nabc\r\n0\r\n\r\n"),
    "huge chunk": (413, POST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc"),
    "bytes behind chunk": (400, POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"),
    "chunk ends with LF": (400, POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\n0\r\n\r\n"),
    "long chunk extension": (413, POST + b"Transfer-Encoding: chunked\r\n\r\n3;" + b"x" * 300 + b"\r\nabc\r\n0\r\n\r\n"),
    "long trailer": (413, POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"t" * 5000 + b"\r\n\r\n"),
    "huge length": (413, POST + b"Content-Length: 18446744073709551615\r\n\r\nabc"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_framing(server, name):
    """One answer with the right status, then the end: what follows is never a request."""
    status, data = HOSTILE[name]
    for pieces in (1, 3):
        with server.connect() as s:
            step = len(data) // pieces + 1
            for at in range(0, len(data), step):
                s.sendall(data[at : at + step])
                time.sleep(0.005 * (pieces - 1))
            s.sendall(GET)
            out = read_all(s)
        assert out.startswith(b"HTTP/1.1 %d " % status), out
        assert len(re.findall(rb"^HTTP/1\.1 \d", out, re.M)) == 1
        assert b"\r\nConnection: close\r\n" in out
    assert server.get("/bodies") == b"0 0\n"
    assert server.talk(GET).endswith(b"\r\n\r\nsmall\n")


def test_answer_survives_unread_bytes(server):
    """Closing with unread bytes would reset the connection and destroy the answer."""
    for _ in range(20):
        with server.connect() as s:
            s.sendall(b"nonsense\r\n" + b"x" * 60000)
            out = read_all(s)
        assert out.startswith(b"HTTP/1.1 400 ") and out.endswith(b"version'\n")


# --- Slow, half-closed, vanishing


def test_half_close(server):
    assert server.talk(GET).endswith(b"\r\n\r\nsmall\n")
    assert server.talk(b"GET /later?100 HTTP/1.1\r\nHost: a\r\n\r\n").endswith(b"later\n")
    assert server.talk(GET[:20]).startswith(b"HTTP/1.1 400 ")
    assert server.talk(b"") == b""


def test_slow_heads_cost_nothing_to_others():
    with Server("--head-ms", "1500", "--conns", "20") as server:
        slow = [server.connect() for _ in range(10)]
        ended = {}
        while len(ended) < len(slow):
            for s in slow:
                if s not in ended:
                    try:
                        s.sendall(b"G")
                        s.setblocking(False)
                        ended[s] = s.recv(65536)
                    except (BlockingIOError, InterruptedError):
                        pass
                    finally:
                        s.settimeout(20)
            assert server.talk(GET).endswith(b"small\n")
            time.sleep(0.02)
        for s in slow:
            assert ended[s].startswith(b"HTTP/1.1 408 Request Timeout\r\n")
            s.close()


def test_idle_connection_is_closed_silently():
    with Server("--idle-ms", "200") as server:
        with server.connect() as s:
            s.sendall(GET)
            assert read_answer(s)[1] == b"small\n"
            assert read_all(s) == b""


def test_slow_reader():
    with Server("--write-ms", "500", "--big", "50000000") as server:
        with server.connect() as s:
            s.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
            wait_for(lambda: server.get("/bodies") == b"0 1\n")
            wait_for(lambda: server.get("/bodies") == b"0 0\n")
            assert server.talk(GET).endswith(b"small\n")


def test_reset_in_the_middle_of_an_answer():
    with Server("--big", "50000000") as server:
        for _ in range(20):
            with server.connect() as s:
                s.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
                s.recv(1000)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wait_for(lambda: server.get("/bodies") == b"0 0\n")


def test_full_table_recovers():
    with Server("--conns", "4") as server:
        held = [server.connect() for _ in range(4)]
        for s in held:
            s.sendall(GET)
            read_answer(s)
        waiting = [server.connect() for _ in range(8)]
        for s in waiting:
            s.sendall(GET)
        waiting[0].settimeout(0.3)
        with pytest.raises(TimeoutError):
            waiting[0].recv(1)
        before = cpu_ticks(server)
        time.sleep(0.3)
        assert cpu_ticks(server) - before < 10  # it waits, it does not spin
        for s in held:
            s.close()
        for s in waiting:
            s.settimeout(20)
            assert read_answer(s)[1] == b"small\n"
            s.close()


def cpu_ticks(server):
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


# --- Memory and descriptors


def test_ten_thousand_requests(server):
    def some(n):
        for _ in range(n // 100):
            with server.connect() as s:
                s.sendall(GET * 99 + b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nsome body")
                s.shutdown(socket.SHUT_WR)
                assert read_all(s).count(b"HTTP/1.1 200 OK") == 100

    some(1000)
    descriptors, memory = server.descriptors(), server.status("VmRSS")
    some(10000)
    wait_for(lambda: server.descriptors() == descriptors)
    assert server.status("VmRSS") < memory + 200


def test_memory_of_idle_connections():
    with Server("--conns", "256", "--big", "4096") as server:
        server.talk(GET)
        memory = server.status("VmRSS")
        kept = [server.connect() for _ in range(200)]
        for s in kept:
            s.sendall(GET)
            read_answer(s)
        assert server.status("VmRSS") < memory + 300
        for s in kept:
            s.close()


def test_metrics(server):
    server.talk(GET)
    server.talk(b"nonsense\r\n")
    text = server.get("/metrics").decode()
    assert 'ferrule_http_requests_total{route="/small",code="2xx"} 1\n' in text
    assert 'ferrule_http_requests_total{route="",code="4xx"} 1\n' in text
    assert "ferrule_http_connections 1\n" in text
    assert "ferrule_http_connections_accepted_total 3\n" in text
    for line in text.splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [0-9.]+', line)


def test_load_generator(server):
    out = subprocess.run(
        [TOOLS / "http_load", "--connect", server.address, "--path", "/small", "--conns", "8", "--seconds", "1"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert out.returncode == 0, out.stderr
    assert re.fullmatch(
        r"requests \d+ seconds \d+\.\d{3} requests_per_s \d+ p50_us \d+ p99_us \d+ max_us \d+ errors 0\n",
        out.stdout,
    )
    out = subprocess.run(
        [TOOLS / "http_load", "--connect", server.address, "--path", "/nope", "--seconds", "1"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert out.returncode == 1
    assert "the status is not 200" in out.stderr


# --- Stop


def test_stop_finishes_what_has_begun():
    with Server() as server:
        idle, busy, half = server.connect(), server.connect(), server.connect()
        idle.sendall(GET)
        read_answer(idle)
        busy.sendall(b"GET /later?700 HTTP/1.1\r\nHost: a\r\n\r\n")
        half.sendall(GET[:20])
        wait_for(lambda: b"connections 4\n" in server.get("/metrics"))
        server.process.send_signal(signal.SIGTERM)
        assert read_all(idle) == b""
        with pytest.raises(ConnectionRefusedError):
            server.connect()
        half.sendall(GET[20:])
        out = read_all(half)
        assert b"\r\nConnection: close\r\n" in out and out.endswith(b"small\n")
        assert read_all(busy).endswith(b"later\n")
        for s in (idle, busy, half):
            s.close()
        assert server.process.wait(10) == 0


def test_stop_when_idle(server):
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(10) == 0
