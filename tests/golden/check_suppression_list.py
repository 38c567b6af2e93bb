#!/usr/bin/python3
"""The consumer of the documentation against a consumer that is made up: what stands in its file after each poll.

usage: check_suppression_list.py ROOT
"""
import json
import pathlib
import runpy
import sys
import tempfile
import types

EOF = -191
LATER, OVER = "2999-01-01T00:00:00.000Z", "2020-01-01T00:00:00.000Z"


class Error:
    def __init__(self, code):
        self.number = code

    def code(self):
        return self.number


class Message:
    def __init__(self, partition, key=None, value=None, error=None):
        self.fields = partition, key, value, error

    def partition(self):
        return self.fields[0]

    def key(self):
        return self.fields[1]

    def value(self):
        return self.fields[2]

    def error(self):
        return self.fields[3]


class Done(Exception):
    pass


def state(*expires):
    grounds = [{"reason": "user-unknown", "since": OVER, **({"expires": at} if at else {})} for at in expires]
    return json.dumps({"v": 1, "recipient": "x", "suppressed": bool(grounds), "grounds": grounds, "at": OVER}).encode()


def steps(root):
    """(messages of a poll, lines of the file after it; None: no file yet)"""
    golden = (root / "tests/golden/recipient.v1.json").read_bytes()
    position = (root / "tests/golden/position.v1.json").read_bytes()
    yield [Message(0, b"#position", position), Message(0, b"acme anna@example.com", golden),
           Message(0, b"bert@example.net", state(None))], None
    yield [Message(0, error=Error(EOF))], None  # the other partition is not read yet
    yield [Message(1, b"* carla@example.org", state(LATER, OVER)), Message(1, b"dora@example.com", state(OVER)),
           Message(1, b"#position", None), Message(1, error=Error(EOF))], \
        [b"* carla@example.org", b"acme anna@example.com", b"bert@example.net"]
    yield [Message(0, b"bert@example.net", state()), Message(1, b"dora@example.com", state(OVER, None))], \
        [b"* carla@example.org", b"acme anna@example.com", b"dora@example.com"]
    yield [Message(1, b"* carla@example.org", None), Message(0, b"emil@example.com", None)], \
        [b"acme anna@example.com", b"dora@example.com"]
    yield [], [b"acme anna@example.com", b"dora@example.com"]


def fake_module(root, path, checked):
    class Consumer:
        def __init__(self, settings):
            assert settings["isolation.level"] == "read_committed" and settings["bootstrap.servers"] == "broker:1"
            self.steps, self.expected = steps(root), None

        def list_topics(self, topic, _timeout):
            return types.SimpleNamespace(topics={topic: types.SimpleNamespace(partitions={0: None, 1: None})})

        def assign(self, partitions):
            assert sorted(partitions) == [("feed", 0, "beginning"), ("feed", 1, "beginning")], partitions

        def consume(self, _count, _seconds):
            if checked:
                lines = path.read_bytes().splitlines() if path.exists() else None
                assert lines == self.expected, f"after poll {len(checked)}: {lines}, wanted {self.expected}"
            checked.append(True)
            try:
                messages, self.expected = next(self.steps)
            except StopIteration:
                raise Done from None
            return messages

    module = types.ModuleType("confluent_kafka")
    module.Consumer, module.OFFSET_BEGINNING = Consumer, "beginning"
    module.KafkaError = types.SimpleNamespace(_PARTITION_EOF=EOF)
    module.TopicPartition = lambda topic, partition, offset: (topic, partition, offset)
    return module


def main(root):
    root = pathlib.Path(root)
    script = root / "docs/suppression_list.py"
    code = [line for line in script.read_text().splitlines()[2:] if line.strip()]
    assert len(code) <= 21, f"{script} has grown to {len(code)} lines"
    checked = []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "suppressed"
        sys.modules["confluent_kafka"] = fake_module(root, path, checked)
        sys.argv = [str(script), "broker:1", "feed", str(path)]
        try:
            runpy.run_path(str(script), run_name="__main__")
        except Done:
            pass
    assert len(checked) == len(list(steps(root))) + 1, "not every poll was made"
    print(f"{script.name} keeps its file right over {len(checked) - 1} polls")


if __name__ == "__main__":
    main(sys.argv[1])
