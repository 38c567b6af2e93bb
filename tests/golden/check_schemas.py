#!/usr/bin/python3
"""The golden records against the schemas, and the schemas against the closed lists.

usage: check_schemas.py ROOT     prints a sentence for each breach; exit 1 on any
"""
import copy
import json
import pathlib
import re
import sys

import jsonschema  # Debian: python3-jsonschema; without it this check fails, it is not passed over

# Only sender-side reasons have one, and the golden bounce is the recipient's.
NOT_SHOWN = {"scope"}
KINDS = {"event", "classified", "decision", "recipient", "position"}


def closed(schema):
    """The schema with no room for members that it does not name."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema:
        result["additionalProperties"] = False
    return result


def validator(schema, common):
    store = {"common.schema.json": common, schema["$id"]: schema}
    resolver = jsonschema.RefResolver(schema["$id"], schema, store=store)
    return jsonschema.Draft202012Validator(schema, resolver=resolver)


def paths(value, at=()):
    """The place of every value in a record, the record itself left out."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield at + (key,)
        yield from paths(item, at + (key,))


def parent(record, path):
    for key in path[:-1]:
        record = record[key]
    return record


def mutants(record, required):
    """Records that must be refused: (what was done, record)."""
    for name in required:
        less = copy.deepcopy(record)
        del less[name]
        yield f"without {name}", less
    for path in paths(record):
        other = copy.deepcopy(record)
        # No member of any record may be an array of an array of nothing.
        parent(other, path)[path[-1]] = [[]]
        yield f"with a wrong {'.'.join(map(str, path))}", other
        if isinstance(path[-1], str) and path[0] not in ("labels", "origins"):
            more = copy.deepcopy(record)
            parent(more, path)["nobody-knows-it"] = 1
            yield f"with a stranger beside {'.'.join(map(str, path))}", more


def check_records(root, schemas, breach):
    golden = root / "tests/golden"
    seen = set()
    for path in sorted(golden.glob("*.v*.json")):
        kind = path.name.split(".")[0]
        seen.add(kind)
        if kind not in schemas:
            breach(f"{path.name}: there is no schema of that kind")
            continue
        record = json.loads(path.read_text())
        for error in validator(schemas[kind], schemas["common"]).iter_errors(record):
            breach(f"{path.name}: {'.'.join(map(str, error.path))}: {error.message}")
        strict = validator(closed(schemas[kind]), schemas["common"])
        for error in strict.iter_errors(record):
            breach(f"{path.name}: not all of it is in the schema: {error.message}")
        unnamed = set(schemas[kind]["properties"]) - set(record) - NOT_SHOWN
        if unnamed:
            breach(f"{path.name}: the record does not show {', '.join(sorted(unnamed))}")
        count = 0
        for done, mutant in mutants(record, schemas[kind]["required"]):
            count += 1
            if strict.is_valid(mutant):
                breach(f"{path.name}: the schema takes it {done}")
        if count < 10:
            breach(f"{path.name}: only {count} mutants were tried")
    for kind in sorted(KINDS - seen):
        breach(f"{kind}: there is no golden record of it")


def rows(root, name, pattern):
    return re.findall(pattern, (root / "schema" / name).read_text())


def check_lists(root, schemas, breach):
    defs = schemas["common"]["$defs"]
    reasons = rows(root, "reasons.def", r'\nREASON\(\w+, "([^"]+)", \w+, \w+, (\w+)')
    wanted = {
        "reason": [name for name, _ in reasons],
        "ground": [name for name, action in reasons if action == "SUPPRESS"],
        "action": rows(root, "actions.def", r'\nACTION\(\w+, "([^"]+)"'),
        "format": rows(root, "formats.def", r'\nFORMAT\(\w+, "([^"]+)"'),
    }
    for name, values in wanted.items():
        if not values or sorted(defs[name]["enum"]) != sorted(values):
            breach(f"common.schema.json: {name} is not the list of schema/*.def")
    fields = rows(root, "event_fields.def", r'\nEVENT_\w+\("([^"]+)"')
    if not fields or sorted(fields) != sorted(schemas["event"]["properties"]):
        breach("event.schema.json: its members are not those of schema/event_fields.def")
    decision, classified = schemas["decision"]["properties"], schemas["classified"]["properties"]
    for name, value in classified.items():
        if decision.get(name) != value:
            breach(f"decision.schema.json: {name} is not as in classified.schema.json")


def main(root):
    root = pathlib.Path(root)
    breaches = []
    schemas = {}
    for path in sorted((root / "schema/json").glob("*.schema.json")):
        schema = json.loads(path.read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        schemas[path.name.split(".")[0]] = schema
    for kind in sorted((KINDS | {"common"}) - set(schemas)):
        sys.exit(f"schema/json/{kind}.schema.json is missing")
    check_records(root, schemas, breaches.append)
    check_lists(root, schemas, breaches.append)
    print("\n".join(breaches) if breaches else f"{len(KINDS)} kinds of record are as their schemas say")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
