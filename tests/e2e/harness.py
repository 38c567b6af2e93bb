"""What the end-to-end tests stand on: one real broker on loopback, topics of each test's own, and the daemon as a
process. Every wait has an end, and what is missing is said loudly.

BOUNCED_BINARY       the daemon (default: build/dev/bounced)
BOUNCED_E2E_BROKER   folder of a running cluster of tests/kafka/up; without it one is started and stopped here

  harness.py up DIR | down DIR | exec DIR PROGRAM [ARGUMENTS]      for ctest's fixture and the C programs
"""
import atexit
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(__file__).resolve().parent / "data"
WAIT = 60.0

try:
    import confluent_kafka
    from confluent_kafka import admin as kafka_admin
except ImportError:
    sys.exit(f"e2e: {sys.executable} has no confluent_kafka: apt-get install python3-confluent-kafka")


# ---- the broker ----

def run_script(*arguments):
    done = subprocess.run([str(a) for a in arguments], stdout=subprocess.PIPE, text=True, timeout=300)
    if done.returncode != 0:
        sys.exit(f"e2e: {' '.join(map(str, arguments))} failed with {done.returncode}")
    return done.stdout.strip()


def broker_up(folder):
    if (pathlib.Path(folder) / "node-1").exists():
        run_script(ROOT / "tests/kafka/down", folder, "-k")
    return run_script(ROOT / "tests/kafka/up", "-d", folder)


def broker_down(folder):
    if pathlib.Path(folder).exists():
        run_script(ROOT / "tests/kafka/down", folder, "-k")


_servers = None


def servers():
    global _servers
    if _servers:
        return _servers
    given = os.environ.get("BOUNCED_E2E_BROKER")
    if given:
        _servers = (pathlib.Path(given) / "bootstrap").read_text().strip()
    else:
        folder = tempfile.mkdtemp(prefix="bounced-kafka.")
        _servers = broker_up(folder)
        atexit.register(broker_down, folder)
    return _servers


def binary():
    path = pathlib.Path(os.environ.get("BOUNCED_BINARY", ROOT / "build/dev/bounced"))
    if not path.exists():
        sys.exit(f"e2e: {path} is not built")
    return str(path)


# ---- waiting ----

def wait_until(what, check, seconds=WAIT, pause=0.05):
    """The first true value of check(); fails with `what` when the time is over."""
    end = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds:.0f} s still waiting: {what}")
        time.sleep(pause)


def patiently(call):
    """call(), again and again while the broker cannot answer yet: a leader is not known, a coordinator loads."""
    def attempt():
        try:
            return (call(),)
        except confluent_kafka.KafkaException as error:
            failures.append(error)
            return None
    failures = []
    try:
        return wait_until("the broker", attempt, pause=0.2)[0]
    except AssertionError:
        raise failures[-1] from None


# ---- records ----

class Record:
    def __init__(self, message):
        self.topic, self.partition, self.offset = message.topic(), message.partition(), message.offset()
        self.key, self.value = message.key(), message.value()
        self.headers = {k: v for k, v in message.headers() or []}
        self.time_ms = message.timestamp()[1]

    def json(self):
        return json.loads(self.value)

    def __repr__(self):
        return f"{self.topic}[{self.partition}]@{self.offset} {self.key!r} {self.value!r:.300}"


def murmur2_partition(key, partitions):
    """The partition that Java's default partitioner gives a key."""
    m, h = 0x5BD1E995, (0x9747B28C ^ len(key)) & 0xFFFFFFFF
    whole = len(key) // 4 * 4
    for i in range(0, whole, 4):
        k = int.from_bytes(key[i:i + 4], "little") * m & 0xFFFFFFFF
        k = (k ^ k >> 24) * m & 0xFFFFFFFF
        h = (h * m & 0xFFFFFFFF) ^ k
    if key[whole:]:
        h = (h ^ int.from_bytes(key[whole:], "little")) * m & 0xFFFFFFFF
    h = (h ^ h >> 13) * m & 0xFFFFFFFF
    h ^= h >> 15
    return (h & 0x7FFFFFFF) % partitions


class Cluster:
    """Producing, reading and administration, all of read_committed records."""

    def __init__(self):
        self.common = {"bootstrap.servers": servers(), "log_level": 2}
        self.admin = kafka_admin.AdminClient(self.common)
        self.reader = self._consumer("e2e-reader")

    def create(self, name, partitions, **settings):
        topic = kafka_admin.NewTopic(name, partitions, 1, config={k.replace("_", "."): v for k, v in settings.items()})
        self.admin.create_topics([topic])[name].result(WAIT)
        wait_until(f"topic {name} to show up", lambda: name in self.topics())

    def topics(self):
        found = patiently(lambda: self.admin.list_topics(timeout=10)).topics
        return {name: len(topic.partitions) for name, topic in found.items()}

    def settings(self, topic):
        resource = kafka_admin.ConfigResource(kafka_admin.RESOURCE_TOPIC, topic)
        entries = self.admin.describe_configs([resource])[resource].result(WAIT)
        return {name: entry.value for name, entry in entries.items()}

    def produce(self, topic, records):
        """records: (partition, value, key, headers); returns their offsets in the same order."""
        offsets = {}
        producer = confluent_kafka.Producer({**self.common, "enable.idempotence": True, "linger.ms": 5,
                                             "message.max.bytes": 20_000_000})
        for n, (partition, value, key, headers) in enumerate(records):
            def delivered(error, message, n=n):
                if error:
                    raise AssertionError(f"record {n} was not taken: {error}")
                offsets[n] = message.offset()
            while True:
                try:
                    producer.produce(topic, value=value, key=key, partition=partition,
                                     headers=list((headers or {}).items()), on_delivery=delivered)
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
        left = producer.flush(WAIT)
        if left or len(offsets) != len(records):
            raise AssertionError(f"{left} records were not delivered")
        return [offsets[n] for n in range(len(records))]

    def _consumer(self, group):
        return confluent_kafka.Consumer({**self.common, "group.id": group, "isolation.level": "read_committed",
                                         "enable.auto.commit": False, "enable.partition.eof": True,
                                         "auto.offset.reset": "error", "fetch.wait.max.ms": 20})

    def read(self, topic):
        """All committed records, partition by partition, in order."""
        consumer, count = self.reader, self.topics()[topic]
        try:
            assigned = [confluent_kafka.TopicPartition(topic, p, confluent_kafka.OFFSET_BEGINNING)
                        for p in range(count)]
            consumer.assign(assigned)
            found, ends, end = {p: [] for p in range(count)}, set(), time.monotonic() + WAIT
            while len(ends) < count:
                if time.monotonic() > end:
                    raise AssertionError(f"{topic} cannot be read to its end; done: {sorted(ends)}")
                message = consumer.poll(0.5)
                if message is None or message.topic() != topic:
                    continue
                if message.error() is None:
                    found[message.partition()].append(Record(message))
                elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                    ends.add(message.partition())
                else:
                    raise AssertionError(f"{topic}: {message.error()}")
            return [record for p in range(count) for record in found[p]]
        finally:
            consumer.unassign()

    def ends(self, topic):
        return {p: patiently(lambda p=p: self.reader.get_watermark_offsets(
            confluent_kafka.TopicPartition(topic, p), timeout=10))[1] for p in range(self.topics()[topic])}

    def close(self):
        self.reader.close()

    def committed(self, group, topic):
        consumer = self._consumer(group)
        try:
            asked = [confluent_kafka.TopicPartition(topic, p) for p in range(self.topics()[topic])]
            try:
                answer = consumer.committed(asked, timeout=5)
            except confluent_kafka.KafkaException:
                return {p.partition: -1 for p in asked}
            return {p.partition: -1 if p.error else p.offset for p in answer}
        finally:
            consumer.close()

    def delete_group(self, group):
        """By a small program of ours: confluent_kafka 1.7 cannot."""
        tool = pathlib.Path(binary()).parent / "tests/e2e_delete_group"
        done = subprocess.run([str(tool), servers(), group], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=WAIT)
        if done.returncode != 0:
            raise AssertionError(done.stdout)


# ---- the daemon ----

class Daemon:
    """`bounced run` as a child process; its log is kept for a failure."""

    def __init__(self, conf, folder, name):
        self.conf, self.name = conf, name
        self.log_path = folder / f"{name}.log"
        self.process = None

    def start(self, *arguments):
        assert not self.alive(), f"{self.name} runs already"
        self.log_from = self.log_path.stat().st_size if self.log_path.exists() else 0
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([binary(), "run", "-c", str(self.conf), *arguments], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        return self

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def log(self):
        """Since the last start."""
        with open(self.log_path, "rb") as log:
            log.seek(self.log_from)
            return log.read().decode("utf-8", "replace")

    def wait_ready(self):
        def ready():
            if not self.alive():
                raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n{self.log()}")
            return "info ready" in self.log() or " ready " in self.log()
        wait_until(f"{self.name} to be ready", ready)
        return self

    def stop(self, expected=0):
        self.process.send_signal(signal.SIGTERM)
        code = self.wait_exit()
        if code != expected:
            raise AssertionError(f"{self.name} ended with {code} after SIGTERM:\n{self.log()[-4000:]}")

    def kill(self):
        if self.alive():
            self.process.kill()
        self.wait_exit()

    def wait_exit(self, seconds=WAIT):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} does not end within {seconds} s:\n{self.log()[-4000:]}") from None


class Case(unittest.TestCase):
    """One set of topics, one consumer group and one folder for each test."""
    PARTITIONS = 4
    RAW_PARTITIONS = 3
    maxDiff = None

    def setUp(self):
        binary()  # before anything is started
        tag = hashlib.sha1(self.id().encode()).hexdigest()[:6]
        self.tag = f"t{tag}{time.time_ns() // 1_000_000 % 10**9}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"bounced-e2e.{tag}."))
        self.cluster = Cluster()
        self.daemons = []
        self.addCleanup(self._clean)

    def _clean(self):
        failed = not getattr(self._outcome, "success", False)
        for daemon in self.daemons:
            if daemon.process is not None:
                daemon.kill()
                if failed:
                    sys.stderr.write(f"--- the end of {daemon.name}'s log\n{daemon.log()[-6000:]}\n")
        self.cluster.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # names

    def topic(self, name):
        return f"{self.tag}.{name}"

    @property
    def group(self):
        return self.tag

    # the daemon

    def settings(self, **changes):
        """Configuration by section.key with _ for the first dot only where it must be; None removes a line."""
        lines = {
            "kafka.bootstrap.servers": servers(),
            "kafka.session.timeout.ms": "3000",
            "kafka.heartbeat.interval.ms": "300",
            "topics.create": "yes",
            "topics.partitions": str(self.PARTITIONS),
            "run.group": self.group,
            "run.transaction.timeout": "5s",
            "run.idle.tick": "1s",
            "state.dir": str(self.folder / "state"),
        }
        for name in ("raw", "classified", "decisions", "recipients", "dead"):
            lines[f"topics.{name}"] = self.topic(name)
        for key, value in changes.items():
            lines[key] = value
        return {key: value for key, value in lines.items() if value is not None}

    def write_conf(self, name="bounced", **changes):
        sections = {}
        for key, value in self.settings(**changes).items():
            section, rest = key.split(".", 1)
            sections.setdefault(section, []).append(f"{rest} = {value}")
        path = self.folder / f"{name}.conf"
        path.write_text("".join(f"[{s}]\n" + "\n".join(rows) + "\n" for s, rows in sections.items()))
        return path

    def daemon(self, name="bounced", **changes):
        daemon = Daemon(self.write_conf(name, **changes), self.folder, name)
        self.daemons.append(daemon)
        return daemon

    def bounced(self, *arguments, conf=None, stdin=None, expected=0, seconds=WAIT):
        """A command; checks the exit code and returns (stdout, stderr)."""
        words = [binary(), *arguments]
        if conf is not None:
            words[-len(arguments):] = [*arguments, "-c", str(conf)]
        done = subprocess.run(words, input=stdin, capture_output=True, timeout=seconds)
        out, err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
        if expected is not None:
            self.assertEqual(done.returncode, expected, f"{' '.join(words)}\nstdout: {out}\nstderr: {err}")
        return out, err

    # the flow

    def create_raw(self):
        self.cluster.create(self.topic("raw"), self.RAW_PARTITIONS, max_message_bytes="11534336")

    def send(self, records):
        """records: dicts with value and, if wanted, partition, key, headers. Returns (partition, offset) of each."""
        rows = [(r.get("partition", 0), r["value"], r.get("key"), r.get("headers")) for r in records]
        return [(row[0], offset) for row, offset in zip(rows, self.cluster.produce(self.topic("raw"), rows))]

    def read(self, name):
        return self.cluster.read(self.topic(name))

    def settle(self, seconds=WAIT):
        """Until both stages have worked off everything that is in the log."""
        def stage_1_done():
            ends, done = self.cluster.ends(self.topic("raw")), self.cluster.committed(f"{self.group}.classify", self.topic("raw"))
            return all(done[p] >= ends[p] for p in ends if ends[p] > 0)

        def stage_2_done():
            last = {}
            for record in self.read("classified"):
                last[record.partition] = record.offset
            done = self.cluster.committed(f"{self.group}.decide", self.topic("classified"))
            return all(done[p] > last[p] for p in last)
        wait_until("stage 1 to reach the end of raw", stage_1_done, seconds, 0.1)
        wait_until("stage 2 to reach the end of classified", stage_2_done, seconds, 0.1)

    def feed(self):
        """The recipients topic as a compacted reader sees it: key → JSON, without positions and tombstones."""
        state = {}
        for record in self.read("recipients"):
            if record.key.startswith(b"#"):
                continue
            self.assertEqual(record.partition, self.home(record.key), f"{record} lies in the wrong partition")
            if record.value is None:
                state.pop(record.key.decode(), None)
            else:
                state[record.key.decode()] = record.json()
        return state

    def home(self, key):
        return murmur2_partition(key.split(b" ")[-1], self.PARTITIONS)

    def check_exactly_once(self, sent):
        """sent: the (partition, offset) of raw records that name one recipient each. Each is classified once and
        decided once, in the order of its raw partition."""
        for name in ("classified", "decisions"):
            records = self.read(name)
            origins = [(o["partition"], o["offset"], o["index"]) for o in (r.json()["origin"] for r in records)]
            self.assertEqual(sorted(origins), sorted((p, o, 0) for p, o in sent), f"the origins in {name}")
            seen = {}
            for record, (partition, offset, _) in zip(records, origins):
                lane = (record.partition, partition)
                self.assertLess(seen.get(lane, -1), offset, f"{record} is out of order")
                seen[lane] = offset
        self.assertFalse([r for r in self.read("decisions") if r.json()["duplicate"]], "no decision is a duplicate")


class Stream(threading.Thread):
    """Sends records while something else happens; .sent is complete after stop()."""

    def __init__(self, case, make, per_second):
        super().__init__(daemon=True)
        self.case, self.make, self.per_second = case, make, per_second
        self.sent, self.error, self.ending = [], None, threading.Event()

    def run(self):
        try:
            n = 0
            while not self.ending.is_set():
                size = max(1, self.per_second // 10)
                self.sent += self.case.send([self.make(n + i) for i in range(size)])
                n += size
                self.ending.wait(0.1)
        except BaseException as error:  # handed on by stop()
            self.error = error

    def stop(self):
        self.ending.set()
        self.join(WAIT)
        if self.error:
            raise self.error
        return self.sent


def rfc3339(ago_seconds=0):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago_seconds))


def main(arguments):
    if len(arguments) >= 2 and arguments[0] == "up":
        print(broker_up(arguments[1]))
    elif len(arguments) >= 2 and arguments[0] == "down":
        broker_down(arguments[1])
    elif len(arguments) >= 3 and arguments[0] == "exec":
        os.environ["BOUNCED_E2E_SERVERS"] = (pathlib.Path(arguments[1]) / "bootstrap").read_text().strip()
        os.execv(arguments[2], arguments[2:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
