"""Raw bounces of every form in; classified records, decisions and recipient states out, compared exactly with what was
written by hand (data/forms/CASE: `input` is the raw record, `case.json` what must come of it)."""
import json
import re
import time
import unittest

import harness

# Not in case.json: checksums of rules and policy, and what follows from the record's place, which is computed here.
COMPUTED = ("rules", "policy", "time", "origin", "decision_id")


def clock_text(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03d}Z"


def filled(value, at):
    """{{TIME}} and {{DAY}} in expected values."""
    return json.loads(json.dumps(value).replace("{{TIME}}", at).replace("{{DAY}}", at[:10]))


class Forms(harness.Case):
    def test_every_form_gives_exactly_what_was_written_down(self):
        self.create_raw()
        daemon = self.daemon().start().wait_ready()
        cases = sorted(path for path in (harness.DATA / "forms").iterdir() if path.is_dir())
        self.assertGreaterEqual(len(cases), 9)
        now = harness.rfc3339()
        wanted = [json.loads((path / "case.json").read_text()) for path in cases]
        sent = self.send([{
            "partition": n % self.RAW_PARTITIONS,
            "value": (path / "input").read_bytes().replace(b"{{NOW}}", now.encode()),
            "headers": {k: v.encode() for k, v in case.get("headers", {}).items()},
        } for n, (path, case) in enumerate(zip(cases, wanted))])
        self.settle()
        daemon.stop()

        raw = {(r.partition, r.offset): r for r in self.read("raw")}
        decisions = self.by_origin("decisions")
        classified = self.by_origin("classified")
        feed, expected_feed = self.feed(), {}
        for path, case, place in zip(cases, wanted, sent):
            at = {"now": now[:-1] + ".000Z", "record": clock_text(raw[place].time_ms),
                  "a week before the record": clock_text(raw[place].time_ms - 7 * 86_400_000)}[case["time"]]
            for index, one in enumerate(case["decided"]):
                with self.subTest(case=path.name, recipient=one["key"]):
                    origin = (*place, index)
                    self.check(one, at, classified.pop(origin), decisions.pop(origin), origin)
            for key, state in case["recipients"].items():
                expected_feed[key] = filled(state, at)
        self.assertEqual((classified, decisions), ({}, {}), "nothing else was written")
        for state in feed.values():
            self.assertRegex(state.pop("at"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            for event in state.pop("recent"):
                self.assertRegex(event, r"^[0-9a-f]{16}$")
        self.assertEqual(feed, expected_feed)
        self.assertEqual(self.read("dead"), [])

    def by_origin(self, name):
        found = {}
        for record in self.read(name):
            origin = record.json()["origin"]
            key = (origin["partition"], origin["offset"], origin["index"])
            self.assertNotIn(key, found)
            found[key] = record
        return found

    def check(self, wanted, at, classified, decision, origin):
        key = wanted["key"].encode()
        for record in (classified, decision):
            self.assertEqual(record.key, key)
            self.assertEqual(record.partition, self.home(key))
            body = record.json()
            self.assertEqual(body["time"], at)
            self.assertEqual(body["origin"], dict(zip(("epoch", "partition", "offset", "index"), (0, *origin))))
            self.assertRegex(body["rules"], r"^[0-9a-f]{16}$")
        self.assertEqual(decision.json()["decision_id"], "0-%d-%d-%d" % origin)
        self.assertRegex(decision.json()["policy"], r"^[0-9a-f]{16}$")
        body = {k: v for k, v in classified.json().items() if k not in COMPUTED}
        if "event_id" not in wanted["classified"]:
            self.assertRegex(body.pop("event_id"), r"^[0-9a-f]{16}$")
        self.assertEqual(body, wanted["classified"])
        rest = {k: v for k, v in decision.json().items() if k not in COMPUTED and k not in classified.json()}
        self.assertEqual(rest, filled(wanted["decision"], at))
        same = {k: v for k, v in decision.json().items() if k in classified.json()}
        self.assertEqual(same, classified.json(), "a decision repeats what it decided about")


def event(event_id, recipient, days_ago, **fields):
    body = {"event_id": event_id, "recipient": recipient, "time": harness.rfc3339(days_ago * 86400), **fields}
    return {"value": json.dumps(body).encode()}


SOFT = {"code": 452, "status": "4.2.2", "diagnostic": "452 4.2.2 Mailbox full"}
# recipient: events in order, each with the effect and the grounds that it leaves
STORIES = {
    "soft failures on enough days suppress": [
        (event("s0", "soft@example.org", 6, message_id="m0", **SOFT), "counted", []),
        (event("s1", "soft@example.org", 4, message_id="m1", **SOFT), "counted", []),
        (event("s2", "soft@example.org", 2, message_id="m2", **SOFT), "suppressed", ["soft-limit"]),
        (event("s3", "soft@example.org", 1, type="subscribe"), "cleared", []),
    ],
    "one message counts once, however often it fails": [
        (event("o0", "once@example.org", 6, message_id="m0", **SOFT), "counted", []),
        (event("o1", "once@example.org", 4, message_id="m0", **SOFT), "counted", []),
        (event("o2", "once@example.org", 2, message_id="m0", **SOFT), "counted", []),
    ],
    "a delivery clears the count": [
        (event("c0", "clear@example.org", 6, message_id="m0", **SOFT), "counted", []),
        (event("c1", "clear@example.org", 4, message_id="m1", **SOFT), "counted", []),
        (event("c2", "clear@example.org", 3, type="delivery"), "cleared", []),
        (event("c3", "clear@example.org", 2, message_id="m2", **SOFT), "counted", []),
    ],
    "a subscription lifts no complaint": [
        (event("k0", "complaint@example.org", 2, type="complaint"), "suppressed", ["complaint"]),
        (event("k1", "complaint@example.org", 1, type="subscribe"), "none", ["complaint"]),
    ],
    "a subscription lifts an unsubscription": [
        (event("u0", "unsubscribed@example.org", 2, type="unsubscribe"), "suppressed", ["unsubscribed"]),
        (event("u1", "unsubscribed@example.org", 1, type="subscribe"), "cleared", []),
    ],
    "a deferral never counts": [
        (event("f0", "deferred@example.org", 2, type="deferral", **SOFT), "none", []),
    ],
    "a delivery does not lift a hard bounce": [
        (event("h0", "hard@example.org", 2, code=550, status="5.1.1", diagnostic="550 5.1.1 user unknown"), "suppressed",
         ["user-unknown"]),
        (event("h1", "hard@example.org", 1, type="delivery"), "none", ["user-unknown"]),
    ],
}


class Stories(harness.Case):
    def test_the_state_of_a_recipient_follows_its_events(self):
        daemon = self.daemon(**{"policy.soft.limit": "3", "policy.soft.span": "3d"}).start().wait_ready()
        steps = [(story, *step) for story, rows in STORIES.items() for step in rows]
        sent = self.send([step[1] for step in steps])
        self.settle()
        daemon.stop()
        found = {(r.json()["origin"]["partition"], r.json()["origin"]["offset"]): r.json()
                 for r in self.read("decisions")}
        self.assertEqual(len(found), len(steps))
        for place, (story, _, effect, grounds) in zip(sent, steps):
            with self.subTest(story=story, event=found[place]["event_id"]):
                self.assertEqual((found[place]["effect"], found[place]["grounds"]), (effect, grounds))
                self.assertEqual(found[place]["suppressed"], bool(grounds))
        last = {re.search(r'"recipient": "([^"]+)"', rows[-1][0]["value"].decode()).group(1): rows[-1][2]
                for rows in STORIES.values()}
        feed = self.feed()
        for recipient, grounds in last.items():
            state = feed.get(recipient, {"grounds": []})
            self.assertEqual([g["reason"] for g in state["grounds"]], grounds, recipient)
        self.assertNotIn("deferred@example.org", feed)

    def test_an_event_that_comes_twice_changes_nothing_the_second_time(self):
        daemon = self.daemon().start().wait_ready()
        self.send([event("d0", "dup@example.org", 2, message_id="m0", **SOFT),
                   event("d0", "dup@example.org", 1, message_id="m1", **SOFT)])
        self.settle()
        daemon.stop()
        first, second = [r.json() for r in self.read("decisions")]
        self.assertEqual((first["effect"], first["duplicate"], first["soft"]["days"]), ("counted", False, 1))
        self.assertEqual((second["effect"], second["duplicate"], second["soft"]["days"]), ("none", True, 1))


if __name__ == "__main__":
    unittest.main(verbosity=2)
