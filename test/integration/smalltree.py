# SPDX-License-Identifier: MIT
"""A small project of two modules and one program under the real Makefile and scripts, for tests of the build."""
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ARCH = "x86_64"

FILES = {
    "src/base/version.h": """// SPDX-License-Identifier: MIT
// The version.
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define FERRULE_VERSION "9.8.7"

const char *base_version(void);

#endif
""",
    "src/base/version.c": """// SPDX-License-Identifier: MIT
#include "base/version.h"

const char *base_version(void)
{
	return FERRULE_VERSION FERRULE_BUILD;
}
""",
    "src/base/copy.h": """// SPDX-License-Identifier: MIT
// A function with an array, so that there is something to protect.
#ifndef BASE_COPY_H
#define BASE_COPY_H

int base_copy(const char *from);

#endif
""",
    "src/base/copy.c": """// SPDX-License-Identifier: MIT
#include "base/copy.h"

#include <stdio.h>

int base_copy(const char *from)
{
	char to[64];

	return snprintf(to, sizeof(to), "%s", from) + to[0];
}
""",
    "src/base/module.mk": "MODULES += base\nbase_SRCS := version.c copy.c\n",
    "src/json/read.h": """// SPDX-License-Identifier: MIT
// Counts JSON tokens.
#ifndef JSON_READ_H
#define JSON_READ_H

int json_count(const char *text);

#endif
""",
    "src/json/read.c": """// SPDX-License-Identifier: MIT
#include "json/read.h"

#include <string.h>

#define JSMN_STATIC
#include <jsmn.h>

int json_count(const char *text)
{
	jsmn_parser parser;

	jsmn_init(&parser);
	return jsmn_parse(&parser, text, strlen(text), NULL, 0);
}
""",
    "src/json/module.mk": "MODULES += json\njson_SRCS := read.c\njson_EXT := jsmn\n",
    "cmd/small/main.c": """// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "base/copy.h"
#include "base/version.h"
#include "json/read.h"

int main(int argc, char **argv)
{
	printf("%s %d %d\\n", base_version(), base_copy(argv[0]) > argc, json_count("[1, 2]"));
	return 0;
}
""",
    "cmd/small/tool.mk": "TOOLS += small\nsmall_SRCS := main.c\nsmall_MODS := json base\nsmall_EXT :=\nsmall_CAPS :=\n",
    "scripts/size-budget.txt": "small 100000\n",
}

UNIT_TEST = """// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "json/read.h"

static void counts_tokens(void **state)
{
	(void)state;
	assert_int_equal(json_count("[1, 2]"), %s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(counts_tokens)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
"""


def pinned_files():
    """(name, file) for each line of the lock."""
    for line in (ROOT / "scripts/deps.lock").read_text().splitlines():
        fields = line.split("#", 1)[0].split()
        if fields:
            yield fields[0], fields[4]


def copy_pinned(name, folder):
    """Puts the file of a dependency that this project's own build used into folder; returns its path there."""
    folder.mkdir(parents=True, exist_ok=True)
    for pinned, file in pinned_files():
        kept = ROOT / "build/deps" / name / file
        if pinned == name and kept.is_file():
            return Path(shutil.copy(kept, folder))
    raise AssertionError(f"no pinned file in {ROOT}/build/deps/{name}: run make test-integration")


class SmallTree:
    def __init__(self, root):
        self.root = root
        for name in ("Makefile", ".clang-tidy", ".clang-format"):
            root.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, root)
        shutil.copytree(ROOT / "scripts", root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "test/fuzz", root / "test/fuzz", ignore=shutil.ignore_patterns("fuzz_*"))
        for name, text in FILES.items():
            self.write(name, text)
        self.deps = root / "deps"
        copy_pinned("jsmn", self.deps)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def replace(self, name, old, new):
        """Edits a file; the text must be there, or the test would test nothing."""
        path = self.root / name
        text = path.read_text()
        assert old in text, f"{name} has no {old!r}"
        path.write_text(text.replace(old, new))

    def run(self, *command, check=True, **env):
        """Runs a command in the tree, without what the outer make left in the environment."""
        clean = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "CFLAGS")}
        clean.update({"DEPS_DIR": str(self.deps), "HOME": str(self.root)})
        clean.pop("FERRULE_CACHE", None)
        clean.update(env)
        done = subprocess.run(
            [str(c) for c in command], cwd=self.root, env=clean, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False)
        assert not check or done.returncode == 0, done.stdout
        return done

    def make(self, *arguments, **options):
        return self.run("make", *arguments, **options)

    def times(self, under="build"):
        """Modification time of every file that was built."""
        return {
            str(p.relative_to(self.root)): p.stat().st_mtime_ns
            for p in (self.root / under).rglob("*") if p.is_file() and not p.is_symlink()}

    def age(self):
        """Makes every file old, sources and products alike in their order, so that a later change is newer."""
        for path in self.root.rglob("*"):
            if path.is_file() and not path.is_symlink():
                status = path.stat()
                os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns - 10 * 10**9))
