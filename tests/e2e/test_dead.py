"""What bad input gets: one dead letter each with the original bytes and the reason in the headers, and the record behind
it goes on."""
import json
import unittest

import harness

MESSAGE_MAX = 10_000_000
KEPT = 64 * 1024
ERRORS = "__connect.errors."
GOOD = b'{"event_id":"good","recipient":"good@example.org","code":550,"status":"5.1.1"}'

# name: value, reason, a part of the message
BAD = {
    "an empty record": (b"", "empty", "empty"),
    "a null record": (None, "empty", "empty"),
    "cut JSON": (b'{"v":1,', "bad-json", "ends in the middle"),
    "a key twice": (b'{"recipient":"a@example.org","code":550,"code":551}', "bad-json", "twice"),
    "an escaped NUL": (b'{"recipient":"a@example.org","diagnostic":"x\\u0000"}', "nul-bytes", "NUL"),
    "too deep": (b'{"a":' * 40 + b"1" + b"}" * 40, "bad-json", "deep"),
    "an event without a recipient": (b'{"v":1,"code":550}', "no-recipient", "recipient"),
    "an event with half an address": (b'{"recipient":"half@","code":550}', "no-recipient", "recipient"),
    "an event without evidence": (b'{"recipient":"a@example.org"}', "no-evidence", "code, status, diagnostic"),
    "an event of a later version": (b'{"v":2,"recipient":"a@example.org","code":550}', "newer-version", "v"),
    "a field of the wrong type": (b'{"recipient":"a@example.org","code":"often"}', "bad-event", "code"),
    "NUL bytes": (b"550 \0 5.1.1", "nul-bytes", "NUL"),
    "words": (b"hello world", "not-understood", "no input form"),
    "bytes of no text": (bytes(range(1, 256)), "not-understood", "no input form"),
    "a reply without a recipient": (b"550 5.1.1 No such user here", "no-recipient", "recipient"),
    "as long as may be": (b"x" * MESSAGE_MAX, "not-understood", "no input form"),
    "one byte too long": (b"x" * (MESSAGE_MAX + 1), "too-large", "10 MB"),
}


class Dead(harness.Case):
    def check_letter(self, letter, value, reason, message, place, key, headers):
        self.assertEqual(letter.headers[ERRORS + "topic"], self.topic("raw").encode())
        self.assertEqual(letter.headers[ERRORS + "partition"], b"%d" % place[0])
        self.assertEqual(letter.headers[ERRORS + "offset"], b"%d" % place[1])
        self.assertEqual(letter.headers[ERRORS + "stage"], b"classify")
        self.assertEqual(letter.headers[ERRORS + "exception.class.name"].decode(), reason)
        self.assertIn(message, letter.headers[ERRORS + "exception.message"].decode())
        self.assertEqual(letter.key, key)
        for name, text in headers.items():
            self.assertEqual(letter.headers[name], text)
        if value is not None and len(value) > 1_000_000:
            self.assertEqual(letter.value, value[:KEPT])
            self.assertEqual(letter.headers["truncated"], b"%d" % len(value))
        else:
            self.assertEqual(letter.value or b"", value or b"")
            self.assertNotIn("truncated", letter.headers)

    def test_each_bad_record_gives_one_dead_letter_and_the_next_goes_on(self):
        self.create_raw()
        daemon = self.daemon().start().wait_ready()
        headers = {"source": b"a test"}
        records = []
        for n, (name, (value, _, _)) in enumerate(BAD.items()):
            records.append({"partition": n % 3, "value": value, "key": name.encode(), "headers": headers})
            records.append({"partition": n % 3, "value": GOOD.replace(b"good", b"good%d" % n)})
        sent = self.send(records)
        self.settle()
        daemon.stop()
        letters = {l.key.decode(): l for l in self.read("dead")}
        self.assertEqual(len(self.read("dead")), len(BAD))
        for n, (name, (value, reason, message)) in enumerate(BAD.items()):
            with self.subTest(name):
                self.check_letter(letters[name], value, reason, message, sent[2 * n], name.encode(), headers)
        self.assertEqual(sorted(r.json()["recipient"] for r in self.read("decisions")),
                         sorted(f"good{n}@example.org" for n in range(len(BAD))))
        lines = [line for line in daemon.log().splitlines() if "record.dead" in line]
        self.assertTrue(lines and len(lines) < len(BAD), "a log line for each reason, not for each record")

    def test_a_record_of_another_topic_of_ours_is_foreign(self):
        self.create_raw()
        daemon = self.daemon().start().wait_ready()
        self.send([{"value": GOOD}])
        self.settle()
        ours = [r for name in ("classified", "decisions", "recipients") for r in self.read(name)]
        self.assertGreaterEqual(len(ours), 4)
        before = len(self.read("classified"))
        sent = self.send([{"value": r.value, "key": b"k"} for r in ours])
        self.settle()
        daemon.stop()
        letters = self.read("dead")
        self.assertEqual(len(letters), len(ours))
        for record, letter, place in zip(ours, letters, sent):
            self.check_letter(letter, record.value, "foreign", "another topic", place, b"k", {})
        self.assertEqual(len(self.read("classified")), before)

    def test_a_foreign_record_in_classified_is_dead_and_the_next_is_decided(self):
        self.create_raw()
        daemon = self.daemon().start().wait_ready()
        self.send([{"value": GOOD}])
        self.settle()
        home = self.home(b"good@example.org")
        self.cluster.produce(self.topic("classified"), [(home, b'{"hello":1}', b"k", {}), (home, b"\0", None, {})])
        self.send([{"value": GOOD.replace(b'"good"', b'"later"')}])
        harness.wait_until("the later decision", lambda: len(self.read("decisions")) == 2)
        daemon.stop()
        letters = self.read("dead")
        self.assertEqual([l.value for l in letters], [b'{"hello":1}', b"\0"])
        for letter in letters:
            self.assertEqual(letter.headers[ERRORS + "stage"], b"decide")
            self.assertEqual(letter.headers[ERRORS + "topic"], self.topic("classified").encode())

    def test_dead_letters_are_listed_and_sent_again(self):
        self.create_raw()
        daemon = self.daemon().start().wait_ready()
        fixable = b"550 5.1.1 No such user here"
        self.send([{"value": fixable, "key": b"kept", "headers": {"source": b"s"}, "partition": 2},
                   {"value": b"hello world"}, {"value": b"x" * (MESSAGE_MAX + 1)}])
        self.settle()
        conf = daemon.conf
        rows = [json.loads(line) for line in self.bounced("dead", "list", "--json", conf=conf)[0].splitlines()]
        self.assertEqual(sorted(r["reason"] for r in rows), ["no-recipient", "not-understood", "too-large"])
        large = next(r for r in rows if r["reason"] == "too-large")
        self.assertEqual((large["size"], large["truncated"]), (MESSAGE_MAX + 1, True))
        one = next(r for r in rows if r["reason"] == "no-recipient")
        self.assertEqual((one["topic"], one["original_partition"], one["begins_with"]),
                         (self.topic("raw"), 2, fixable.decode()))
        table, _ = self.bounced("dead", "list", conf=conf)
        self.assertIn("not-understood", table)

        dry, _ = self.bounced("dead", "requeue", "--all", "--dry-run", "--json", conf=conf, expected=65)
        self.assertEqual(json.loads(dry), {"sent": 2, "refused": 1, "dry_run": True})
        self.assertEqual(sum(self.cluster.ends(self.topic("raw")).values()), 3)
        self.bounced("dead", "requeue", "--offset", f"{one['partition']}:{one['offset']}", conf=conf)
        again = [r for r in self.read("raw") if r.partition == 2]
        self.assertEqual([r.value for r in again], [fixable, fixable])
        self.assertEqual((again[1].key, again[1].headers), (b"kept", {"source": b"s"}))
        self.settle()
        daemon.stop()
        self.assertEqual(len(self.read("dead")), 4)


if __name__ == "__main__":
    unittest.main(verbosity=2)
