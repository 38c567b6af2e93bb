"""Who asks about recipients: `bounced lookup`, and the consumer of the feed that docs/ shows."""
import json
import subprocess
import sys
import unittest

import harness


def event(recipient, **fields):
    return {"value": json.dumps({"recipient": recipient, "time": harness.rfc3339(), **fields}).encode()}


HARD = {"code": 550, "status": "5.1.1", "diagnostic": "550 5.1.1 user unknown"}
SOFT = {"code": 452, "status": "4.2.2", "diagnostic": "452 4.2.2 Mailbox full"}


class Feed(harness.Case):
    def lookup(self, conf, *arguments):
        return json.loads(self.bounced("lookup", "--json", *arguments, conf=conf)[0])

    def test_lookup_answers_from_the_owner_s_state_and_from_the_topic(self):
        daemon = self.daemon(**{"state.interval": "0s"}).start().wait_ready()
        self.send([event("Gone@Example.org", **HARD), event("kim@example.org", tenant="acme", type="complaint"),
                   event("full@example.org", **SOFT)])
        self.settle()
        for kind in ("local", "topic"):
            with self.subTest(kind=kind):
                gone = self.lookup(daemon.conf, "gone@EXAMPLE.org")
                self.assertEqual((gone["suppressed"], gone["source"]["kind"]), (True, kind))
                self.assertEqual([g["reason"] for g in gone["grounds"]], ["user-unknown"])
                tenant = self.lookup(daemon.conf, "--tenant", "acme", "kim@example.org")
                self.assertEqual([g["reason"] for g in tenant["grounds"]], ["complaint"])
                self.assertFalse(self.lookup(daemon.conf, "kim@example.org")["suppressed"])
                full = self.lookup(daemon.conf, "full@example.org")
                self.assertEqual((full["suppressed"], full["soft"]["days"]), (False, 1))
                self.assertFalse(self.lookup(daemon.conf, "stranger@example.org")["known"])
                self.bounced("lookup", "--check", "gone@example.org", conf=daemon.conf)
                self.bounced("lookup", "--check", "full@example.org", conf=daemon.conf, expected=1)
                people, _ = self.bounced("lookup", "gone@example.org", conf=daemon.conf)
                self.assertIn("suppressed", people)
            if kind == "local":
                daemon.stop()
        _, err = self.bounced("lookup", "no address", conf=daemon.conf, expected=64)
        self.assertIn("no address", err)

    def test_the_consumer_in_docs_keeps_the_list_that_the_oracle_says(self):
        path = self.folder / "suppressed"
        daemon = self.daemon(**{"policy.soft.limit": "1", "policy.soft.span": "0d", "policy.soft.messages": "1",
                                "policy.soft.suppress.for": "1d"}).start().wait_ready()
        self.send([event(f"gone{n}@example.org", **HARD) for n in range(50)] + [
            event("kim@example.org", tenant="acme", type="complaint"),
            event("out@example.org", type="unsubscribe"),
            event("full@example.org", **SOFT),
            # suppressed two days ago for one: over
            event("over@example.org", **{**SOFT, "time": harness.rfc3339(2 * 86400)}),
            event("fine@example.org", type="delivery"),
        ])
        self.settle()
        expected = {f"gone{n}@example.org" for n in range(50)}
        expected |= {"acme kim@example.org", "out@example.org", "full@example.org"}
        reader = subprocess.Popen([sys.executable, str(harness.ROOT / "docs/suppression_list.py"), harness.servers(),
                                   self.topic("recipients"), str(path)], stderr=subprocess.PIPE)
        self.addCleanup(self.end, reader)

        def listed():
            self.assertIsNone(reader.poll(), "the consumer ended by itself")
            return set(path.read_text().split("\n")) - {""} if path.exists() else None
        harness.wait_until("the list", lambda: listed() == expected)
        self.send([event("out@example.org", type="subscribe"), event("new@example.org", **HARD)])
        expected = expected - {"out@example.org"} | {"new@example.org"}
        harness.wait_until("the changed list", lambda: listed() == expected)
        daemon.stop()

    def end(self, reader):
        reader.kill()
        reader.wait(harness.WAIT)
        reader.stderr.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
