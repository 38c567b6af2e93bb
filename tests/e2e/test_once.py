"""Nothing twice, nothing lost: over a restart, the loss of all local state and of the groups' offsets, and with
several instances of which one is killed."""
import json
import os
import shutil
import signal
import time
import unittest

import harness


def bounce(n, recipients=60):
    """Every third is hard; the soft ones of a recipient are of the same day but of different messages."""
    recipient = f"user{n % recipients}@example.{'com' if n % 2 else 'net'}"
    hard = n % 3 == 0
    return {
        "partition": n % 3,
        "value": json.dumps({
            "v": 1, "event_id": f"e{n}", "recipient": recipient, "type": "bounce",
            "code": 550 if hard else 452, "status": "5.1.1" if hard else "4.2.2",
            "diagnostic": "550 5.1.1 user unknown" if hard else "452 4.2.2 mailbox full",
            "message_id": f"m{n}@mail.example.org", "time": harness.rfc3339(),
        }).encode(),
    }


class Once(harness.Case):
    def setUp(self):
        super().setUp()
        self.create_raw()

    def state_dir(self, name="state"):
        return self.folder / name

    def hard_ones(self, count, recipients=60):
        return {json.loads(bounce(n, recipients)["value"])["recipient"] for n in range(count) if n % 3 == 0}

    def check_feed(self, count, recipients=60):
        feed = self.feed()
        suppressed = {key for key, state in feed.items() if state["suppressed"]}
        self.assertEqual(suppressed, self.hard_ones(count, recipients))
        return feed

    def test_a_stop_and_a_start_decide_nothing_twice(self):
        daemon = self.daemon().start().wait_ready()
        sent = self.send([bounce(n) for n in range(300)])
        self.settle()
        daemon.stop()
        feed = self.check_feed(300)
        daemon.start().wait_ready()
        time.sleep(3)  # long enough for an idle tick
        self.check_exactly_once(sent)
        self.assertEqual(self.feed(), feed)
        sent += self.send([bounce(n) for n in range(300, 600)])
        self.settle()
        daemon.stop()
        self.check_exactly_once(sent)
        self.check_feed(600)

    def test_kill_9_and_a_start_lose_and_repeat_nothing(self):
        daemon = self.daemon().start().wait_ready()
        stream = harness.Stream(self, bounce, 400)
        stream.start()
        for _ in range(3):
            time.sleep(1.5)
            daemon.kill()
            daemon.start()
        sent = stream.stop()
        daemon.wait_ready()
        self.settle()
        daemon.stop()
        self.check_exactly_once(sent)
        self.check_feed(len(sent))

    def test_losing_the_state_files_and_both_groups_repeats_nothing(self):
        daemon = self.daemon().start().wait_ready()
        sent = self.send([bounce(n) for n in range(300)])
        self.settle()
        daemon.stop()
        feed = self.check_feed(300)

        shutil.rmtree(self.state_dir())
        daemon.start().wait_ready()
        sent += self.send([bounce(n) for n in range(300, 400)])
        self.settle()
        daemon.stop()
        self.check_exactly_once(sent)

        shutil.rmtree(self.state_dir())
        for stage in ("classify", "decide"):
            self.cluster.delete_group(f"{self.group}.{stage}")
        daemon.start().wait_ready()
        sent += self.send([bounce(n) for n in range(400, 500)])
        self.settle()
        daemon.stop()
        decisions = self.read("decisions")
        self.assertEqual(sorted(r.json()["event_id"] for r in decisions), sorted(f"e{n}" for n in range(500)))
        self.assertFalse([r for r in decisions if r.json()["duplicate"]])
        self.assertEqual(feed.keys() - self.check_feed(500).keys(), set())

    def test_two_instances_share_the_partitions(self):
        names = ("one", "two")
        daemons = [self.daemon(n, **{"state.dir": str(self.state_dir(n))}).start() for n in names]
        for daemon in daemons:
            daemon.wait_ready()
        stream = harness.Stream(self, bounce, 300)
        stream.start()
        harness.wait_until("both to hold partitions", lambda: all(
            list(self.state_dir(n).glob("partition-*.db")) for n in names))
        time.sleep(4)
        daemons[0].stop()
        time.sleep(2)
        daemons[0].start()
        time.sleep(3)
        sent = stream.stop()
        self.settle()
        for daemon in daemons:
            daemon.stop()
        self.check_exactly_once(sent)
        self.check_feed(len(sent))

    def test_the_kill_9_of_one_of_two_instances_loses_and_repeats_nothing(self):
        names = ("one", "two")
        daemons = [self.daemon(n, **{"state.dir": str(self.state_dir(n))}).start() for n in names]
        for daemon in daemons:
            daemon.wait_ready()
        stream = harness.Stream(self, bounce, 300)
        stream.start()
        time.sleep(4)
        daemons[0].kill()
        time.sleep(8)  # longer than the session, so that the other takes over
        daemons[0].start()
        time.sleep(3)
        daemons[1].process.send_signal(signal.SIGSTOP)
        time.sleep(7)  # longer than session and transaction: it wakes up in the middle of what is no longer its own
        daemons[1].process.send_signal(signal.SIGCONT)
        time.sleep(2)
        sent = stream.stop()
        self.settle()
        for daemon in daemons:
            daemon.stop()
        self.check_exactly_once(sent)
        self.check_feed(len(sent))


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    unittest.main(verbosity=2)
