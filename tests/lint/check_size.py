#!/usr/bin/python3
"""Files, functions and lines stay small, so that a newcomer finds the one place for a change.

usage: check_size.py ROOT     prints file:line: sentence for each breach; exit 1 on any
"""
import pathlib
import re
import sys

FILE_MAX, FUNCTION_MAX, FUNCTION_P95_MAX, COLUMNS_MAX, NESTING_MAX = 600, 60, 40, 100, 4
# path -> (lines allowed, the reason). Keep it short.
FILE_EXCEPTIONS = {}
HEAD = re.compile(r"^[A-Za-z_].*\)\s*$|^[A-Za-z_][^;=]*\($")


def functions(lines):
    """(first line number, length, deepest nesting) of each function: in this style '{' and '}' of a body stand in column 1."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{" and number > 1 and not lines[number - 2].rstrip().endswith(("=", "enum", "struct")):
            start, depth, deepest = number, 0, 0
        elif line == "}" and start:
            head = start - 1
            while head > 1 and lines[head - 2] and lines[head - 2][0] in " \t":
                head -= 1
            yield head, number - start - 1, deepest
            start = None
        elif start:
            indent = len(line) - len(line.lstrip(" "))
            control = re.match(r"\s*(\} )?(if|else|for|while|do|switch)\b", line)
            if control:
                deepest = max(deepest, indent // 4)


def main(root):
    root = pathlib.Path(root)
    breaches, lengths = 0, []
    sources = [p for top in ("daemon", "tests", "bench") for end in ("*.c", "*.h") for p in (root / top).rglob(end)]
    for path in sorted(sources):
        lines = path.read_text().splitlines()
        name = str(path.relative_to(root))
        allowed = FILE_EXCEPTIONS.get(name, (FILE_MAX,))[0]
        if len(lines) > allowed:
            print(f"{path}:{len(lines)}: {len(lines)} lines, at most {allowed} are allowed")
            breaches += 1
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS_MAX:
                print(f"{path}:{number}: {len(line)} columns, at most {COLUMNS_MAX} are allowed")
                breaches += 1
            if re.match(r"\s*default\s*:", line):
                print(f"{path}:{number}: no default in a switch: the compiler then says which value is forgotten")
                breaches += 1
        if path.suffix == ".c":
            for number, length, deepest in functions(lines):
                if name.startswith("daemon/"):
                    lengths.append(length)
                if length > FUNCTION_MAX:
                    print(f"{path}:{number}: a function of {length} lines, at most {FUNCTION_MAX} are allowed")
                    breaches += 1
                if deepest > NESTING_MAX:
                    print(f"{path}:{number}: nested {deepest} deep, at most {NESTING_MAX} is allowed")
                    breaches += 1
    lengths.sort()
    if lengths:
        p95 = lengths[len(lengths) * 95 // 100]
        print(f"{len(lengths)} functions: median {lengths[len(lengths) // 2]} lines, p95 {p95}")
        if p95 > FUNCTION_P95_MAX:
            print(f"the 95th percentile of function length is {p95}, at most {FUNCTION_P95_MAX} is allowed")
            breaches += 1
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
