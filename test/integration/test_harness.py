# SPDX-License-Identifier: MIT
"""What runs the tests and checks the sources notices failures: each case plants one."""
import pytest

from smalltree import UNIT_TEST, SmallTree


@pytest.fixture
def tree(tmp_path):
    return SmallTree(tmp_path / "tree")


def counts(tree, name):
    return tree.root.joinpath("build/test", name, "counts").read_text().split()


# --- Unit tests and fuzzing


def test_a_unit_test_that_passes_is_counted(tree):
    tree.write("test/unit/test_json_read.c", UNIT_TEST % "3")
    assert "unit: 1 passed, 0 failed" in tree.make("unit").stdout
    assert counts(tree, "unit") == ["1", "0", "0"]


def test_a_unit_test_that_fails_is_counted_and_shown(tree):
    tree.write("test/unit/test_json_read.c", UNIT_TEST % "4")
    done = tree.make("unit", check=False)
    assert done.returncode != 0
    assert "0x3 != 0x4" in done.stdout
    assert counts(tree, "unit") == ["0", "1", "0"]


def test_unit_tests_see_what_sanitizers_see(tree):
    tree.replace("src/json/read.c", "strlen(text), NULL, 0", "strlen(text) + 1000, NULL, 0")
    tree.write("test/unit/test_json_read.c", UNIT_TEST.replace('"[1, 2]"', "strdup(\"[1, 2]\")").replace(
        "#include <stdlib.h>", "#include <stdlib.h>\n#include <string.h>") % "3")
    tree.replace("src/json/read.c", "\tjsmn_parser parser;", "\tjsmn_parser parser;\n\tif (text[7]) return 0;")
    done = tree.make("unit", check=False)
    assert done.returncode != 0
    assert "heap-buffer-overflow" in done.stdout
    assert counts(tree, "unit") == ["0", "1", "0"]


@pytest.mark.parametrize("body", [
    "exit 0",
    "echo '[  PASSED  ] 2 test(s).'; exit 3",
    "kill -SEGV $$",
    "echo '[  PASSED  ] 0 test(s).'",
])
def test_a_test_program_that_ends_oddly_has_failed(tree, body):
    program = tree.write("program", f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    done = tree.run("scripts/run-unit.sh", "build/test/unit", "./program", check=False)
    assert done.returncode != 0
    assert counts(tree, "unit")[1] == "1"


FUZZ = """// SPDX-License-Identifier: MIT
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 1 && data[0] == '!') {
		abort();
	}
	return 0;
}
"""


def test_replay_runs_the_corpus(tree):
    tree.write("test/fuzz/fuzz_json.c", FUZZ)
    tree.write("test/corpus/json/fine", "fine")
    tree.write("test/corpus/json/with blank", "fine too")
    tree.make("fuzz-replay")
    assert counts(tree, "fuzz-replay") == ["2", "0", "0"]


def test_replay_names_the_file_that_crashes(tree):
    tree.write("test/fuzz/fuzz_json.c", FUZZ)
    tree.write("test/corpus/json/bad", "!!")
    done = tree.make("fuzz-replay", check=False)
    assert done.returncode != 0
    assert "test/corpus/json/bad" in done.stdout
    assert counts(tree, "fuzz-replay") == ["0", "1", "0"]


def test_replay_without_a_corpus_has_failed(tree):
    tree.write("test/fuzz/fuzz_json.c", FUZZ)
    done = tree.make("fuzz-replay", check=False)
    assert done.returncode != 0
    assert "test/corpus/json has no files" in done.stdout


def test_fuzzing_finds_a_crash_and_keeps_it_under_build(tree):
    tree.write("test/fuzz/fuzz_json.c", FUZZ)
    done = tree.make("fuzz", "FUZZ_SECONDS=20", check=False)
    assert done.returncode != 0
    assert counts(tree, "fuzz") == ["0", "1", "0"]
    assert list(tree.root.glob("build/test/fuzz/json.found/crash-*"))
    assert not list(tree.root.glob("crash-*"))


@pytest.mark.parametrize("test, result", [
    ("def test_x():\n    assert False\n", ["0", "1", "0"]),
    ("def test_x():\n    pass\n\n\ndef test_y(nosuch):\n    pass\n", ["1", "1", "0"]),
    ("import nosuch\n", ["0", "1", "0"]),
    ("", ["0", "1", "0"]),
    ("import pytest\n\n\ndef test_x():\n    pytest.skip('no')\n\n\ndef test_y():\n    pass\n", ["1", "0", "1"]),
])
def test_pytest_results_are_counted(tree, test, result):
    tree.write("test/some/test_some.py", test)
    done = tree.run("scripts/run-pytest.sh", "build/test/some", "test/some", check=False)
    assert counts(tree, "some") == result
    assert (done.returncode == 0) == (result[1] == "0")


# Answers for every step of `make test` but `unit`, which has counted its tests.
FAKE_MAKE = """#!/bin/sh
if [ "$2" = unit ]; then
	mkdir -p build/test/unit
	echo '%s' >build/test/unit/counts
fi
[ "$2" != '%s' ]
"""


@pytest.mark.parametrize("unit, broken, last", [
    ("5 0 1", "none", "12 passed, 0 failed, 1 skipped"),
    ("5 2 0", "unit", "12 passed, 2 failed, 0 skipped"),
    ("5 0 0", "unit", "12 passed, 1 failed, 0 skipped"),
    ("5 0 0", "lint", "11 passed, 1 failed, 0 skipped"),
    ("0 0 0", "none", "7 passed, 1 failed, 0 skipped"),
])
def test_the_last_line_sums_up(tree, unit, broken, last):
    tree.write("fakemake", FAKE_MAKE % (unit, broken)).chmod(0o755)
    done = tree.run("scripts/run-all.sh", check=False, MAKE="./fakemake")
    assert done.stdout.splitlines()[-1] == last
    assert (done.returncode == 0) == (", 0 failed" in last)
