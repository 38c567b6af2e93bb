#!/usr/bin/python3
"""The tables of docs/topics.md come from schema/json, and its program is docs/suppression_list.py.

usage: topic_tables.py ROOT           exit 1 where the document differs
       topic_tables.py ROOT --write   writes it
"""
import json
import pathlib
import re
import sys

MARK = re.compile(r"(<!-- (fields|program): (\S+) -->\n)(.*?)(<!-- end -->)", re.S)


def shape(value, common):
    """What a member looks like, in a word or two."""
    if "anyOf" in value:
        kinds = [shape(option, common) for option in value["anyOf"]]
        return " or ".join(dict.fromkeys(kinds))
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[1]
        words = {"time": "time", "day": "date", "sum": "16 hex digits", "u32": "integer", "u63": "integer",
                 "status": "`5.1.1`", "code": "200 to 599", "tenant": "`[A-Za-z0-9._-]{0,64}`",
                 "labels": "object of texts", "reason": "[reason](reasons.md)", "ground": "[reason](reasons.md)"}
        return words.get(name) or shape(common["$defs"][name], common)
    if "enum" in value:
        return " ".join(f"`{word}`" for word in value["enum"])
    if "const" in value:
        return f"`{value['const']}`"
    if value["type"] == "string" and "maxLength" in value:
        return f"text ≤ {value['maxLength']}"
    return {"string": "text", "boolean": "true or false"}.get(value["type"], value["type"])


def table(root, name):
    """The members of a record; of a decision only those that a classified record has not."""
    folder = root / "schema/json"
    common = json.loads((folder / "common.schema.json").read_text())
    schema = json.loads((folder / f"{name}.schema.json").read_text())
    shared = {}
    if name == "decision":
        shared = json.loads((folder / "classified.schema.json").read_text())["properties"]
    lines = ["| member | | meaning |", "|---|---|---|"]
    for member, value in schema["properties"].items():
        if member in shared:
            continue
        meaning = value.get("description")
        if not meaning and "$ref" in value:
            meaning = common["$defs"][value["$ref"].rsplit("/", 1)[1]].get("description")
        if not meaning:
            sys.exit(f"{name}.schema.json: {member} has no description")
        always = ", always" if member in schema["required"] else ""
        lines.append(f"| `{member}` | {shape(value, common)}{always} | {meaning} |")
    return "\n".join(lines) + "\n"


def program(root, name):
    return "```python\n" + (root / "docs" / name).read_text() + "```\n"


def main(root, write):
    root = pathlib.Path(root)
    path = root / "docs/topics.md"
    text = path.read_text()
    found = []

    def fresh(match):
        head, kind, name, _, tail = match.groups()
        found.append(name)
        return head + (table if kind == "fields" else program)(root, name) + tail

    wanted = MARK.sub(fresh, text)
    expected = ["event", "classified", "decision", "recipient", "position", "suppression_list.py"]
    if sorted(found) != sorted(expected):
        sys.exit(f"docs/topics.md has tables of {found}, wanted {expected}")
    if write:
        path.write_text(wanted)
    elif wanted != text:
        sys.exit("docs/topics.md differs from schema/json or docs/suppression_list.py: run topic_tables.py --write")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:] == ["--write"]))
