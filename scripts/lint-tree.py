#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Checks the rules of the source tree that no compiler knows.

    scripts/lint-tree.py [ROOT]

Layers (scripts/layers.txt), third-party headers, banned calls, words that mean unfinished work, header guards,
licence lines, names of include files, length of files. Prints FILE:LINE: problem; exit status 1 if any.
"""
import re
import sys
from pathlib import Path

MAX_FILE_LINES = 600
MAX_MAIN_LINES = 250

# Calls without a bound, with hidden state, with a locale, or that need a shell.
BANNED_CALLS = (
    "strcpy strcat strncpy strncat sprintf vsprintf strtok atoi atol atoll atof gets system popen alloca "
    "realloc setjmp longjmp mktemp tmpnam tempnam asctime ctime gmtime localtime"
).split()
BANNED_HEADERS = {"ctype.h": "depends on the locale", "alloca.h": "unbounded stack"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED_CALLS) + r")\s*\(")
# A comment or a literal, whichever begins first.
SKIPPED = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank(match):
    """Text without comments and literals, on the same lines."""
    text = match.group(0)
    return ('""' if text[0] == '"' else " ") + "\n" * text.count("\n")


def read_layers(path):
    """Returns (folder -> folders it may include, header prefix -> folder that may include it)."""
    layers, third_party = {}, {}
    for line in path.read_text().splitlines():
        line = line.split("#", 1)[0].strip()
        if not line:
            continue
        name, _, rest = line.partition(":")
        if name.startswith("<"):
            third_party[name[1:]] = rest.strip()
        else:
            layers[name] = set(rest.split())
    return layers, third_party


class Tree:
    def __init__(self, root):
        self.root = root
        self.problems = []
        self.layers, self.third_party = read_layers(root / "scripts/layers.txt")

    def say(self, path, line, text):
        self.problems.append(f"{path.relative_to(self.root)}:{line}: {text}")

    def module_of(self, path):
        """The folder of src/ a file is in, None for cmd/ and test/."""
        parts = path.relative_to(self.root).parts
        return parts[1] if parts[0] == "src" else None

    def check_ours(self, path, number, target):
        module = self.module_of(path)
        folder, slash, _ = target.partition("/")
        if not slash:
            if module is not None or (path.parent / target).exists() is False:
                self.say(path, number, f'"{target}" must be included with its folder')
            return
        if folder == module:
            return
        if target.endswith("_priv.h") and path.relative_to(self.root).parts[0] != "test":
            self.say(path, number, f"{target} is private to src/{folder}")
        if module is None:
            return
        if folder not in self.layers:
            if not (self.root / "build/gen" / target).exists():
                self.say(path, number, f'"{target}": scripts/layers.txt has no folder {folder}')
        elif folder not in self.layers.get(module, ()):
            self.say(path, number, f"src/{module} may not include {target} (scripts/layers.txt)")

    def check_system(self, path, number, target):
        if target in BANNED_HEADERS:
            self.say(path, number, f"<{target}> is banned: {BANNED_HEADERS[target]}")
        if path.relative_to(self.root).parts[0] == "test":
            return
        for prefix, owner in self.third_party.items():
            if not target.startswith(prefix):
                continue
            private = path.suffix == ".c" or path.name.endswith("_priv.h")
            if self.module_of(path) != owner:
                self.say(path, number, f"<{target}> belongs to src/{owner} alone (scripts/layers.txt)")
            elif not private:
                self.say(path, number, f"<{target}> in a public header: only .c and _priv.h may include it")

    def check_includes(self, path, lines):
        first = None
        for number, line in enumerate(lines, 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            quote, target = found.groups()
            first = first or (number, target)
            if quote == '"':
                self.check_ours(path, number, target)
            else:
                self.check_system(path, number, target)
        own = path.with_suffix(".h")
        if path.suffix == ".c" and own.exists() and first:
            module = self.module_of(path)
            if module and first[1] != f"{module}/{own.name}":
                self.say(path, first[0], f"its own header {module}/{own.name} must come first")

    def check_code(self, path, text):
        code = SKIPPED.sub(blank, text)
        for number, line in enumerate(code.splitlines(), 1):
            for call in CALL.findall(line):
                self.say(path, number, f"{call}() is banned")

    def check_guard(self, path, text):
        parts = path.relative_to(self.root).with_suffix("").parts[1:]
        guard = "_".join(parts).upper().replace("-", "_") + "_H"
        if f"#ifndef {guard}\n#define {guard}\n" not in text:
            self.say(path, 1, f"header guard must be {guard}")

    def check_source(self, path):
        text = path.read_text()
        lines = text.splitlines()
        top = path.relative_to(self.root).parts[0]
        if not lines or "SPDX-License-Identifier: MIT" not in lines[0]:
            self.say(path, 1, "the first line must be the SPDX licence line")
        limit = MAX_MAIN_LINES if top == "cmd" and path.name == "main.c" else MAX_FILE_LINES
        # Headers of tests may hold recorded data.
        if len(lines) > limit and not (top == "test" and path.suffix == ".h"):
            self.say(path, limit + 1, f"{len(lines)} lines, more than {limit}")
        self.check_includes(path, lines)
        if top != "test":
            self.check_code(path, text)
        if path.suffix == ".h" and top == "src":
            self.check_guard(path, text)

    def check_words(self, path):
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            found = UNFINISHED.search(line)
            if found:
                self.say(path, number, f"{found.group(1)}: finish it or say it in an issue")

    def check_folders(self):
        for folder in sorted((self.root / "src").glob("*")):
            if folder.is_dir() and folder.name not in self.layers:
                self.say(folder, 1, "scripts/layers.txt does not have this folder")

    def run(self):
        self.check_folders()
        for top in ("src", "cmd", "test"):
            for path in sorted((self.root / top).rglob("*.[ch]")):
                self.check_source(path)
        for top in ("src", "cmd", "test", "scripts", "deploy", "docs", ".ci"):
            for path in sorted((self.root / top).rglob("*")):
                if path.is_file() and path.name != "lint-tree.py" and "corpus" not in path.parts:
                    self.check_words(path)
        return self.problems


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    problems = Tree(root).run()
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
