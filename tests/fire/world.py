"""One cluster, and worlds on it: topics of their own, a feed, some instances of the daemon, and what befalls them.

Everything that a world starts is ended by its own pid. What is against the promises is collected in World.failures;
what happened besides, in World.events."""
import collections
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import confluent_kafka

import feed as feeds

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
BUILD = pathlib.Path(os.environ.get("BOUNCED_BUILD", ROOT / "build/dev"))
BINARY, FAULTS = BUILD / "bounced", BUILD / "tests/bounced-faults"
ORACLE, SHIM, DELETE_GROUP = BUILD / "tests/chaos_oracle", BUILD / "tests/libfire_shim.so", BUILD / "tests/e2e_delete_group"
os.environ.setdefault("BOUNCED_BINARY", str(BINARY))
import harness  # noqa: E402

# 75: somebody else holds what we need; 69: no broker within run.broker.wait. An operator's service manager starts these again.
PASSING = {69, 75}
DRAIN, DRAIN_AWAY = 10.0, 20.0


class Failure(Exception):
    pass


class Cluster:
    """Brokers of our own, for they are killed."""

    def __init__(self, nodes=1):
        self.folder = tempfile.mkdtemp(prefix="bounced-chaos-kafka.")
        self.nodes = nodes
        up = ROOT / "tests/kafka/up"
        # As Kafka has it by default. A broker that looks sooner ends transactions while it still starts, when it knows no
        # leaders yet, and then leaves out their markers: they stay open for ever (docs/exactly-once.md).
        later = "transaction.abort.timed.out.transaction.cleanup.interval.ms=10000"
        try:
            done = subprocess.run([str(up), "-n", str(nodes), "-d", self.folder], stdout=subprocess.PIPE, text=True,
                                  timeout=400, check=True, env={**os.environ, "KAFKA_CONF": later})
        except BaseException:
            self.down()
            raise
        self.servers = done.stdout.strip()
        os.environ["BOUNCED_E2E_BROKER"] = self.folder
        harness._servers = None
        self.kills = collections.Counter()
        self.tools = harness.Cluster()

    def pid(self, node):
        return int(pathlib.Path(self.folder, f"node-{node}", "pid").read_text())

    def signal(self, node, number):
        os.kill(self.pid(node), number)

    def kill(self, node=1):
        self.kills["broker"] += 1
        self.signal(node, signal.SIGKILL)
        end = time.monotonic() + 20
        while os.path.exists(f"/proc/{self.pid(node)}") and time.monotonic() < end:
            time.sleep(0.05)

    def restart(self, node=1):
        for _ in range(3):  # its ports may still be in use
            done = subprocess.run([str(ROOT / "tests/kafka/up"), "-d", self.folder, "-r", str(node)],
                                  stdout=subprocess.DEVNULL, timeout=200, check=False)
            if done.returncode == 0:
                return
            time.sleep(3)
        raise Failure(f"broker {node} does not start again")

    def down(self):
        subprocess.run([str(ROOT / "tests/kafka/down"), self.folder, "-k"], check=False, timeout=60)
        shutil.rmtree(self.folder, ignore_errors=True)


class Node:
    """One instance: it is started again when it was killed, or ended for a passing reason."""

    def __init__(self, world, name):
        self.world, self.name = world, name
        self.state = world.folder / name
        self.log_path = world.folder / f"{name}.log"
        self.trouble = world.folder / f"{name}.trouble"
        self.process, self.stopped_until, self.wanted, self.doom = None, None, False, ""

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def start(self, fault="", arguments=(), limit=None, **changes):
        assert not self.alive()
        conf = self.world.write_conf(self.name, **{"state.dir": str(self.state), **changes})
        environment = {**os.environ, "LD_PRELOAD": str(SHIM), "FIRE_TROUBLE": str(self.trouble),
                       "FIRE_FOLDER": str(self.state)}
        environment.pop("BOUNCED_FAULT", None)
        if fault:
            environment["BOUNCED_FAULT"] = fault
        words = [str(FAULTS if fault else BINARY), "run", "-c", str(conf), *arguments]
        if limit:
            words = ["prlimit", f"--fsize={limit}", *words]
        self.log_from = self.log_path.stat().st_size if self.log_path.exists() else 0
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        self.wanted, self.doom, self.stopped_until = True, fault.split(":")[0], None
        return self

    def log(self, whole=False):
        with open(self.log_path, "rb") as log:
            log.seek(0 if whole else self.log_from)
            return log.read().decode("utf-8", "replace")

    def wait_ready(self, seconds=90):
        harness.wait_until(f"{self.name} to be ready", lambda: " ready " in self.log() or not self.alive(), seconds)
        return self

    def running(self):
        """Some partition of stage 2 is being worked off since the last start."""
        return "partition.started stage=decide" in self.log()

    def halted(self):
        """Stopped by a signal."""
        try:
            return pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"
        except OSError:
            return False

    def owns_all(self):
        log = self.log()
        return all(f"partition.started stage=decide partition={p} " in log for p in range(self.world.partitions))

    def kill(self, why="random"):
        if not self.alive():
            return
        self.process.kill()
        self.process.wait(30)
        self.world.kills[why] += 1
        self.stopped_until, self.doom = None, "kill"

    def stop(self, seconds):
        """SIGSTOP; the world's step lets it go on."""
        if self.alive() and self.stopped_until is None:
            self.process.send_signal(signal.SIGSTOP)
            self.stopped_until = time.monotonic() + seconds
            self.world.events["stopped"] += 1

    def go_on(self):
        if self.stopped_until is not None and self.alive():
            self.process.send_signal(signal.SIGCONT)
        self.stopped_until = None

    def term(self, limit=DRAIN):
        """Must end with 0 in time; what does not is a failure, and killed."""
        self.wanted = False
        if not self.alive():
            return
        self.go_on()
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(limit + 30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait(30)
        took = time.monotonic() - begun
        if code == -signal.SIGKILL and self.doom not in ("", "kill"):  # it met its point on the way
            self.world.kills[f"point {self.doom}"] += 1
            return
        if code == -signal.SIGTERM and not self.log():  # it was not yet more than a process
            return
        self.world.terms.append(took)
        if code != 0 or took > limit:
            self.world.fail(f"{self.name}: SIGTERM ended with {code} after {took:.1f} s (at most {limit:.0f})", self)


class World:
    def __init__(self, name, seed, cluster, nodes=1, partitions=4, raw_partitions=3, recipients=400, rate=800,
                 recipients_settings=None, **settings):
        self.name, self.seed, self.cluster = name, seed, cluster
        self.partitions, self.raw_partitions, self.replication = partitions, raw_partitions, min(3, cluster.nodes)
        self.tag = f"c{seed % 100000}.{time.time_ns() // 1_000_000 % 10**9}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"bounced-chaos.{name}."))
        self.random = random.Random(seed)
        self.extra = settings
        self.kills, self.events = collections.Counter(), collections.Counter()
        self.terms, self.failures = [], []
        self.may_replay, self.allowed = False, set()
        self.make_topic("raw", raw_partitions, {"retention.ms": "-1", "max.message.bytes": "11534336"})
        if recipients_settings:
            self.make_topic("recipients", partitions, {"cleanup.policy": "compact", **recipients_settings})
        self.feed = feeds.Feed(cluster.servers, f"{self.tag}.raw", feeds.Maker(seed, recipients, raw_partitions), rate)
        self.nodes = [Node(self, f"n{i}") for i in range(nodes)]
        self.begun = time.monotonic()

    def make_topic(self, name, partitions, settings):
        topic = harness.kafka_admin.NewTopic(f"{self.tag}.{name}", partitions, self.replication, config=settings)
        self.cluster.tools.admin.create_topics([topic])[topic.topic].result(60)
        harness.wait_until(f"topic {name}", lambda: f"{self.tag}.{name}" in self.cluster.tools.topics())

    def write_conf(self, name, **changes):
        lines = {
            "kafka.bootstrap.servers": self.cluster.servers,
            "kafka.session.timeout.ms": "3000",
            "kafka.heartbeat.interval.ms": "300",
            "topics.create": "yes",
            "topics.partitions": str(self.partitions),
            "topics.replication": str(self.replication),
            "run.group": self.tag,
            "run.transaction.timeout": "5s",
            "run.idle.tick": "1s",
            "state.interval": "200ms",  # points of writing to the files are to be met often
            "run.broker.wait": "10m",
            "run.workers": "2",
            # As tests/fire/oracle.c has it.
            "policy.soft.limit": "3",
            "policy.soft.span": "0d",
            **{f"topics.{t}": f"{self.tag}.{t}" for t in ("raw", "classified", "decisions", "recipients", "dead")},
            **self.extra, **changes,
        }
        sections = collections.defaultdict(list)
        for key, value in lines.items():
            section, rest = key.split(".", 1)
            sections[section].append(f"{rest} = {value}")
        path = self.folder / f"{name}.conf"
        path.write_text("".join(f"[{s}]\n" + "\n".join(rows) + "\n" for s, rows in sections.items()))
        return path

    def fail(self, sentence, node=None):
        self.failures.append(sentence)
        print(f"FAILURE {self.name} (seed {self.seed}): {sentence}", flush=True)
        if node:
            print(f"--- the end of {node.name}'s log\n{node.log()[-2500:]}\n---", flush=True)

    # ---- time goes on ----

    def step(self):
        """Lets the stopped go on, starts again what died."""
        now = time.monotonic()
        for node in self.nodes:
            if node.stopped_until is not None and now >= node.stopped_until:
                node.go_on()
            if not node.wanted or node.alive():
                continue
            code = node.process.returncode
            if code == -signal.SIGKILL and node.doom:
                if node.doom != "kill":
                    self.kills[f"point {node.doom}"] += 1
            elif code in PASSING or code in self.allowed:
                self.events[f"exit {code}"] += 1
            else:
                self.fail(f"{node.name} ended with {code}", node)
            node.start()

    def run(self, seconds, until=None):
        """Goes on for so long, or until `until()`; says whether it came."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.step()
            if until and until():
                return True
            time.sleep(0.05)
        return False

    # ---- the end ----

    def behind(self, stage, topic):
        """Why that stage has not come to the end of its input; "" when it has."""
        consumer = confluent_kafka.Consumer({"bootstrap.servers": self.cluster.servers, "group.id": f"{self.tag}.{stage}",
                                             "enable.auto.commit": False, "log_level": 2})
        try:
            count = self.cluster.tools.topics().get(f"{self.tag}.{topic}", 0)
            asked = [confluent_kafka.TopicPartition(f"{self.tag}.{topic}", p) for p in range(count)]
            answers = consumer.committed(asked, timeout=10) if count else []
            ends = {a.partition: consumer.get_watermark_offsets(a, timeout=10)[1] for a in asked}
            late = [f"{topic}[{a.partition}] {a.offset}/{ends[a.partition]}" for a in answers
                    if ends[a.partition] > 0 and a.offset < ends[a.partition]]
            return ", ".join(late) if count else f"no topic {topic}"
        except confluent_kafka.KafkaException as error:
            return str(error)
        finally:
            consumer.close()

    def settle(self, seconds=180):
        last = [""]

        def done():
            last[0] = self.behind("classify", "raw") or self.behind("decide", "classified")
            return not last[0]
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                raise Failure(f"not settled after {seconds} s: {last[0]}{self.lost_markers()}")
            self.run(0.3)

    def lost_markers(self):
        """What the brokers' own logs say of transactions that they forgot to end."""
        said = "Couldn't find leader endpoint"
        lines = [line for log in pathlib.Path(self.cluster.folder).glob("node-*/log")
                 for line in log.read_text(errors="replace").splitlines() if said in line and self.tag in line]
        return "".join(f"\na broker left out the markers of a transaction: {line[:300]}" for line in lines[:3])

    def finish(self, judged=1):
        """Everything is ended, the first instances come up one by one, alone, and are judged with their state files."""
        self.feed.stop()
        for node in self.nodes:
            node.trouble.unlink(missing_ok=True)
            node.go_on()
            node.term()
        folders = []
        for node in self.nodes[:judged]:
            node.start()
            self.run(120, node.owns_all)
            self.settle()
            self.run(1.5)  # an idle tick, which must change nothing
            if not node.owns_all():
                raise Failure(f"{node.name} does not get all partitions, though it is alone")
            node.term()
            folders.append(str(node.state))
        done = subprocess.run([str(ORACLE), self.cluster.servers, self.tag, *folders], stdout=subprocess.PIPE, text=True,
                              timeout=600, check=False)
        lines = done.stdout.strip().splitlines()
        if done.returncode not in (0, 1) or not lines:
            raise Failure(f"the oracle cannot judge: {done.stdout}")
        counts = json.loads(lines[-1])
        if not counts["exact"]:
            print("\n".join(lines), flush=True)
            self.fail("not exact")
        if not self.may_replay and (counts["replayed"] or counts["replayed_dead"]):
            self.fail(f"stage 1 wrote twice although no offset was lost: {lines[-1]}")
        if counts["bounces"] == 0:
            self.fail("nothing was decided: this proves nothing")
        return counts

    def close(self):
        self.feed.ending.set()
        for node in self.nodes:
            node.wanted = False
            if node.alive():
                node.process.kill()
                node.process.wait(30)
            if os.path.ismount(node.state):
                subprocess.run(["umount", str(node.state)], check=False)
        if self.feed.is_alive():
            self.feed.join(150)
        if self.failures:
            for log in pathlib.Path(self.cluster.folder).glob("node-*/log"):
                shutil.copy(log, self.folder / f"{log.parent.name}.log")
            print(f"kept: {self.folder}", flush=True)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def delete_group(self, stage):
        done = subprocess.run([str(DELETE_GROUP), self.cluster.servers, f"{self.tag}.{stage}"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise Failure(f"group {stage} cannot be deleted: {done.stdout}")

    def move_to_end(self, stage, topic):
        """What an operator's kafka-consumer-groups --reset-offsets --to-latest does; the group has no members."""
        consumer = confluent_kafka.Consumer({"bootstrap.servers": self.cluster.servers, "group.id": f"{self.tag}.{stage}",
                                             "enable.auto.commit": False, "log_level": 2})
        try:
            ends = [confluent_kafka.TopicPartition(f"{self.tag}.{topic}", p, consumer.get_watermark_offsets(
                confluent_kafka.TopicPartition(f"{self.tag}.{topic}", p), timeout=20)[1]) for p in range(self.partitions)]
            harness.patiently(lambda: consumer.commit(offsets=ends, asynchronous=False))
        finally:
            consumer.close()
