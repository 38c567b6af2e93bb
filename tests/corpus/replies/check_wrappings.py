#!/usr/bin/python3
"""A verdict does not depend on what an MTA wrote around the reply: every example of every shipped rule, as other
hosts quote it.

usage: check_wrappings.py BOUNCED RULES_FOLDER     prints each difference; exit 1 on any
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

BESIDE = {"host": "remote_host", "to": "recipient", "stage": "stage"}
# Words of the sending host itself: no other host quotes them.
LOCAL = {"exim.no-smtp-service"}


def examples(folder):
    for path in sorted(pathlib.Path(folder).glob("*.rules")):
        rule = reason = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name == "rule":
                rule = value.strip()
            elif name == "reason":
                reason = value.strip()
            elif name == "example" and reason != "delivered" and rule not in LOCAL:
                head = re.match(r"((?:\[(?:host|to|stage)=[^\]]*\]\s*)*)", value.strip())
                beside = {BESIDE[k]: v for k, v in re.findall(r"\[(host|to|stage)=([^\]]*)\]", head.group(1))}
                yield rule, beside, value.strip()[head.end():]


def wrappings(text, recipient):
    yield "said by Postfix", f"host mx1.example.net[192.0.2.25] said: {text} (in reply to RCPT TO command)"
    yield "said by Exim", (f"SMTP error from remote mail server after RCPT TO:<{recipient}>: "
                           f"host mx1.example.net [192.0.2.25]: {text}")
    yield "said by qmail", f"192.0.2.25 does not like recipient.\nRemote host said: {text}\nGiving up on 192.0.2.25.\n"
    yield "in a report", f"smtp; {text}"


def main(bounced, folder):
    events, wanted = [], []
    for rule, beside, text in examples(folder):
        # An example that names its stage cannot be put into a wrapping that names another.
        if "stage" in beside or re.search(r"in reply to|after (rcpt|data|mail|end of)|remote host said|giving up on", text, re.I):
            continue
        beside.setdefault("recipient", "user@example.net")
        events.append(dict(beside, type="bounce", diagnostic=text))
        wanted.append((rule, "plain"))
        for name, wrapped in wrappings(text, beside["recipient"]):
            events.append(dict(beside, type="bounce", diagnostic=wrapped))
            wanted.append((rule, name))
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps(event) + "\n" for event in events)
        file.flush()
        done = subprocess.run([bounced, "classify", "--format", "events", file.name], check=True, capture_output=True,
                              text=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    if len(rows) != len(events) or len(rows) < 1000:
        sys.exit(f"{len(events)} events gave {len(rows)} verdicts")
    bad, plain = 0, None
    for (rule, name), event, row in zip(wanted, events, rows):
        if name == "plain":
            plain = row
        elif row["reason"] != plain["reason"]:
            bad += 1
            print(f"{rule}, {name}: {row['reason']} by {row['rule']}, not {plain['reason']}: {event['diagnostic']!r}")
    print(f"{len(rows)} verdicts, {bad} differ")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
