"""However much waits, and however small it was squeezed: the daemon's memory stays below its limit."""
import json
import pathlib
import re
import unittest

import confluent_kafka

from harness import Case, wait_until, servers

LIMIT_MB = 256
RECORDS = 120_000


def peak_mb(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1024


class Memory(Case):
    PARTITIONS = 8
    RAW_PARTITIONS = 8

    def preload(self, make, codec):
        """Large batches of text that repeats itself: what is fetched grows a hundredfold when it is unpacked."""
        producer = confluent_kafka.Producer({"bootstrap.servers": servers(), "compression.codec": codec, "linger.ms": 100,
                                             "batch.size": 1_000_000, "queue.buffering.max.messages": 200_000,
                                             "queue.buffering.max.kbytes": 1_000_000})
        for n in range(RECORDS):
            while True:
                try:
                    producer.produce(self.topic("raw"), value=make(n), partition=n % self.RAW_PARTITIONS)
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
        self.assertEqual(producer.flush(60), 0)

    def run_backlog(self, outputs):
        daemon = self.daemon(**{"kafka.session.timeout.ms": "10000", "kafka.heartbeat.interval.ms": "1000"}).start()
        ends = self.cluster.ends(self.topic("raw"))

        def is_done():
            self.assertTrue(daemon.alive(), daemon.log()[-2000:])
            done = self.cluster.committed(f"{self.group}.classify", self.topic("raw"))
            return all(done[p] >= ends[p] for p in ends)
        wait_until("the backlog to be worked off", is_done, 240, 0.5)
        self.settle(240)
        peak = peak_mb(daemon.process)
        daemon.stop()
        self.assertLess(peak, LIMIT_MB)
        for name, count in outputs.items():
            self.assertGreaterEqual(sum(self.cluster.ends(self.topic(name)).values()), count)

    def settle(self, seconds):
        """By offsets alone: the records are too many to be read."""
        def is_done():
            ends = self.cluster.ends(self.topic("classified"))
            done = self.cluster.committed(f"{self.group}.decide", self.topic("classified"))
            return all(ends[p] == 0 or done[p] >= ends[p] - 1 for p in ends)
        wait_until("stage 2 to reach the end of classified", is_done, seconds, 0.5)

    def test_events_with_long_texts_that_repeat_themselves(self):
        self.create_raw()
        text = "550 5.1.1 this mailbox is not known here, please check the address; " * 56

        def make(n):
            return json.dumps({"v": 1, "recipient": f"u{n}@example.com", "diagnostic": text}).encode()
        self.preload(make, "zstd")
        self.run_backlog({"classified": RECORDS, "decisions": RECORDS})

    def test_dead_letters_which_are_written_as_they_came(self):
        self.create_raw()
        record = b"{\"v\":1," + b" no end of this " * 256
        self.preload(lambda n: record, "lz4")
        self.run_backlog({"dead": RECORDS})


if __name__ == "__main__":
    unittest.main()
