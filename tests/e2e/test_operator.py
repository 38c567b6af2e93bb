"""What an operator gets wrong: one sentence that says what and how to mend it, the right exit code, nothing half-made."""
import pathlib
import socket
import unittest

import harness


class Operator(harness.Case):
    def fails(self, expected, *parts, conf, extra=()):
        """Runs the daemon, which must give up by itself; returns its last sentence."""
        _, err = self.bounced("run", *extra, conf=conf, expected=expected, seconds=40)
        sentences = [line for line in err.splitlines() if line.startswith("bounced: ")]
        self.assertEqual(len(sentences), 1, err)
        for part in parts:
            self.assertIn(part, sentences[0])
        return sentences[0]

    def assert_nothing_made(self):
        mine = [t for t in self.cluster.topics() if t.startswith(self.tag)]
        self.assertEqual(mine, [])
        self.assertEqual(list(self.folder.glob("state*/partition-*")), [])

    def test_a_missing_topic_is_named_with_its_settings(self):
        conf = self.write_conf(**{"topics.create": "no"})
        self.fails(78, self.topic("raw"), "topics.raw", "topics.create", conf=conf)
        self.assert_nothing_made()
        self.create_raw()
        self.fails(78, self.topic("classified"), "4 partitions", conf=conf)
        for name in ("classified", "decisions"):
            self.cluster.create(self.topic(name), 4)
        self.fails(78, self.topic("recipients"), "cleanup.policy=compact", "delete.retention.ms=604800000", conf=conf)

    def test_an_unreachable_broker_is_named(self):
        with socket.socket() as taken:  # bound and not listening: refused, whoever else looks for ports
            taken.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            conf = self.write_conf(**{"kafka.bootstrap.servers": address, "run.broker.wait": "1s"})
            self.fails(69, address, conf=conf)
            for command in (("lookup", "a@example.org"), ("dead", "list")):
                _, err = self.bounced(*command, conf=conf, expected=69)
                self.assertIn(address, err)
        self.assert_nothing_made()

    def test_a_state_folder_that_cannot_be_written_is_named(self):
        for folder in ("/dev/null/state", "/proc/bounced-state", "/proc/self"):
            self.fails(78, folder, conf=self.write_conf(**{"state.dir": folder}))
        self.assert_nothing_made()

    def test_a_locked_state_folder_is_named_and_its_owner_goes_on(self):
        self.create_raw()
        daemon = self.daemon().start().wait_ready()
        self.fails(75, str(self.folder / "state"), conf=daemon.conf)
        self.assertTrue(daemon.alive())
        self.send([{"value": b'{"recipient":"a@example.org","code":550,"status":"5.1.1"}'}])
        self.settle()
        daemon.stop()
        self.assertEqual(len(self.read("decisions")), 1)

    def test_wrong_settings_are_named_with_file_line_and_the_nearest_name(self):
        for changes, parts in (
            ({"run.comit.interval": "5ms"}, ("run.comit.interval", "run.commit.interval")),
            ({"run.commit.interval": "soon"}, ("run.commit.interval", "soon", "duration")),
            ({"run.stages": "some"}, ("run.stages", "classify")),
            ({"kafka.boostrap.servers": "x"}, ("kafka.boostrap.servers", "kafka.bootstrap.servers")),
            ({"kafka.session.timeout.ms": "never"}, ("session.timeout.ms", "never")),
            ({"kafka.isolation.level": "read_uncommitted"}, ("isolation.level",)),
            ({"topics.raw": self.topic("dead")}, ("topics.raw", "topics.dead")),
            ({"kafka.bootstrap.servers": None}, ("bootstrap.servers",)),
        ):
            with self.subTest(changes=changes):
                conf = self.write_conf(**changes)
                sentence = self.fails(78, *parts, conf=conf)
                if None not in changes.values() and "topics.raw" not in changes:
                    self.assertRegex(sentence, rf"{conf}:\d+")
        self.assert_nothing_made()
        self.bounced("run", "--no-such-flag", expected=64)
        self.bounced("no-such-command", expected=64)
        self.bounced("run", "-c", str(self.folder / "none.conf"), expected=78)

    def test_a_bad_rule_file_is_named_with_line_and_column(self):
        rules = self.folder / "rules"
        rules.mkdir()
        (rules / "bad.rules").write_text("rule:   local.odd\ntext:   no such words\nreason: no-such-reason\n")
        conf = self.write_conf(**{"rules.dir": str(rules)})
        self.fails(78, f"{rules}/bad.rules:3:9", "no-such-reason", conf=conf)
        self.fails(78, str(self.folder / "none"), conf=self.write_conf(**{"rules.dir": str(self.folder / "none")}))
        self.assert_nothing_made()

    def test_topics_of_different_partitions_are_refused(self):
        self.create_raw()
        self.cluster.create(self.topic("classified"), 3)
        self.cluster.create(self.topic("decisions"), 4)
        self.cluster.create(self.topic("recipients"), 3, cleanup_policy="compact")
        self.fails(78, self.topic("decisions"), "3", "4", conf=self.write_conf())

    def test_a_number_of_partitions_that_changed_while_it_was_stopped_is_refused_before_anything_is_produced(self):
        self.create_raw()
        daemon = self.daemon().start().wait_ready()
        self.send([{"value": b"550 5.1.1 <anna@example.com> no such user", "headers": {"recipient": b"anna@example.com"}}])
        self.settle()
        daemon.stop()
        for name in ("classified", "decisions", "recipients"):
            more = harness.kafka_admin.NewPartitions(self.topic(name), 6)
            self.cluster.admin.create_partitions([more])[self.topic(name)].result(harness.WAIT)
        harness.wait_until("the partitions", lambda: self.cluster.topics()[self.topic("recipients")] == 6)
        self.send([{"value": b"550 5.1.1 <bob@example.com> no such user", "headers": {"recipient": b"bob@example.com"},
                    "partition": p} for p in range(self.RAW_PARTITIONS)])

        later = harness.Cluster()  # the reader of before does not hear of new partitions
        self.addCleanup(later.close)

        def written():
            return {name: later.ends(self.topic(name)) for name in ("classified", "decisions", "recipients", "dead")}
        before, done = written(), self.cluster.committed(f"{self.group}.classify", self.topic("raw"))
        for stages in ("all", "classify", "decide"):
            self.fails(78, "written with 4 partitions", "now has 6", "replay raw",
                       conf=self.write_conf(**{"run.stages": stages}))
        self.assertEqual(written(), before)
        self.assertEqual(self.cluster.committed(f"{self.group}.classify", self.topic("raw")), done)

    def test_a_recipients_topic_that_is_not_compacted_is_refused(self):
        self.create_raw()
        self.cluster.create(self.topic("recipients"), 4)
        self.fails(78, self.topic("recipients"), "cleanup.policy", conf=self.write_conf())

    def test_topics_are_made_with_the_right_settings(self):
        daemon = self.daemon().start().wait_ready()
        daemon.stop()
        topics = self.cluster.topics()
        self.assertEqual({n: topics.get(self.topic(n)) for n in ("raw", "classified", "decisions", "recipients", "dead")},
                         dict.fromkeys(("raw", "classified", "decisions", "recipients", "dead"), 4))
        recipients = self.cluster.settings(self.topic("recipients"))
        self.assertEqual((recipients["cleanup.policy"], recipients["delete.retention.ms"]), ("compact", "604800000"))
        self.assertGreaterEqual(int(self.cluster.settings(self.topic("raw"))["max.message.bytes"]), 10_000_001)
        for name in ("classified", "decisions", "dead"):
            self.assertEqual(self.cluster.settings(self.topic(name))["cleanup.policy"], "delete")

    def test_a_start_can_be_stopped_while_it_waits_for_a_broker(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            daemon = self.daemon(**{"kafka.bootstrap.servers": f"127.0.0.1:{taken.getsockname()[1]}"}).start()
            harness.wait_until("the start", lambda: "start" in daemon.log())
            daemon.stop()
        self.assertEqual(list(pathlib.Path(self.folder).glob("state/partition-*")), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
