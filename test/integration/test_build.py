# SPDX-License-Identifier: MIT
"""The build keeps its promises: static hardened programs, exact rebuilds, pinned dependencies."""
import os
import shutil
import subprocess

import pytest

from smalltree import ARCH, ROOT, SmallTree, copy_pinned


@pytest.fixture
def tree(tmp_path):
    return SmallTree(tmp_path / "tree")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A tree that is built once; tests that use it copy what they change."""
    tree = SmallTree(tmp_path_factory.mktemp("built") / "tree")
    tree.make("all")
    return tree


def check_elf(tree, *arguments, **env):
    return tree.run("scripts/check-elf.sh", *arguments, check=False, **env)


# --- The programs


def test_program_runs_and_is_what_check_elf_wants(built):
    assert built.run("build/bin/small").stdout == "9.8.7 1 3\n"
    assert built.make("check-elf").stdout.startswith("ok ")


@pytest.mark.parametrize("old, new, complaint", [
    (",-z,now", ",-z,lazy", "no BIND_NOW"),
    (",-z,relro", ",-z,norelro", "no GNU_RELRO"),
    ("-z,noexecstack", "-z,execstack", "executable stack"),
    ("-Wl,-pie,--no-dynamic-linker", "-Wl,-no-pie,--no-dynamic-linker", "not position independent"),
    ("-Wl,-pie,--no-dynamic-linker", "-Wl,-pie,-dynamic-linker,/lib/ld.so", "has a PT_INTERP"),
    ("--fatal-warnings", "-N,--no-warn-rwx-segments", "writable and executable"),
    ("-fstack-protector-strong", "-fno-stack-protector", "without -fstack-protector-strong"),
    ("-fstack-clash-protection", "", "without -fstack-clash-protection"),
    ("-ftrivial-auto-var-init=zero", "", "without -ftrivial-auto-var-init=zero"),
    (":= -fcf-protection", ":= -fcf-protection=none", "without -fcf-protection"),
    ("--build-id=sha1", "--build-id=none", "build-ids differ"),
])
def test_a_hardening_flag_that_is_lost_is_noticed(tree, old, new, complaint):
    tree.replace("Makefile", old, new)
    done = tree.make("check-elf", check=False)
    assert done.returncode != 0
    assert complaint in done.stdout


HELLO = '#include <stdio.h>\nint main(void)\n{\n\treturn puts("hello") < 0;\n}\n'


@pytest.mark.parametrize("compiler, complaint", [
    (["musl-gcc", "-pie"], "has a PT_INTERP"),
    (["musl-gcc", "-pie"], "needs libc.so"),
    (["gcc"], "needs libc.so.6"),
    (["gcc", "-static"], "not position independent"),
    (["gcc", "-static-pie", "-z", "execstack"], "executable stack"),
])
def test_check_elf_refuses_other_link_lines(tree, compiler, complaint):
    tree.write("cmd/hello.c", HELLO)
    (tree.root / "symbols").mkdir()
    tree.run(*compiler, "-g", "cmd/hello.c", "-Wl,--build-id", "-o", "symbols/small")
    done = check_elf(tree, ARCH, "symbols", "symbols/small")
    assert done.returncode == 1
    assert complaint in done.stdout


def test_check_elf_refuses_a_program_over_its_budget(built, tmp_path):
    budget = tmp_path / "budget"
    budget.write_text("small 1000\n")
    symbols = f"build/rel-{ARCH}/bin"
    done = check_elf(built, ARCH, symbols, "build/bin/small", SIZE_BUDGET=str(budget))
    assert done.returncode == 1
    assert "its budget in" in done.stdout
    budget.write_text("other 1000\n")
    done = check_elf(built, ARCH, symbols, "build/bin/small", SIZE_BUDGET=str(budget))
    assert done.returncode == 1
    assert "has no line in" in done.stdout


def test_check_elf_refuses_what_it_cannot_judge(built, tmp_path):
    symbols = f"build/rel-{ARCH}/bin"
    other = check_elf(built, "aarch64", symbols, "build/bin/small")
    assert other.returncode == 1 and "is not for aarch64" in other.stdout
    text = check_elf(built, ARCH, symbols, "Makefile")
    assert text.returncode == 1 and "is not an ELF file" in text.stdout
    gone = check_elf(built, ARCH, symbols, "build/bin/nothing")
    assert gone.returncode == 1 and "cannot be read" in gone.stdout
    twin = check_elf(built, ARCH, tmp_path, "build/bin/small")
    assert twin.returncode == 1 and "no unstripped twin" in twin.stdout
    none = check_elf(built, ARCH, symbols)
    assert none.returncode == 1 and "no program to check" in none.stdout


def test_two_builds_in_two_places_give_the_same_bytes(built, tmp_path):
    second = SmallTree(tmp_path / "elsewhere")
    second.make("all")
    first = (built.root / "build/bin/small").read_bytes()
    assert (second.root / "build/bin/small").read_bytes() == first


# --- What is rebuilt, and what is not


def changed(before, after):
    return {name for name in after if before.get(name) != after[name]}


def test_second_make_touches_nothing(tree):
    tree.make("all", "asan", "debug")
    before = tree.times()
    tree.make("all", "asan", "debug")
    assert changed(before, tree.times()) == set()


def test_a_header_rebuilds_its_users_alone(tree):
    tree.make("all")
    tree.age()
    before = tree.times()
    os.utime(tree.root / "src/json/read.h")
    tree.make("all")
    objects = {name for name in changed(before, tree.times()) if name.endswith(".o")}
    assert objects == {f"build/rel-{ARCH}/src/json/read.o", f"build/rel-{ARCH}/cmd/small/main.o"}


def test_a_source_rebuilds_itself_alone_and_the_program(tree):
    tree.make("all")
    tree.age()
    before = tree.times()
    tree.replace("src/base/copy.c", "to[64]", "to[65]")
    tree.make("all")
    names = changed(before, tree.times())
    assert {name for name in names if name.endswith(".o")} == {f"build/rel-{ARCH}/src/base/copy.o"}
    assert "build/bin/small" in names


def test_other_flags_rebuild_every_object(tree):
    tree.make("all")
    tree.age()
    before = tree.times()
    tree.make("all", "CFLAGS=-DSOMETHING")
    assert len({n for n in changed(before, tree.times()) if n.endswith(".o") and "/rel-" in n}) == 4
    before = tree.times()
    tree.make("all", "CFLAGS=-DSOMETHING")
    assert changed(before, tree.times()) == set()


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_a_commit_rebuilds_only_the_object_with_the_version(tree):
    def git(*arguments):
        tree.run("git", "-c", "user.name=t", "-c", "user.email=t@localhost", *arguments)

    tree.write(".gitignore", "/build/\n/deps/\n")
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "one")
    tree.make("all")
    tree.age()
    assert "+" in tree.run("build/bin/small").stdout
    before = tree.times()
    git("commit", "-q", "--allow-empty", "-m", "two")
    tree.make("all")
    objects = {name for name in changed(before, tree.times()) if name.endswith(".o")}
    assert objects == {f"build/rel-{ARCH}/src/base/version.o"}
    git("tag", "v9.8.7")
    tree.make("all")
    assert tree.run("build/bin/small").stdout == "9.8.7 1 3\n"


def test_clean_leaves_the_sources_alone(tree):
    sources = set(tree.times("."))
    tree.make("all")
    tree.make("clean")
    assert set(tree.times(".")) == sources
    assert not (tree.root / "build").exists()


def test_a_compile_error_leaves_no_program(tree):
    tree.replace("src/base/copy.c", "char to[64];", "char to[64];\n\tint unused;")
    done = tree.make("all", check=False)
    assert done.returncode != 0 and "unused" in done.stdout
    assert not (tree.root / "build/bin/small").exists()


def test_a_missing_toolchain_is_named_with_the_way_to_get_it(tree):
    done = tree.make("all", "MUSL_LIB=/nonexistent", check=False)
    assert done.returncode != 0
    assert "/nonexistent/rcrt1.o is missing; run scripts/setup" in done.stdout


def test_install(built, tmp_path):
    built.make("install", f"DESTDIR={tmp_path}", "PREFIX=/opt/ferrule")
    installed = tmp_path / "opt/ferrule/bin/small"
    assert installed.read_bytes() == (built.root / "build/bin/small").read_bytes()


def test_help_lists_every_target_of_the_documentation(built):
    text = built.make("help").stdout
    for target in ("all", "test", "demo", "lint", "asan", "fuzz", "bench", "check-elf", "clean", "dist", "install"):
        assert f"make {target} " in text


# --- Pinned dependencies


def test_a_tampered_file_is_refused_by_name_and_place(tree):
    file = next(tree.deps.iterdir())
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    done = tree.make("all", check=False)
    assert done.returncode != 0
    assert f"{tree.deps}/{file.name} is not the pinned file" in done.stdout
    assert not (tree.root / "build/bin/small").exists()


def test_a_tampered_file_in_the_cache_is_refused(tree, tmp_path):
    file = copy_pinned("jsmn", tmp_path / "cache")
    file.write_bytes(b"")
    done = tree.make("all", check=False, DEPS_DIR="", FERRULE_CACHE=str(tmp_path / "cache"))
    assert done.returncode != 0
    assert f"{file} is not the pinned file" in done.stdout


def test_a_missing_file_is_named_with_every_place(tree, tmp_path):
    (tmp_path / "empty").mkdir()
    done = tree.run("scripts/fetch-deps.sh", "libmnl", ARCH, "out", check=False, DEPS_DIR=str(tmp_path / "empty"))
    assert done.returncode == 1
    for file in ("libmnl-1.0.5.tar.bz2", "libmnl_1.0.5.orig.tar.bz2", "libmnl-dev_1.0.5-3_amd64.deb"):
        assert f"{tmp_path}/empty/{file}" in done.stdout
    assert "mirror that has it" in done.stdout
    assert not (tree.root / "out").exists()


def test_an_unknown_dependency_is_refused(tree):
    done = tree.run("scripts/fetch-deps.sh", "nosuch", ARCH, "out", check=False)
    assert done.returncode == 1 and "no line for nosuch" in done.stdout


def without_network():
    """The command that runs another one without any network interface, None if that is not possible here."""
    for command in (["unshare", "-n"], ["unshare", "-rn"]):
        if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
            return command
    return None


def test_a_folder_of_files_is_enough_without_any_network(tree):
    prefix = without_network()
    if prefix is None:
        pytest.skip("no right to make a network namespace")
    copy_pinned("libmnl", tree.deps)
    tree.replace("cmd/small/tool.mk", "small_EXT :=", "small_EXT := libmnl")
    tree.run(*prefix, "make", "all", "asan")
    assert tree.run("build/bin/small").stdout.startswith("9.8.7")


def test_the_cache_is_used_before_the_network(tree, tmp_path):
    prefix = without_network()
    if prefix is None:
        pytest.skip("no right to make a network namespace")
    copy_pinned("jsmn", tmp_path / "cache")
    tree.run(*prefix, "make", "all", DEPS_DIR="", FERRULE_CACHE=str(tmp_path / "cache"))


def test_without_mirror_or_files_the_build_says_where_it_looked(tree, tmp_path):
    prefix = without_network()
    if prefix is None:
        pytest.skip("no right to make a network namespace")
    cache = tmp_path / "cache"
    done = tree.run(*prefix, "make", "all", check=False, DEPS_DIR="", FERRULE_CACHE=str(cache))
    assert done.returncode != 0
    assert f"{cache}/jsmn_1.1.0.orig.tar.gz" in done.stdout
    assert "build/download/jsmn_1.1.0.orig.tar.gz" in done.stdout


def test_no_file_of_the_project_names_a_package_mirror():
    done = subprocess.run(
        ["grep", "-rnE", r"(deb|security|archive|ports|snapshot)\.(debian|ubuntu)\.(org|com)", "scripts", "Makefile",
         ".ci", "src", "cmd"], cwd=ROOT, text=True, capture_output=True, check=False)
    assert done.stdout == ""
