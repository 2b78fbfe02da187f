# SPDX-License-Identifier: MIT
"""make lint reports what it is there for: each case plants one defect."""
import pytest

from smalltree import SmallTree


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    tree = SmallTree(tmp_path_factory.mktemp("lint") / "tree")
    tree.make("lint")
    return tree


@pytest.fixture
def tree(tmp_path):
    return SmallTree(tmp_path / "tree")


def test_lint_is_content_with_clean_sources(clean):
    before = clean.times()
    clean.make("lint")
    after = clean.times()
    assert before == after


@pytest.mark.parametrize("file, old, new, complaint", [
    # layers and includes
    ("src/base/copy.c", "#include <stdio.h>", '#include <stdio.h>\n#include "json/read.h"',
     "src/base/copy.c:5: src/base may not include json/read.h"),
    ("src/json/read.c", "#include <string.h>", '#include <string.h>\n#include "http/x.h"',
     "src/json may not include http/x.h"),
    ("src/json/read.c", "#include <string.h>", '#include <string.h>\n#include "nosuch/x.h"', "no folder nosuch"),
    ("src/json/read.c", '"json/read.h"', '"read.h"', '"read.h" must be included with its folder'),
    ("src/json/read.c", '#include "json/read.h"\n\n#include <string.h>',
     '#include <string.h>\n#include "json/read.h"', "its own header json/read.h must come first"),
    ("src/base/copy.c", "#include <stdio.h>", "#include <stdio.h>\n#include <jsmn.h>", "belongs to src/json alone"),
    ("cmd/small/main.c", "#include <stdio.h>", "#include <stdio.h>\n#include <libmnl/libmnl.h>",
     "belongs to src/nl alone"),
    ("src/json/read.h", "int json_count", "#include <jsmn.h>\nint json_count", "in a public header"),
    ("cmd/small/main.c", '"json/read.h"', '"json/read_priv.h"', "private to src/json"),
    ("src/base/copy.c", "#include <stdio.h>", "#include <stdio.h>\n#include <ctype.h>", "<ctype.h> is banned"),
    # calls and words
    ("src/base/copy.c", 'snprintf(to, sizeof(to), "%s", from)', 'sprintf(to, "%s", from)', "sprintf() is banned"),
    ("cmd/small/main.c", "\treturn 0;", "\treturn atoi(argv[0]);", "atoi() is banned"),
    ("src/base/copy.c", "\tchar to[64];", "\t// TO" + "DO\n\tchar to[64];", "finish it"),
    ("src/base/copy.c", "// SPDX-License-Identifier: MIT\n", "", "SPDX licence line"),
    ("src/base/copy.h", "BASE_COPY_H", "COPY_H", "header guard must be BASE_COPY_H"),
])
def test_tree_rules(tree, file, old, new, complaint):
    tree.replace(file, old, new)
    done = tree.make("lint-tree", check=False)
    assert done.returncode != 0
    assert complaint in done.stdout


def test_a_banned_name_in_a_comment_or_text_is_fine(tree):
    tree.replace("src/base/copy.c", "\tchar to[64];", '\t// not strcpy(a, b)\n\tchar to[64] = "strcat(a, b)";')
    tree.make("lint-tree")


def test_a_folder_outside_the_layers(tree):
    tree.write("src/extra/module.mk", "")
    done = tree.make("lint-tree", check=False)
    assert done.returncode != 0 and "does not have this folder" in done.stdout


@pytest.mark.parametrize("lines, limit", [("src/base/long.c", 600), ("cmd/small/main.c", 250)])
def test_a_file_that_is_too_long(tree, lines, limit):
    tree.write(lines, "// SPDX-License-Identifier: MIT\n" + "\n" * limit)
    done = tree.make("lint-tree", check=False)
    assert done.returncode != 0 and f"{limit + 1} lines, more than {limit}" in done.stdout


@pytest.mark.parametrize("new, complaint", [
    ("\tchar *p = malloc(8);\n\n\tfree(p);\n\tfree(p);", "analyzer-double-free"),
    ("\tchar *p = malloc(8);\n\n\tif (p)\n\t\tfree(p);", "should be inside braces"),
    ("\tunsigned int n = (unsigned int)to[0];\n\tchar c = n;\n\n\tto[1] = c;", "onversion"),
    ("\tfor (int to = 0; to < 3; to++) {\n\t}", "shadow"),
    ("\tchar v[to[0]];\n\n\tto[1] = v[0];", "variable length array"),
    ("\n".join(["\tto[0]++;"] * 60), "exceeds recommended size"),
], ids=["double free", "braces", "conversion", "shadow", "variable length array", "long function"])
def test_code_rules(tree, new, complaint):
    tree.replace("src/base/copy.c", "\tchar to[64];\n", f"\tchar to[64] = \"\";\n{new}\n")
    tree.replace("src/base/copy.c", "#include <stdio.h>", "#include <stdio.h>\n#include <stdlib.h>")
    done = tree.make("lint-code", check=False)
    assert done.returncode != 0
    assert complaint in done.stdout


def test_recursion_is_reported(tree):
    tree.replace("src/base/copy.c", "+ to[0];", "+ to[0] + (from[0] ? base_copy(from + 1) : 0);")
    done = tree.make("lint-code", check=False)
    assert done.returncode != 0 and "recursive" in done.stdout


def test_a_header_that_needs_another_first(tree):
    tree.replace("src/base/copy.h", "int base_copy(const char *from);", "int base_copy(size_t from);")
    done = tree.make("check-headers", check=False)
    assert done.returncode != 0 and "size_t" in done.stdout


def test_formatting(tree):
    done = tree.make("lint-format")
    if "not checked" in done.stdout:
        pytest.skip(done.stdout.strip())
    tree.replace("src/base/copy.c", "\tchar to[64];", "    char  to[64];")
    done = tree.make("lint-format", check=False)
    assert done.returncode != 0 and "copy.c" in done.stdout


def test_shell_scripts(tree):
    tree.write("scripts/bad.sh", "#!/bin/sh\nrm -rf $1/*\n")
    done = tree.make("lint-shell", check=False)
    assert done.returncode != 0 and "SC2086" in done.stdout
