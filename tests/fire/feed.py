"""The input of the tests under fire: bounces whose verdict is known beforehand, seeded, as fast as asked for. The first
letter of an event id names what must come of it (tests/fire/oracle_raw.c has the table). Recipients are few enough to
be changed again and again, so that each state depends on the order of what came before."""
import collections
import json
import random
import threading
import time
import zlib

import confluent_kafka

DAY = 86400
# letter: (weight, fields)
KINDS = {
    "s": (52, {"type": "bounce", "code": 452, "status": "4.2.2", "diagnostic": "452 4.2.2 The mailbox is full"}),
    "h": (14, {"type": "bounce", "code": 550, "status": "5.1.1", "diagnostic": "550 5.1.1 user unknown"}),
    "n": (6, {"type": "bounce", "code": 550, "status": "5.1.2", "diagnostic": "550 5.1.2 host or domain name not found"}),
    "d": (10, {"type": "delivery"}),
    "c": (3, {"type": "complaint"}),
    "u": (4, {"type": "unsubscribe"}),
    "b": (4, {"type": "subscribe"}),
    "x": (7, {"type": "bounce", "code": 554, "status": "5.7.1",
              "diagnostic": "554 5.7.1 Your IP address 192.0.2.7 is blocked because of its reputation"}),
}
LETTERS = [letter for letter, (weight, _) in KINDS.items() for _ in range(weight)]
MAIL = """From: MAILER-DAEMON@mx.example.net
To: bounce@lists.example.org
Subject: Undelivered mail
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain

Your message could not be delivered.
--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
{groups}
--b1--
"""
GROUP = """
Final-Recipient: rfc822; {recipient}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 user unknown
"""


class Maker:
    """The n-th record, from a seed alone but for the times, which are within the days before now."""

    def __init__(self, seed, recipients, raw_partitions):
        self.random = random.Random(seed)
        self.recipients, self.raw_partitions, self.made = recipients, raw_partitions, 0
        self.recent = collections.deque(maxlen=200)
        self.only = ""  # a letter: nothing else for a while

    def address(self):
        return f"user{self.random.randrange(self.recipients)}@{self.random.choice('abc')}.example.org"

    def lane(self, address):
        """One raw partition for most recipients, any for every fifth."""
        home = zlib.crc32(address.encode())
        return self.random.randrange(self.raw_partitions) if home % 5 == 0 else home % self.raw_partitions

    def event(self):
        letter, address = self.only or self.random.choice(LETTERS), self.address()
        event = {"v": 1, "event_id": f"{letter}-{self.made}", "recipient": address}
        if self.random.random() < 0.3:
            event["tenant"] = f"t{self.random.randrange(3)}"
        event.update(KINDS[letter][1])
        event["message_id"] = f"m{self.made}@mail.example.org"
        event["time"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - self.random.random() * 6 * DAY))
        value = json.dumps(event, separators=(",", ":"))
        self.recent.append((address, value))
        return address, value

    def make(self):
        """(partition, value)"""
        self.made += 1
        if self.only:
            address, value = self.event()
            return self.lane(address), value
        dice = self.random.random()
        if dice < 0.002:
            return self.random.randrange(self.raw_partitions), "{broken"
        if dice < 0.01:
            chosen = {self.address() for _ in range(self.random.randint(1, 4))}
            groups = "".join(GROUP.format(recipient=address) for address in sorted(chosen))
            return self.random.randrange(self.raw_partitions), MAIL.format(groups=groups)
        again = dice < 0.04 and self.recent
        address, value = self.random.choice(self.recent) if again else self.event()
        return self.lane(address), value


class Feed(threading.Thread):
    """Produces until stop(). A producer that a broker's death broke is replaced: what it may have written twice lies
    in raw twice, and is twice due."""

    def __init__(self, servers, topic, maker, per_second):
        super().__init__(daemon=True)
        self.servers, self.topic, self.maker, self.per_second = servers, topic, maker, per_second
        self.ending, self.sent, self.error = threading.Event(), 0, None

    def producer(self):
        return confluent_kafka.Producer({"bootstrap.servers": self.servers, "enable.idempotence": True, "linger.ms": 5,
                                         "message.timeout.ms": 900_000, "log_level": 2, "error_cb": lambda error: None})

    def send(self, producer, record):
        while not self.ending.is_set():
            try:
                producer.produce(self.topic, partition=record[0], value=record[1])
                producer.poll(0)
                self.sent += 1
                return
            except BufferError:
                producer.poll(0.1)

    def run(self):
        try:
            producer, begun, due = self.producer(), time.monotonic(), 0.0
            while not self.ending.wait(0.05):
                now = time.monotonic()
                due = min(due + (now - begun) * self.per_second, self.per_second)
                begun = now
                for _ in range(int(due)):
                    try:
                        self.send(producer, self.maker.make())
                    except confluent_kafka.KafkaException:
                        producer = self.producer()
                due -= int(due)
            producer.flush(120)
        except BaseException as error:  # handed on by stop()
            self.error = error

    def stop(self):
        self.ending.set()
        self.join(150)
        if self.error:
            raise self.error
        if self.is_alive():
            raise AssertionError("the feed does not end")
