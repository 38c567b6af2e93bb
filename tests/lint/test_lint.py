#!/usr/bin/python3
"""Each breach that the lint is there for is found in a made-up tree, and a clean tree passes."""
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
LAYERS = "base*\njson*\nmail os\nstore\nmain\n"
CASES = [
    # (name, script, file, content, what the message must hold; None: passes)
    ("a downward include is allowed", "layers", "daemon/mail/a.c", '#include "base/span.h"\n', None),
    ("an upward include", "layers", "daemon/base/a.c", '#include "json/x.h"\n', "does not lie below"),
    ("a sibling's include", "layers", "daemon/mail/a.c", '#include "os/x.h"\n', "does not lie below"),
    ("a bare include", "layers", "daemon/mail/a.c", '#include "x.h"\n', 'write "module/x.h"'),
    ("a private header of another", "layers", "daemon/store/a.c", '#include "mail/x_private.h"\n', "private"),
    ("I/O in a pure module", "layers", "daemon/json/a.c", "#include <stdio.h>\n", "pure module"),
    ("a clock in a pure module", "layers", "daemon/json/a.c", "#include <stdlib.h>\nint f(void) { return rand(); }\n", "calls rand()"),
    ("a foreign header elsewhere", "layers", "daemon/mail/a.c", "#include <sqlite3.h>\n", "may only be included"),
    ("a module without a layer", "layers", "daemon/extra/a.c", "\n", "not in daemon/LAYERS"),
    ("a long file", "size", "daemon/base/a.c", "int x;\n" * 601, "601 lines"),
    ("a long function", "size", "daemon/base/a.c", "int f(void)\n{\n" + "    g();\n" * 61 + "}\n", "function of 61 lines"),
    ("a wide line", "size", "daemon/base/a.c", "/* " + "x" * 100 + " */\n", "columns"),
    ("a default in a switch", "size", "daemon/base/a.c", "int f(void)\n{\n    switch (x) {\n    default:\n    }\n}\n", "no default"),
    ("deep nesting", "size", "daemon/base/a.c",
     "int f(void)\n{\n" + "".join("    " * i + "if (x) {\n" for i in range(1, 6)) + "}\n", "nested 5 deep"),
    ("a small file passes", "size", "daemon/base/a.c", "int f(void)\n{\n    return 1;\n}\n", None),
    ("a machine's path", "text", "a.md", "see /ho" + "me/someone/x\n", "absolute path"),
    ("a dead link", "text", "a.md", "[x](nothing.md)\n", "which is not there"),
    ("trailing blanks", "text", "a.py", "x = 1 \n", "blanks at the end"),
]


def run(script, root):
    return subprocess.run([sys.executable, str(HERE / f"check_{script}.py"), str(root)], capture_output=True, text=True)


def main():
    failed = 0
    for name, script, path, content, wanted in CASES:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            subprocess.run(["git", "init", "-q", folder], check=True)
            (root / "daemon").mkdir()
            (root / "daemon/LAYERS").write_text(LAYERS)
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(content)
            result = run(script, root)
            good = result.returncode == 0 if wanted is None else result.returncode == 1 and wanted in result.stdout
            if not good:
                failed += 1
                print(f"FAILED: {name}: exit {result.returncode}, said: {result.stdout}{result.stderr}")
    print(f"{len(CASES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
