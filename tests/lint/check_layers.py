#!/usr/bin/python3
"""Includes may only point down.

daemon/LAYERS lists the modules of daemon/, lowest first; modules on one line are siblings and must not see
each other. A trailing '*' marks a pure module: no I/O, no clock, no thread, no foreign header.

usage: check_layers.py ROOT     prints file:line: sentence for each breach; exit 1 on any
"""
import pathlib
import re
import sys

PURE_HEADERS = {
    "stddef.h", "stdint.h", "stdbool.h", "string.h", "limits.h", "stdalign.h", "inttypes.h", "stdatomic.h",
    "stdarg.h", "stdlib.h", "float.h",
}
# What a pure module would otherwise not get, each with its reason.
EXCEPTIONS = {
    ("base/check.c", "stdio.h"): "prints the bug before it aborts",
    ("base/error.c", "stdio.h"): "vsnprintf into the error's own text",
    ("base/simd.h", "emmintrin.h"): "the one place for SSE2",
}
# The one place in each impure module that may include a foreign library.
FOREIGN = {
    "iconv.h": ("mail/charset.c",),
    "idn2.h": ("mail/address.c",),
    "sqlite3.h": ("store/",),
    "librdkafka/rdkafka.h": ("kafka/",),
    "librdkafka/rdkafka_mock.h": ("kafka/",),
    "jansson.h": ("main/",),
    "microhttpd.h": ("http/",),
}
# <stdlib.h> is for malloc and qsort: these would let the world in.
PURE_FORBIDDEN = re.compile(r"\b(getenv|system|rand|srand|exit|atexit|time|clock|printf|fopen|read|write)\s*\(")
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^">]+)[">]')


def read_layers(path):
    level, pure = {}, set()
    rank = 0
    for line in path.read_text().splitlines():
        names = line.split("#")[0].split()
        if not names:
            continue
        for name in names:
            level[name.rstrip("*")] = rank
            if name.endswith("*"):
                pure.add(name.rstrip("*"))
        rank += 1
    return level, pure


def strip_comments(text):
    keep_lines = lambda m: re.sub(r"[^\n]", " ", m.group(0))
    text = re.sub(r"/\*.*?\*/", keep_lines, text, flags=re.S)
    text = re.sub(r'"(?:\\.|[^"\\\n])*"', keep_lines, text)
    return re.sub(r"//[^\n]*", "", text)


def check_system(where, module, header, pure):
    name = str(where)
    if header in FOREIGN and not any(name.startswith(p) for p in FOREIGN[header]):
        return f"<{header}> may only be included in {' or '.join(FOREIGN[header])}"
    if module in pure and header not in PURE_HEADERS and (name, header) not in EXCEPTIONS:
        return f'the pure module "{module}" includes <{header}>'
    return None


def check_own(module, header, level):
    if "/" not in header:
        return None if header == "version.h" and module == "main" else f'write "module/{header}", not "{header}"'
    target = header.split("/")[0]
    if target == "schema":
        return None
    if target not in level:
        return f'"{header}" is of no module in LAYERS'
    if target != module and level[target] >= level[module]:
        return f'"{module}" must not include "{header}": it does not lie below'
    if target != module and header.endswith("_private.h"):
        return f'"{header}" is private to {target}'
    return None


def main(root):
    daemon = pathlib.Path(root) / "daemon"
    level, pure = read_layers(daemon / "LAYERS")
    breaches = 0

    def breach(path, number, sentence):
        nonlocal breaches
        breaches += 1
        print(f"{path}:{number}: {sentence}")

    for path in sorted([*daemon.rglob("*.c"), *daemon.rglob("*.h")]):
        where = path.relative_to(daemon)
        module = where.parts[0]
        if module not in level:
            breach(path, 1, f'the module "{module}" is not in daemon/LAYERS')
            continue
        text = path.read_text()
        for number, line in enumerate(text.splitlines(), 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            check = check_system(where, module, found[2], pure) if found[1] == "<" else check_own(module, found[2], level)
            if check:
                breach(path, number, check)
        if module in pure and str(where) not in {name for name, _ in EXCEPTIONS}:
            for number, line in enumerate(strip_comments(text).splitlines(), 1):
                call = PURE_FORBIDDEN.search(line)
                if call:
                    breach(path, number, f'the pure module "{module}" calls {call[1]}()')
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
