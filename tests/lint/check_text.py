#!/usr/bin/python3
"""The repository speaks of the product only: no trailing blanks, no tabs in code, no absolute path of a machine,
no link to a file that is not there.

usage: check_text.py ROOT     prints file:line: sentence for each breach; exit 1 on any
"""
import pathlib
import re
import subprocess
import sys

TEXT = {".c", ".h", ".md", ".py", ".sh", ".rules", ".def", ".txt", ".cmake", ".json", ".sql", ".conf", ""}
MACHINE = re.compile(r"(?<![\w.])/(?:home|work|Users|root)/\w")
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def main(root):
    root = pathlib.Path(root)
    names = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard"], check=True,
                           capture_output=True, text=True).stdout.splitlines()
    breaches = 0
    for name in names:
        path = root / name
        if path.suffix not in TEXT or not path.is_file() or name == "LICENSE" or name.startswith("tests/corpus/"):
            continue
        text = path.read_bytes().decode("utf-8", "replace")
        for number, line in enumerate(text.splitlines(), 1):
            said = None
            if line.endswith((" ", "\t")) and path.suffix in {".c", ".h", ".py", ".rules", ".def", ".cmake"}:
                said = "blanks at the end of the line"
            elif "\t" in line and path.suffix in {".c", ".h", ".py"}:
                said = "a tab"
            elif MACHINE.search(line) and name != "tests/lint/check_text.py":
                said = "an absolute path of a machine"
            elif path.suffix == ".md":
                missing = [m for m in LINK.findall(line) if not (path.parent / m).exists()]
                said = f"a link to {missing[0]}, which is not there" if missing else None
            if said:
                print(f"{path}:{number}: {said}")
                breaches += 1
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
