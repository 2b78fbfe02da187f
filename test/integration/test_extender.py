# SPDX-License-Identifier: MIT
"""rdma-scheduler-extender against simulated nodes on loopback, spoken to with curl."""
import json
import os
import random
import re
import socket
import struct
import subprocess
import threading
import time

import pytest

from simnodes import (EXTENDER, FILTER, MALFORMED, NO_INFO, NO_ROOM, Extender, SimNode, args,
                      node_object, pick_port, pod, reply, wait_for)


class Cluster:
    def __init__(self):
        self.port = pick_port()
        self.nodes = []
        self.ext = None

    def add(self, **kw):
        n = SimNode("127.77.0.%d" % (len(self.nodes) + 1), self.port, **kw)
        self.nodes.append(n)
        return n

    def start(self, *more, **kw):
        self.ext = Extender(self.port, *more, **kw)
        return self.ext


@pytest.fixture
def cluster():
    c = Cluster()
    yield c
    if c.ext is not None and c.ext.proc.poll() is None:
        c.ext.stop()
    for n in c.nodes:
        n.close()


# --- Messages

def test_full_nodes_come_back_byte_for_byte(cluster):
    a, b = cluster.add(), cluster.add(mbps=1000)
    ext = cluster.start()
    odd = '{ "metadata" : {"name":"%s","labels":{"x":"\\u003c\\/é"} ,"n":1.50e1},' \
          '"status":{"addresses":[{"type":"InternalIP","address":"%s"}]}}' % (a.name, a.addr)
    body = '{"Pod":%s,"Nodes":{"metadata":{"resourceVersion":"7"},"items":[%s , %s]},' \
           '"NodeNames":null}' % (json.dumps(pod("u1", 5000)), odd, json.dumps(node_object(b)))
    status, text = ext.curl(FILTER, body)
    assert status == 200
    assert '"items":[%s]' % odd in text
    res = json.loads(text)
    assert list(res) == ["Nodes", "NodeNames", "FailedNodes", "FailedAndUnresolvableNodes", "Error"]
    # It would not fit there if the node were empty: preemption is not to be tried.
    assert res["FailedNodes"] == res["FailedAndUnresolvableNodes"] == {b.name: NO_ROOM}


@pytest.mark.parametrize("lower", [False, True])
def test_either_key_case_and_names(cluster, lower):
    a, b = cluster.add(), cluster.add()
    ext = cluster.start()
    ext.filter(pod("warm", 1), [a, b])
    body = args(pod("u1", 5000), [a, b], names=True)
    if lower:
        body = {k.lower(): v for k, v in body.items()}
    res = ext.json(FILTER, body)
    assert res["NodeNames"] == [a.name, b.name] and res["Nodes"] is None


def test_pod_without_annotation_passes_all_without_asking(cluster):
    a = cluster.add()
    ext = cluster.start()
    for meta in ({"name": "x"}, {"name": "x", "annotations": None},
                 {"name": "x", "annotations": {"other": "1", "RDMA_interfaces_required": "[{}]"}},
                 {"name": "x", "annotations": {"rdma_interfaces_required": " [] "}}):
        assert ext.filter({"metadata": meta}, [a])[0] == [a.name]
        assert ext.filter({"metadata": meta}, [a], names=True)[0] == [a.name]
    assert a.requests == []


def test_malformed_annotation_fails_every_node(cluster):
    a = cluster.add()
    ext = cluster.start()
    res = ext.json(FILTER, args(pod("u1", text='[{"min_tx_rat":5}]'), [a]))
    assert res["Nodes"]["items"] == [] and res["Error"] == ""
    assert res["FailedNodes"] == res["FailedAndUnresolvableNodes"] == {a.name: MALFORMED}
    assert any("malformed" in line and "min_tx_rat" in line for line in ext.log)


@pytest.mark.parametrize("body", [
    "", "x", "{", '{"Pod":}', '{"Pod":{}}x', '{"Pod":{},}', "[1,]", '{"a":01}', '{"a":"\x01"}',
    '{"Pod":{"metadata":{"uid":"\\x"}}}', "[" * 100 + "]" * 100, '{"Nodes":{"items":[{]}}',
    '{"NodeNames":["a" "b"]}'])
def test_what_is_not_json_is_400(cluster, body):
    ext = cluster.start()
    status, text = ext.curl(FILTER, body)
    assert status == 400 and text.strip() != ""


@pytest.mark.parametrize("body,why", [
    ("[]", "object"), ("null", "object"), ('"x"', "object"), ("{}", "Pod"), ('{"Pod":null}', "Pod"),
    ('{"Pod":3}', "Pod"), ('{"Pod":{"metadata":[]}}', "metadata"),
    ('{"Pod":{"metadata":{"annotations":{"rdma_interfaces_required":3}}}}', "annotation"),
    ('{"Pod":{},"Nodes":[]}', "Nodes"), ('{"Pod":{},"Nodes":{"items":{}}}', "items"),
    ('{"Pod":{},"Nodes":{"items":[1]}}', "items"), ('{"Pod":{},"Nodes":{"items":[{}]}}', "no name"),
    ('{"Pod":{},"Nodes":{"items":[null]}}', "no name"), ('{"Pod":{},"NodeNames":{}}', "NodeNames"),
    ('{"Pod":{},"NodeNames":[1]}', "NodeNames"), ('{"Pod":{},"NodeNames":[null]}', "no name"),
    ('{"Pod":{},"NodeNames":[""]}', "no name"), ('{"Pod":{"metadata":{"uid":5}}}', "uid"),
    ('{"Pod":{},"Nodes":{"items":[{"metadata":{"name":"100%s"},"status":3}]}}', "status")])
def test_json_that_is_not_extender_args_is_an_error(cluster, body, why):
    ext = cluster.start()
    res = ext.json(FILTER, body)
    assert why in res["Error"] and "%" not in res["Error"]
    assert not res["Nodes"] and not res["NodeNames"]


def test_null_and_absent_lists(cluster):
    ext = cluster.start()
    p = pod("u1", 1)
    for body in ({"Pod": p}, {"Pod": p, "Nodes": None, "NodeNames": None}):
        res = ext.json(FILTER, body)
        assert res["Nodes"] is None and res["NodeNames"] is None and res["Error"] == ""
    for body in ({"Pod": p, "Nodes": {}}, {"Pod": p, "Nodes": {"items": None}},
                 {"Pod": p, "Nodes": {"items": []}}):
        assert ext.json(FILTER, body)["Nodes"]["items"] == []
    assert ext.json(FILTER, {"Pod": p, "NodeNames": []})["NodeNames"] == []


def test_node_without_address_duplicates_and_pod_without_uid(cluster):
    a = cluster.add()
    ext = cluster.start()
    p = {"metadata": {"name": "x", "namespace": "y", "annotations": {
        "rdma_interfaces_required": '[{"min_tx_rate":60000}]'}}}
    body = {"Pod": p, "Nodes": {"items": [node_object(a), {"metadata": {"name": "lost"}},
                                          node_object(a)]}}
    res = ext.json(FILTER, body)
    assert [n["metadata"]["name"] for n in res["Nodes"]["items"]] == [a.name, a.name]
    assert res["FailedNodes"] == {"lost": NO_INFO}
    # Claimed once for both mentions, under the pod's name.
    assert [c["claimed_vfs"] for c in ext.node(a.name)["pfs"]] in ([1, 0], [0, 1])
    assert list(ext.claims()) == ["y/x"]
    del p["metadata"]["name"], p["metadata"]["namespace"]
    assert "neither uid nor name" in ext.json(FILTER, body)["Error"]


def test_65000_names(cluster):
    a = cluster.add()
    ext = cluster.start()
    ext.filter(pod("warm", 1), [a])
    names = ["n%05d" % i for i in range(65000)] + [a.name]
    res = ext.json(FILTER, {"Pod": pod("u1", 1), "NodeNames": names})
    assert res["NodeNames"] == [a.name] and len(res["FailedNodes"]) == 65000
    res = ext.json(FILTER, {"Pod": {"metadata": {"name": "x"}}, "NodeNames": names})
    assert res["NodeNames"] == names


def test_too_large_body_and_wrong_method(cluster):
    ext = cluster.start("--max-body", "1")
    assert ext.curl(FILTER, " " * (1 << 20) + "{}")[0] == 413
    assert ext.curl(FILTER)[0] == 405
    assert ext.curl("/scheduler")[0] == 404


# --- Nodes

def test_a_followed_node_is_not_asked_again(cluster):
    a = cluster.add()
    ext = cluster.start()
    for i in range(5):
        assert ext.filter(pod("u%d" % i, 1000), [a])[0] == [a.name]
    assert a.requests[0].startswith("/v1/node?vfs=used&after=0") and len(a.requests) == 2
    a.attach("other", 0, 100000)
    a.attach("other", 1, 100000)
    wait_for(lambda: ext.node(a.name)["pfs"][1]["reserved_mbps"] == 100000)
    assert ext.filter(pod("v", 1000), [a]) == ([], {a.name: NO_ROOM})
    assert ext.node(a.name)["state"] == "followed"


def test_a_plain_node_is_asked_each_time(cluster):
    a = cluster.add(plain=True)
    ext = cluster.start()
    for i in range(3):
        assert ext.filter(pod("u%d" % i, 1000), [a])[0] == [a.name]
    assert a.requests[1:] == ["/getpfs"] * 3


def hang(_c, _path):
    time.sleep(30)


def reset(c, _path):
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def slow(c, _path):
    for ch in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]":
        c.sendall(bytes([ch]))
        time.sleep(1)


def says(text, status=200):
    def fault(c, _path):
        reply(c, text, status)
        return True
    return fault


def lie(**change):
    pf = {"name": "pf0", "used_tx_rate": 0, "capacity_tx_rate": 100000, "used_vfs": 0,
          "capacity_vfs": 8, "vfs": []}
    pf.update(change)
    return says(json.dumps([pf]))


def huge(c, _path):
    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n")


def endless(c, _path):
    c.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        c.sendall(b"[" + b" " * 65536)


@pytest.mark.parametrize("fault", [
    hang, reset, slow, huge, endless, says("not json"), says("{}"), says("[1]"), says("[", 200),
    says("busy", 503), lie(used_vfs=-1), lie(capacity_tx_rate=1e99), lie(capacity_vfs=100000000),
    lie(used_vfs=9), lie(name=""), lie(capacity_tx_rate="100"), lie(capacity_tx_rate=1.5)])
def test_a_bad_node_harms_no_other(cluster, fault):
    bad, good = cluster.add(fault=fault), cluster.add()
    ext = cluster.start("--node-timeout", "1500")
    ok, failed = ext.filter(pod("u1", 1000), [bad, good])
    assert ok == [good.name] and failed == {bad.name: NO_INFO}
    # It is left alone for a while: the next call does not wait for it.
    asked = len(bad.requests)
    assert ext.filter(pod("u2", 1000), [bad, good])[0] == [good.name]
    assert len(bad.requests) == asked
    assert ext.node(bad.name)["problem"]


def test_answers_of_many_nodes_together_are_bounded(cluster):
    """Forty nodes say 7.9 MB each and then nothing: more than all together may hold."""
    text = b"HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n[" + b" " * 7900000

    def stall(c, _path):
        c.sendall(text)
        time.sleep(60)
    bad, good = [cluster.add(fault=stall) for _ in range(40)], [cluster.add() for _ in range(3)]
    ext = cluster.start("--node-timeout", "10000")
    ok, failed = ext.filter(pod("u1", 1000), bad + good)
    assert ok == [n.name for n in good] and failed == {n.name: NO_INFO for n in bad}
    assert ext.rss_kib("VmHWM") < 290 << 10  # 40 of them are 309 MiB
    why = [ext.node(n.name)["problem"] for n in bad]
    cut = [w for w in why if w and w.startswith("its answer was dropped: those of all nodes")]
    assert 5 <= len(cut) < 40, why
    for n in bad:
        n.fault = None
    wait_for(lambda: all(ext.node(n.name)["known"] for n in bad), 60)
    assert ext.rss_kib() < 60 << 10


def test_memory_of_refusals_goes_back(cluster):
    """Twenty nodes refuse /v1/node with 7.9 MB each, all at the same moment."""
    text = b"HTTP/1.1 404 X\r\nContent-Length: 7900000\r\n\r\n" + b"x" * 7899999
    together = threading.Barrier(20)

    def refuse(c, path):
        if path != "/getpfs":
            c.sendall(text)
            together.wait(20)
            c.sendall(b"x")
            return True
        reply(c, '[{"name":"pf0","used_tx_rate":0,"capacity_tx_rate":1000,"used_vfs":0,'
                 '"capacity_vfs":4,"vfs":[]}]')
        return True
    nodes = [cluster.add(fault=refuse) for _ in range(20)]
    ext = cluster.start("--node-timeout", "20000")
    assert ext.filter(pod("u1", 1), nodes)[0] == [n.name for n in nodes]
    assert ext.rss_kib("VmHWM") > 100 << 10
    assert ext.rss_kib() < 40 << 10


def test_more_in_use_than_there_is_leaves_nothing(cluster):
    a = cluster.add(fault=lie(used_tx_rate=200000))
    ext = cluster.start()
    assert ext.filter(pod("u1", 1), [a])[1] == {a.name: NO_ROOM}
    assert ext.filter(pod("u2", 0), [a])[0] == [a.name]


def test_a_node_that_goes_away_and_comes_back_with_other_pfs(cluster):
    a = cluster.add()
    ext = cluster.start("--node-timeout", "1500")
    assert ext.filter(pod("u1", 100000), [a])[0] == [a.name]
    a.close()
    wait_for(lambda: not ext.node(a.name)["known"])
    assert ext.filter(pod("u2", 1000), [a]) == ([], {a.name: NO_INFO})
    a.pfs = [{"name": "new%d" % i, "mbps": 50000, "vfs": 4} for i in range(6)]
    a.revision = 5
    a.open()
    wait_for(lambda: ext.node(a.name)["known"])
    # u1 was promised more than any PF has now: nobody gets anything until that is over.
    assert ext.node(a.name)["over_promised"]
    assert ext.filter(pod("u3", 1000), [a]) == ([], {a.name: NO_ROOM})
    assert ext.filter(pod("u1", 1000), [a])[0] == [a.name]
    assert ext.filter(pod("u3", *[40000] * 5), [a])[0] == [a.name]
    assert ext.filter(pod("u4", 40000, 40000), [a]) == ([], {a.name: NO_ROOM})


# --- Claims

def test_claims_are_replaced_collapse_and_expire(cluster):
    a, b = cluster.add(pfs=1), cluster.add(pfs=1)
    ext = cluster.start("--claim-ttl", "2")
    both = [a.name, b.name]
    assert ext.filter(pod("u1", 60000), [a, b])[0] == both
    assert ext.filter(pod("u2", 60000), [a, b])[0] == []
    assert ext.filter(pod("u1", 40000), [a, b])[0] == both, "its own claim is no hindrance"
    assert ext.filter(pod("u2", 60000), [a, b])[0] == both
    a.attach("u1", 0, 40000)
    wait_for(lambda: "u1" not in ext.claims())
    assert ext.claims(attached=True)["u1"]["on"] == [a.name]
    assert ext.filter(pod("u3", 40000), [a, b])[0] == [b.name]
    wait_for(lambda: not ext.claims())
    assert ext.filter(pod("u4", 60000), [a, b])[0] == both
    assert ext.filter(pod("u5", 40000), [a], names=True)[0] == [], "a nominated check"


def test_a_claim_stays_until_all_interfaces_are_there(cluster):
    a, b = cluster.add(), cluster.add()
    ext = cluster.start()
    ext.filter(pod("u1", 30000, 30000), [a, b])
    a.attach("u1", 0, 30000)
    wait_for(lambda: ext.claims()["u1"]["on"] == [a.name])
    a.attach("u1", 0, 30000)
    wait_for(lambda: not ext.claims())


def test_an_attachment_that_fails_keeps_its_room(cluster):
    a = cluster.add(pfs=1)
    ext = cluster.start("--claim-ttl", "3")
    assert ext.filter(pod("u1", 100000), [a])[0] == [a.name]
    a.attach("u1", 0, 100000)
    wait_for(lambda: ext.node(a.name)["attachments"] == 1)
    a.detach("u1")
    wait_for(lambda: ext.node(a.name)["attachments"] == 0)
    assert ext.filter(pod("u2", 100000), [a])[0] == [], "the kubelet tries again"
    a.attach("u1", 0, 100000)
    wait_for(lambda: not ext.claims(attached=True))
    a.detach("u1")
    wait_for(lambda: ext.filter(pod("u2", 100000), [a])[0] == [a.name])


def test_what_a_node_says_of_others_pods_counts_nothing(cluster):
    a, evil = cluster.add(pfs=1), cluster.add(pfs=1)
    ext = cluster.start()
    assert ext.filter(pod("u1", 100000), [a])[0] == [a.name]
    ext.filter(pod("probe", 1), [evil])
    evil.attach("u1", 0, 100000)
    wait_for(lambda: ext.node(evil.name)["attachments"] == 1)
    assert ext.filter(pod("u2", 100000), [a])[0] == []
    ext.json(FILTER, {"Pod": pod("u1", 100000), "NodeNames": []})
    assert ext.filter(pod("u2", 100000), [a])[0] == [], "an empty list decides nothing"


def test_a_half_open_node_is_not_believed_longer_than_claims_last(cluster):
    def mute(c, path):
        if "after=0" in path:
            a.answer(c, path)
            return True
        time.sleep(60)
        return False
    a = cluster.add(pfs=1)
    a.fault = mute
    ext = cluster.start("--claim-ttl", "2")
    assert ext.filter(pod("u1", 100000), [a])[0] == [a.name]
    a.attach("u1", 0, 100000)  # nobody hears of it
    until = time.monotonic() + 14
    while time.monotonic() < until:
        assert ext.filter(pod("u2", 100000), [a])[0] == []
        time.sleep(0.5)


@pytest.mark.parametrize("read_ms", (-60000, -2 ** 63))
def test_what_a_node_said_counts_as_of_when_it_was_read(cluster, read_ms):
    a = cluster.add(pfs=1)
    a.read_ms = read_ms
    ext = cluster.start("--claim-ttl", "1")
    assert ext.filter(pod("u1", 100000), [a])[0] == [a.name]
    wait_for(lambda: ext.claims()["u1"]["age_ms"] > 1500)
    a.attach("x", 0, 0)
    wait_for(lambda: ext.node(a.name)["attachments"] == 1)
    assert ext.filter(pod("u2", 100000), [a])[0] == [], "u1 may be there by now"
    a.read_ms = 10 ** 15  # no better than now
    a.attach("y", 0, 0)
    wait_for(lambda: ext.filter(pod("u2", 100000), [a])[0] == [a.name])
    assert ext.node(a.name)["age_ms"] >= 0


def test_nothing_new_counts_as_of_when_the_node_was_read(cluster):
    def still(c, path):
        if "after=0" in path:
            a.answer(c, path)
        else:
            said.append(ms)
            c.sendall(b"HTTP/1.1 204 No Content\r\nFerrule-Read-Ms: %d\r\n\r\n" % ms)
        return True
    said, ms = [], -60000
    a = cluster.add(pfs=1)
    a.fault = still
    ext = cluster.start("--claim-ttl", "1")
    assert ext.filter(pod("u1", 100000), [a])[0] == [a.name]
    wait_for(lambda: ext.claims()["u1"]["age_ms"] > 1500)
    del said[:]
    wait_for(lambda: len(said) > 2)
    assert ext.filter(pod("u2", 100000), [a])[0] == [], "u1 may be there by now"
    ms = 0
    wait_for(lambda: ext.filter(pod("u2", 100000), [a])[0] == [a.name])


def test_a_node_that_falls_back_slowly_costs_the_timeout(cluster):
    a, b = cluster.add(), cluster.add()
    ext = cluster.start("--node-timeout", "500")
    ext.filter(pod("u1", 1000), [a, b])

    def fault(c, path):
        if path == "/getpfs":
            time.sleep(30)
            return False
        reply(c, "no such path", 404)
        return True
    a.fault = fault
    a.attach("x", 0, 1)  # ends the long poll; the next is answered 404, and /getpfs hangs
    wait_for(lambda: "/getpfs" in a.requests)
    for i in range(3):
        begin = time.monotonic()
        assert ext.filter(pod("v%d" % i, 1000), [a, b])[0][-1] == b.name
        assert time.monotonic() - begin < 10, "the call took the long poll's time"


def test_a_node_that_does_not_let_itself_be_followed_is_asked(cluster):
    a = cluster.add()

    def fault(c, path):
        if "after=0" in path:
            a.answer(c, path)
        else:
            reply(c, "too many", 503)
        return True
    a.fault = fault
    ext = cluster.start()
    for i in range(4):
        assert ext.filter(pod("u%d" % i, 1000), [a])[0] == [a.name]
    assert ext.node(a.name)["state"] == "asked-each-time"
    a.fault = None
    wait_for(lambda: (ext.filter(pod("w", 1000), [a]), ext.node(a.name)["state"])[1] == "followed")


def test_a_plain_node_that_learns_is_followed(cluster):
    a = cluster.add(plain=True)
    ext = cluster.start()
    ext.filter(pod("u1", 1000), [a])
    a.close()
    ext.filter(pod("u2", 1000), [a])
    a.plain = False
    a.open()
    wait_for(lambda: (ext.filter(pod("w", 1000), [a]), ext.node(a.name)["state"])[1] == "followed")


def test_a_node_that_always_has_news_is_not_listened_to_all_the_time(cluster):
    a = cluster.add()

    def fault(c, path):
        a.revision += 1
        reply(c, json.dumps(a.node()))
        return True
    a.fault = fault
    ext = cluster.start()
    ext.filter(pod("u1", 1000), [a])
    before = len(a.requests)
    time.sleep(1)
    assert len(a.requests) - before < 40


def test_a_node_that_comes_and_goes_does_not_fill_the_log(cluster):
    a = cluster.add()
    asked = []

    def fault(c, path):
        asked.extend([path] if "after=0" in path else [])
        if "after=0" in path and len(asked) % 2 == 1:
            a.answer(c, path)
            return True
        return False  # the end of the connection
    a.fault = fault
    ext = cluster.start()
    ext.filter(pod("u1", 1000), [a])
    wait_for(lambda: len(asked) >= 9, 60)
    told = [line for line in list(ext.log) if "node %s" % a.name in line]
    assert len(told) == 2 and "warning: " in told[0] and "answers again" in told[1], told


def test_a_node_that_lets_itself_be_followed_for_no_time_is_paced(cluster):
    a = cluster.add()

    def fault(c, path):
        if "after=0" in path:
            a.answer(c, path)
        return "after=0" in path  # else the end of the connection
    a.fault = fault
    ext = cluster.start()
    ext.filter(pod("u1", 1000), [a])
    before = len(a.requests)
    time.sleep(1)
    assert len(a.requests) - before < 80  # a follow and a question each time
    a.fault = None
    wait_for(lambda: ext.node(a.name)["state"] == "followed")


def test_a_node_with_news_is_paced_by_the_work_it_makes(cluster):
    """Pods were promised room, and then its PFs are such that finding none left is hard."""
    rng = random.Random(1)
    sizes = [97 * (rng.randrange(2500, 27500) // 97) for _ in range(32)]
    a = cluster.add(pfs=11, mbps=4000000, vfs=1000)

    def fault(c, path):
        a.revision += 1
        reply(c, json.dumps(a.node()))
        return True
    a.fault = fault
    ext = cluster.start("--claim-ttl", "300")
    for i in range(36):
        assert ext.filter(pod("u%d" % i, *sizes), [a])[0] == [a.name]
    for pf in a.pfs:
        pf["mbps"] = sum(sizes) // 11 + 50
    wait_for(lambda: ext.node(a.name)["over_promised"])
    before = len(a.requests)
    time.sleep(3)
    assert len(a.requests) - before < 34  # 48 if only bytes counted


def test_the_same_pod_asked_twice_at_once(cluster):
    a, b = cluster.add(pfs=1), cluster.add(pfs=1, fault=hang)
    ext = cluster.start("--node-timeout", "4000")
    first = {}

    def ask():
        first.update(ext.json(FILTER, args(pod("p", 100000), [a, b])))
    t = threading.Thread(target=ask)
    t.start()
    wait_for(lambda: b.requests)
    c = cluster.add(pfs=1)
    assert ext.filter(pod("p", 100000), [c])[0] == [c.name]
    t.join()
    assert "newer" in first["Error"] and not first["Nodes"]
    assert ext.claims()["p"]["on"] == [c.name]
    assert ext.filter(pod("q", 100000), [c])[0] == []


def test_a_node_is_not_forgotten_while_a_request_waits(cluster):
    a, slow_one = cluster.add(pfs=1, mbps=1000), cluster.add(fault=hang)
    big = cluster.add(pfs=1)
    ext = cluster.start("--forget-after", "10", "--claim-ttl", "5", "--node-timeout", "14000")
    ext.filter(pod("warm", 1), [a])
    answer = {}

    def ask():
        answer.update(ext.json(FILTER, args(pod("p", 50000), [a, slow_one])))
    t = threading.Thread(target=ask)
    t.start()
    time.sleep(12)
    ext.filter(pod("other", 1), [big])  # would take the slot of a forgotten one
    t.join()
    assert answer["FailedNodes"] == {a.name: NO_ROOM, slow_one.name: NO_INFO}
    assert "p" not in ext.claims()


def test_many_waiting_requests_do_not_shut_out_others(cluster):
    bad, good = cluster.add(fault=hang), cluster.add()
    ext = cluster.start("--node-timeout", "3000")
    ext.filter(pod("warm", 1), [good])
    socks = []
    for i in range(40):
        body = json.dumps(args(pod("w%d" % i, 1), [bad])).encode()
        s = socket.create_connection(("127.0.0.1", ext.port))
        s.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"
                  % (FILTER.encode(), len(body), body))
        socks.append(s)
    wait_for(lambda: bad.requests)
    assert ext.filter({"metadata": {"name": "x"}}, [good])[0] == [good.name]
    assert ext.filter(pod("u", 1), [good])[0] == [good.name]
    for s in socks:
        s.settimeout(20)
        assert s.recv(100).startswith(b"HTTP/1.1 200")
        s.close()


class Alias:
    """Another name of a node."""

    def __init__(self, node, prefix=""):
        self.name, self.addr = "alias-" + node.name, prefix + node.addr


@pytest.mark.parametrize("prefix", ["", "::ffff:"])
def test_two_names_with_one_address_are_one_machine(cluster, prefix):
    a = cluster.add(pfs=1)
    ext = cluster.start()
    alias = Alias(a, prefix)
    assert ext.filter(pod("u1", 100000), [a])[0] == [a.name]
    assert ext.filter(pod("u2", 100000), [alias]) == ([], {alias.name: NO_INFO})
    assert a.name in ext.node(alias.name)["problem"]
    assert ext.filter(pod("u3", 0), [a, alias])[0] == [a.name]


def test_an_address_with_claims_stays_with_its_name(cluster):
    promised, asked = cluster.add(pfs=1), cluster.add(pfs=1)
    ext = cluster.start()
    assert ext.filter(pod("u1", 100000), [promised])[0] == [promised.name]
    assert ext.filter(pod("u2", 100001), [asked])[0] == []
    time.sleep(16)  # claims last longer than a name that is not asked about keeps its address
    alias = Alias(promised)
    assert ext.filter(pod("u3", 100000), [alias]) == ([], {alias.name: NO_INFO})
    assert "pods are on their way" in ext.node(alias.name)["problem"]
    promised.attach("u1", 0, 100000)
    wait_for(lambda: ext.node(promised.name)["attachments"] == 1)
    assert not any(n["over_promised"] for n in ext.json("/v1/nodes")["nodes"])
    # Both in one request: the order in which they are named decides nothing.
    alias = Alias(asked)
    assert ext.filter(pod("u4", 100000), [alias, asked]) == ([asked.name], {alias.name: NO_INFO})


@pytest.mark.parametrize("plain", [False, True])
def test_a_machine_that_was_registered_anew(cluster, plain):
    a = cluster.add(pfs=1, plain=plain)
    ext = cluster.start("--claim-ttl", "3")
    new = Alias(a)
    assert ext.filter(pod("u1", 1), [a])[0] == [a.name]
    # Nobody asks about the old name any more.
    wait_for(lambda: ext.filter(pod("u2", 1), [new])[0] == [new.name], 60)
    assert new.name in ext.node(a.name)["problem"]


class Kubelet:
    """Attaches pods some time after they were bound, where placement puts them."""

    def __init__(self):
        self.threads = []

    def start(self, node, uid, mbps, delay):
        t = threading.Timer(delay, self.attach, (node, uid, mbps))
        t.start()
        self.threads.append(t)

    @staticmethod
    def attach(node, uid, mbps):
        free = [(pf["mbps"] - node.used(i)[0], i) for i, pf in enumerate(node.pfs)]
        fit = sorted(f for f in free if f[0] >= mbps)
        node.attach(uid, fit[0][1] if fit else 0, mbps)

    def join(self):
        for t in self.threads:
            t.join()


@pytest.mark.parametrize("narrow", [0, 1])
def test_100_pods_and_room_for_40(cluster, narrow):
    nodes = [cluster.add() for _ in range(2)]
    ext = cluster.start("--narrow", str(narrow))
    kubelet, rng = Kubelet(), random.Random(7)
    waiting = ["p%03d" % i for i in range(100)]
    placed = {}
    first = True
    until = time.monotonic() + 40
    while time.monotonic() < until and (len(placed) < 40 or first):
        for uid in list(waiting):
            ok, _ = ext.filter(pod(uid, 10000), nodes)
            if ok:
                name = rng.choice(ok)
                placed[uid] = name
                waiting.remove(uid)
                kubelet.start(next(n for n in nodes if n.name == name), uid, 10000,
                              rng.uniform(0.5, 2))
            assert len(placed) <= 40
            assert not any(n.over_committed() for n in nodes)
        if first and narrow == 1:
            assert len(placed) == 40, "one claim a pod is exact"
        first = False
        time.sleep(0.1)
    kubelet.join()
    assert len(placed) == 40
    assert not any(n.over_committed() for n in nodes)
    wait_for(lambda: not ext.claims())
    assert sum(ext.node(n.name)["attachments"] for n in nodes) == 40
    for uid in waiting:
        assert ext.filter(pod(uid, 10000), nodes)[0] == []


def test_narrow_says_so_and_strategies_differ(cluster):
    full, empty = cluster.add(), cluster.add()
    full.attach("x", 0, 100000)
    for strategy, best in (("pack", full), ("spread", empty)):
        ext = cluster.start("--narrow", "1", "--strategy", strategy)
        ok, failed = ext.filter(pod("u1", 10000), [full, empty])
        assert ok == [best.name]
        assert "better" in list(failed.values())[0]
        scores = {s["Host"]: s["Score"] for s in
                  ext.json(FILTER + "/prioritize", args(pod("u1", 10000), [full, empty]))}
        assert scores[best.name] == max(scores.values())
        assert all(isinstance(s, int) and 0 <= s <= 10 for s in scores.values())
        ext.stop()


def test_the_extender_killed_in_the_middle(cluster):
    a = cluster.add(pfs=1)
    ext = cluster.start()
    assert ext.filter(pod("u1", 60000), [a])[0] == [a.name]
    a.attach("u1", 0, 60000)
    ext.proc.kill()
    ext.proc.wait()
    ext = cluster.start()
    assert ext.filter(pod("u2", 60000), [a])[0] == [], "attachments are what the nodes say"


# --- Preemption

def test_preempt_keeps_what_fits_without_the_victims(cluster):
    a, b, plain = cluster.add(pfs=1), cluster.add(pfs=1), cluster.add(pfs=1, plain=True)
    for n in (a, b, plain):
        n.attach("small", 0, 30000)
        n.attach("large", 0, 60000)
    ext = cluster.start()
    meta = {n.name: {"Pods": [{"UID": uid}], "NumPDBViolations": pdb}
            for n, uid, pdb in ((a, "large", 2), (b, "small", 0), (plain, "large", 0))}
    ext.filter(pod("hi", 70000), [a, b, plain])
    res = ext.json(FILTER + "/preempt", {"Pod": pod("hi", 70000), "NodeNameToVictims": None,
                                         "NodeNameToMetaVictims": meta})
    assert res == {"NodeNameToMetaVictims": {a.name: meta[a.name]}}
    full = {a.name: {"Pods": [{"metadata": {"name": "l", "uid": "large"}, "spec": {}}],
                     "NumPDBViolations": 0}}
    res = ext.json("/scheduler/preempt", {"Pod": pod("hi", 70000), "NodeNameToVictims": full})
    assert res == {"NodeNameToMetaVictims": {
        a.name: {"Pods": [{"UID": "large"}], "NumPDBViolations": 0}}}
    for bad in ([{}], [{"UID": ""}], [{"metadata": {}}], [None]):
        status, text = ext.curl(FILTER + "/preempt", {
            "Pod": pod("hi", 70000), "NodeNameToMetaVictims": {a.name: {"Pods": bad}}})
        assert status == 422 and "victim" in text
    once = {"UID": "small"}
    twice = {a.name: {"Pods": [once, once, once], "NumPDBViolations": 0}}
    res = ext.json(FILTER + "/preempt", {"Pod": pod("hi", 70000), "NodeNameToMetaVictims": twice})
    assert res == {"NodeNameToMetaVictims": {}}, "who goes makes room once"
    res = ext.json(FILTER + "/preempt", {"Pod": {"metadata": {"name": "x"}},
                                         "NodeNameToMetaVictims": meta})
    assert res == {"NodeNameToMetaVictims": meta}


# --- The program

def test_pages(cluster):
    a = cluster.add()
    ext = cluster.start()
    ext.filter(pod("u1", 1000), [a])
    assert ext.curl("/healthz") == (200, "ok\n") and ext.curl("/readyz") == (200, "ok\n")
    metrics = ext.curl("/metrics")[1]
    for line in ('ferrule_extender_decisions_total{verb="filter",outcome="some"} 1',
                 "ferrule_extender_claims 1", "ferrule_extender_claimed_mbps 1000",
                 'ferrule_extender_nodes{state="followed"} 1'):
        assert line in metrics
    summary = ext.curl("/")[1]
    assert "1 between decision and attachment" in summary
    node = ext.node(a.name)
    assert node["state"] == "followed" and node["age_ms"] >= 0 and node["claims"] == 1
    assert ext.claims()["u1"]["on"] == [a.name]


def test_each_decision_is_one_line(cluster):
    a, b, c = cluster.add(), cluster.add(mbps=10), cluster.add()
    c.close()
    ext = cluster.start()
    ext.filter(pod("u1", 50000), [a, b, c])
    ext.filter({"metadata": {"name": "x", "namespace": "y"}}, [a, b])
    ext.json("/scheduler/prioritize", args(pod("u1", 50000), [a, b]))
    lines = "".join(ext.log)
    for want in (r"filter default/pod-u1: 1 of 3 nodes pass, 1 too small, 1 unknown, \d+\.\d{3} ms",
                 r"filter y/x: 2 of 2 nodes pass, \d+\.\d{3} ms",
                 r"prioritize default/pod-u1: 2 nodes, \d+\.\d{3} ms"):
        wait_for(lambda want=want: re.search(want, "".join(ext.log)), 5)
    assert lines.count("filter default/pod-u1:") == 1


def test_metrics_are_whole_and_add_up(cluster):
    a = cluster.add()
    a.attach("x", 0, 7000)
    ext = cluster.start()
    ext.filter(pod("u1", 30000), [a])
    values = {}
    for line in ext.curl("/metrics")[1].splitlines():
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            assert re.fullmatch(r'[a-z_]+(\{([a-z_]+="[^"]*",?)*\})?', name), line
            assert name not in values
            values[name] = float(value)

    def v(name):
        return values["ferrule_extender_" + name]
    assert (v("capacity_mbps"), v("reserved_mbps"), v("claimed_mbps")) == (200000, 7000, 30000)
    assert v("free_mbps") == 200000 - 37000 and v("free_vfs") == 240 - 2
    assert v("attachments") == 1 and v("claims") == 1
    assert v('decision_seconds_count{verb="filter"}') == 1


def test_nodes_nobody_asks_about_are_forgotten(cluster):
    a, b = cluster.add(), cluster.add()
    ext = cluster.start("--forget-after", "10", "--claim-ttl", "5")
    ext.filter(pod("u1", 1000), [a, b])
    wait_for(lambda: (ext.filter(pod("u2", 1000), [b]),
                      [n["name"] for n in ext.json("/v1/nodes")["nodes"]])[1] == [b.name])
    assert ext.filter(pod("u3", 1000), [a], names=True)[0] == [], "not even where it was"


def test_a_full_table_of_nodes_says_so(cluster):
    a = cluster.add()
    ext = cluster.start()
    metric = "ferrule_extender_nodes_without_place_total %d\n"
    nodes = {"items": [{"metadata": {"name": "n%06d" % i}} for i in range(131072)]}
    res = ext.json(FILTER, {"Pod": pod("u1", 1), "Nodes": nodes})
    assert len(res["FailedNodes"]) == 131072 and metric % 0 in ext.curl("/metrics")[1]
    for _ in range(2):
        assert ext.filter(pod("u2", 1), [a]) == ([], {a.name: NO_INFO})
    assert metric % 2 in ext.curl("/metrics")[1]
    wait_for(lambda: sum("filter default/pod-u2" in line for line in ext.log) == 2)
    assert sum("the table of nodes is full" in line for line in ext.log) == 1


def test_forgetting_names_costs_no_memory(cluster):
    ext = cluster.start("--forget-after", "10", "--claim-ttl", "5")
    names = ["n%05d" % i for i in range(65000)]
    nodes = {"items": [{"metadata": {"name": n}} for n in names]}
    assert len(ext.json(FILTER, {"Pod": pod("u1", 1), "Nodes": nodes})["FailedNodes"]) == 65000
    before = ext.rss_kib()
    wait_for(lambda: ext.json("/v1/nodes")["nodes"] == [], 60)
    assert ext.rss_kib() < before + 20000


def test_usage():
    for bad in (["--strategy", "x"], ["--node-port", "0"], ["--listen", "x:y:z"], ["word"],
                ["--max-body", "257"], ["--claim-ttl", "700"]):
        r = subprocess.run([EXTENDER, *bad, "--check-config"], capture_output=True, text=True,
                           check=False)
        assert r.returncode == 100 and r.stderr.count("\n") == 1
    env = dict(os.environ, PORT="x")
    r = subprocess.run([EXTENDER, "--check-config"], capture_output=True, text=True, check=False,
                       env=env)
    assert r.returncode == 100 and "PORT" in r.stderr
    r = subprocess.run([EXTENDER, "--help"], capture_output=True, text=True, check=False)
    assert r.returncode == 0 and "--narrow" in r.stdout


@pytest.mark.parametrize("mib", [600, 850])
def test_too_little_address_space_is_named(mib):
    r = subprocess.run(["prlimit", "--as=%d" % (mib << 20), EXTENDER, "--listen", "127.0.0.1:0"],
                       capture_output=True, text=True, check=False, timeout=20)
    assert r.returncode == 111 and "error: no address space for " in r.stderr


def test_a_second_client_while_a_large_body_arrives(cluster):
    a = cluster.add()
    ext = cluster.start()
    with socket.create_connection(("127.0.0.1", ext.port)) as c:
        c.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n"
                  % FILTER.encode())
        c.sendall(b" " * 20000000)
        assert ext.filter(pod("u1", 1000), [a])[0] == [a.name]


def begin_body(ext, declared, sent):
    """A client that has announced a body and sent a part of it."""
    c = socket.create_connection(("127.0.0.1", ext.port))
    c.settimeout(20)
    if declared is None:
        c.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"
                  % FILTER.encode())
    else:
        c.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
                  % (FILTER.encode(), declared) + b" " * sent)
    return c


@pytest.mark.parametrize("declared", [256 << 20, None])
def test_bodies_that_are_only_announced_cost_nobody_anything(cluster, declared):
    a = cluster.add()
    ext = cluster.start()
    slow_ones = [begin_body(ext, declared, 1) for _ in range(20)]
    assert ext.filter(pod("u1", 1000), [a])[0] == [a.name]
    for c in slow_ones:
        c.close()


def large_args(p, node, size):
    body = args(p, [node])
    body["Nodes"]["items"][0]["metadata"]["x"] = "y" * size
    return body


def passes(ext, node, size):
    """Whether a large request is answered, whole."""
    status, text = ext.curl(FILTER, large_args(pod("u1", 1000), node, size))
    return status == 200 and len(json.loads(text)["Nodes"]["items"]) == 1


def test_the_slowest_unfinished_body_gives_way(cluster):
    a = cluster.add()
    ext = cluster.start("--max-body", "4")  # two such together
    large = [begin_body(ext, 4 << 20, (4 << 20) - 1000)]
    wait_for(lambda: ext.rss_kib() > 4000)
    time.sleep(0.3)
    large.append(begin_body(ext, 4 << 20, (4 << 20) - 2000))
    wait_for(lambda: ext.rss_kib() > 8000)
    assert passes(ext, a, 3 << 20)
    large[0].sendall(b" ")
    assert large[0].recv(20).startswith(b"HTTP/1.1 503")
    large[1].sendall(b" " * 2000)
    assert large[1].recv(20).startswith(b"HTTP/1.1 400"), "blanks alone are no request"
    for c in large:
        c.close()


@pytest.mark.parametrize("size,count", [(2 << 20, 17), (1 << 20, 60)])
def test_many_unfinished_bodies_refuse_nobody(cluster, size, count):
    a = cluster.add()
    ext = cluster.start("--max-body", "16")  # two such together
    slow_ones = [begin_body(ext, size + 1, size) for _ in range(count)]
    wait_for(lambda: ext.rss_kib() > 30000)
    time.sleep(0.3)
    assert passes(ext, a, 12 << 20)
    for c in slow_ones:
        c.close()


def send_args(ext, body, **options):
    """A client that has sent a request."""
    text = json.dumps(body).encode()
    c = socket.socket()
    c.settimeout(20)
    if "rcvbuf" in options:
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, options["rcvbuf"])
    c.connect(("127.0.0.1", ext.port))
    c.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
              % (FILTER.encode(), len(text), text))
    return c


def read_all(c):
    c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    n = 0
    try:
        while part := c.recv(1 << 20):
            n += len(part)
    except ConnectionResetError:
        pass
    return n


def test_answers_that_nobody_reads_refuse_nobody(cluster):
    a = cluster.add()
    ext = cluster.start("--max-body", "16")  # two such together
    deaf = [send_args(ext, large_args({"metadata": {"name": "x"}}, a, 15 << 20), rcvbuf=4096)
            for _ in range(2)]
    wait_for(lambda: sum("filter /x: 1 of 1" in line for line in ext.log) == 2)
    time.sleep(0.3)
    assert passes(ext, a, 12 << 20)
    got = sorted(read_all(c) for c in deaf)
    assert got[0] < 15 << 20 < got[1], "one was enough"
    for c in deaf:
        c.close()


def test_requests_that_wait_for_nodes_keep_their_memory(cluster):
    a, bad = cluster.add(), cluster.add(fault=hang)
    ext = cluster.start("--max-body", "16", "--node-timeout", "4000")
    waiting = [send_args(ext, large_args(pod("w%d" % i, 1), bad, 15 << 20)) for i in range(2)]
    wait_for(lambda: ext.rss_kib() > 30000 and bad.requests)
    time.sleep(0.3)
    assert not passes(ext, a, 12 << 20)
    for c in waiting:
        assert c.recv(100).startswith(b"HTTP/1.1 200")
        c.close()


def test_memory_goes_back_after_a_large_call(cluster):
    a = cluster.add()
    ext = cluster.start()
    ext.filter(pod("u1", 1000), [a])
    before = ext.rss_kib()
    body = args(pod("u2", 1000), [a])
    body["Nodes"]["items"] += [{"metadata": {"name": "n%d" % i, "x": "y" * 10000}}
                               for i in range(3000)]
    assert len(ext.json(FILTER, body)["FailedNodes"]) == 3000
    assert ext.rss_kib("VmHWM") < before + 30000 + 20000
    wait_for(lambda: ext.rss_kib() < before + 15000)
