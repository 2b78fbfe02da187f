# SPDX-License-Identifier: MIT
"""The JSON reader against Python's: the same texts accepted, with the same meaning.

Texts are those of test/corpus/json and thousands made from them by small, seeded changes.
"""
import json
import pathlib
import random
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORPUS = sorted((ROOT / "test/corpus/json").iterdir())
JSMN = ROOT / "build/deps/jsmn/tree"
DEPTH_MAX = 64
PIECES = [b"[", b"]", b"{", b"}", b",", b":", b'"', b"\\", b"\\u", b"d83d", b"0", b"1", b"-", b".", b"e", b"+",
          b"true", b"null", b"false", b"nul", b" ", b"\n", b"\t", b"\0", b"\x1f", b"\x7f", b"\xc3\xa9", b"\xff",
          b"\xed\xa0\x80", b'"a":', b'"a"', b"\xef\xbb\xbf", b"/", b"'", b"NaN", b"Infinity"]


class Refused(Exception):
    pass


def refuse(word):
    raise Refused(word)


def unique(pairs):
    if len(dict(pairs)) != len(pairs):
        raise Refused("duplicate key")
    return dict(pairs)


def depth(value):
    """Containers within each other, without recursion."""
    deepest, todo = 0, [(value, 1)]
    while todo:
        value, at = todo.pop()
        if isinstance(value, (dict, list)):
            deepest = max(deepest, at)
            inner = value.values() if isinstance(value, dict) else value
            todo.extend((v, at + 1) for v in inner)
    return deepest


def oracle(text):
    """The value of a text, or Refused. Python takes NaN, duplicates and any depth: not here."""
    try:
        value = json.loads(text.decode("utf-8"), parse_constant=refuse, object_pairs_hook=unique)
    except (ValueError, RecursionError) as e:
        raise Refused(str(e)) from e
    if depth(value) > DEPTH_MAX:
        raise Refused("depth")
    return value


def without_half_keys(value):
    """The C program cannot write a key with half a surrogate pair, and says so in its place."""
    if isinstance(value, list):
        return [without_half_keys(v) for v in value]
    if isinstance(value, dict):
        return {"half a pair" if any("\ud800" <= c <= "\udfff" for c in k) else k: without_half_keys(v)
                for k, v in value.items()}
    return value


def changed(text, rng):
    text = bytearray(text)
    for _ in range(rng.randint(1, 3)):
        at = rng.randint(0, len(text))
        kind = rng.randrange(4)
        if kind == 0:
            text[at:at] = rng.choice(PIECES)
        elif kind == 1:
            del text[at:at + rng.randint(1, 3)]
        elif kind == 2:
            text[at:at + 1] = rng.choice(PIECES)
        else:
            end = rng.randint(at, min(len(text), at + 20))
            text[at:at] = text[at:end]
    return bytes(text)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """A function that sends texts through the C reader and gives its answers."""
    subprocess.run(["make", "-s", "build/deps/jsmn/stamp"], cwd=ROOT, check=True)
    program = tmp_path_factory.mktemp("json") / "json_rewrite"
    sources = [*ROOT.glob("src/json/*.c"), *ROOT.glob("src/base/*.c"), ROOT / "test/tools/json_rewrite.c"]
    subprocess.run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-fsanitize=address,undefined",
                    "-fno-sanitize-recover=all", "-I", ROOT / "src", "-I", ROOT / "test", "-isystem", JSMN,
                    *sources, "-o", program], check=True)

    def ask(texts):
        request = b"".join(b"%d\n%s" % (len(t), t) for t in texts)
        done = subprocess.run([program], input=request, stdout=subprocess.PIPE, check=True, timeout=120)
        answers = done.stdout.split(b"\n")[:-1]
        assert len(answers) == len(texts)
        return answers

    return ask


def compare(texts, answers):
    """Returns how many texts were accepted and refused; both readers must agree on each."""
    accepted = refused = 0
    for text, answer in zip(texts, answers):
        try:
            value = oracle(text)
        except Refused as e:
            assert answer.startswith(b"-"), f"{text!r}: accepted, but {e}"
            refused += 1
            continue
        assert answer.startswith(b"+"), f"{text!r}: {answer!r}"
        again = json.loads(answer[1:].decode("utf-8"))
        assert repr(again) == repr(without_half_keys(value)), f"{text!r} was written again as {answer!r}"
        accepted += 1
    return accepted, refused


def test_corpus(reader):
    texts = [f.read_bytes() for f in CORPUS]
    accepted, refused = compare(texts, reader(texts))
    assert accepted >= 10
    assert refused >= 10


@pytest.mark.parametrize("seed", range(4))
def test_changed_texts(reader, seed):
    rng = random.Random(seed)
    bases = [f.read_bytes() for f in CORPUS if f.stat().st_size < 2000]
    texts = [changed(rng.choice(bases), rng) for _ in range(5000)]
    accepted, refused = compare(texts, reader(texts))
    assert accepted > 300
    assert refused > 1000
