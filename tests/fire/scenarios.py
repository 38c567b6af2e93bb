"""What befalls the daemon. Each scenario takes a World whose feed runs, and leaves it to World.finish() to judge.

A scenario is a function with the attributes `nodes` (instances), `world` (more arguments of World) and `brokers`."""
import os
import re
import shutil
import signal
import subprocess
import time

from world import DRAIN, DRAIN_AWAY, ROOT, Failure

SCENARIOS = {}
SESSION, TRANSACTION = 3.0, 5.0  # as World.write_conf has them


def scenario(nodes=1, brokers=1, judged=1, **world):
    def take(function):
        function.nodes, function.brokers, function.judged, function.world = nodes, brokers, judged, world
        SCENARIOS[function.__name__] = function
        return function
    return take


def begin(world):
    """All instances run and the feed flows."""
    world.feed.start()
    for node in world.nodes:
        node.start()
    for node in world.nodes:
        node.wait_ready()
    if not world.run(60, lambda: any(node.running() for node in world.nodes)):
        raise Failure("no instance begins to work")


# ---- kill -9 at named points ----

def fault_points():
    """STAGE.NAME of daemon/pipeline/fault_points.h."""
    text = (ROOT / "daemon/pipeline/fault_points.h").read_text()
    points = [f"{stage}.{name}" for stage, name in re.findall(r'POINT\("(\w+)", "(\w+)"\)', text)]
    assert len(points) >= 9, points
    return points


def provoke(world, node, other, point):
    """Brings an instance to a point that it does not pass by itself."""
    name = point.split(".")[1]
    if name == "revoked":  # the other one leaves and comes back
        other.term()
        world.run(1)
        other.start()
    elif name in ("restoring", "restored"):
        pass  # at its start: something was decided meanwhile
    elif name == "aborted":  # put out of the group in the middle of a transaction, not out of the transaction
        node.stop(SESSION + 1.2)


def die_at(world, node, other, point):
    """True where it died there. Others take over meanwhile, so that there is something to restore."""
    node.kill("to meet a point")
    name = point.split(".")[1]
    if name in ("restoring", "restored"):
        shutil.rmtree(node.state, ignore_errors=True)
    before = world.kills[f"point {point}"]
    often = name not in ("revoked", "aborted", "restoring", "restored", "barrier")
    node.start(f"{point}:{world.random.randint(1, 40) if often else 1}")
    tries = 6 if name == "aborted" else 2
    for _ in range(tries):
        if world.run(4 if often else 6, lambda: world.kills[f"point {point}"] > before):
            return True
        provoke(world, node, other, point)
    return world.run(8, lambda: world.kills[f"point {point}"] > before)


@scenario(nodes=2, judged=2)
def kill_at_points(world, count=None):
    """kill -9 at each of the named points (or `count` of them), one of two instances at a time."""
    begin(world)
    everyone = fault_points()
    chosen = world.random.sample(everyone, count or len(everyone))
    for point in chosen:
        node, other = world.random.sample(world.nodes, 2)
        if not die_at(world, node, other, point):
            world.events[f"not met {point}"] += 1
    met = sum(1 for name in world.kills if name.startswith("point "))
    if met < min(9, len(chosen)):
        world.fail(f"only {met} points were met: {dict(world.events)}")


# Halted in the middle of a transaction, put out of the group, and then the commit goes through after all: what the one
# who took over has to wait for. Long lingering: the records are still in the halted one's hands, and the log does not
# show that something is coming.
@scenario(nodes=2, judged=2, **{"run.transaction.timeout": "15s", "kafka.linger.ms": "2000"})
def halted_at_points(world, names=("decide.offsets", "decide.sent", "decide.committed", "classify.offsets", "classify.committed"),
                     holds=(SESSION + 3, 17.0)):
    """SIGSTOP at named points of a transaction, past the session's time-out, or past the transaction's as well."""
    begin(world)
    for name in names:
        for hold in holds if name == "decide.offsets" else (world.random.choice(holds),):
            node = world.random.choice(world.nodes)
            node.kill("to meet a point")
            node.start(f"{name}:{world.random.randint(3, 15)}:stop")
            if not world.run(40, node.halted):
                world.events[f"not met {name}"] += 1
                continue
            world.events[f"halted {name}"] += 1
            world.run(hold)
            node.stopped_until = 0.0
            node.go_on()
            world.run(3)


# ---- storms ----

def storm(world, seconds, actions, gap=(0.5, 3.0)):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        world.run(world.random.uniform(*gap))
        ready = [node for node in world.nodes if node.alive() and node.stopped_until is None]
        action = world.random.choice(actions)
        if action == "broker-kill":
            world.cluster.kill(1)
            world.kills["broker"] += 1
            world.run(world.random.uniform(0.2, 4))
            world.cluster.restart(1)
        elif action == "broker-stop":
            world.cluster.signal(1, signal.SIGSTOP)
            world.events["broker stopped"] += 1
            world.run(world.random.choice((1.0, SESSION + 1, TRANSACTION + 3, 12.0)))
            world.cluster.signal(1, signal.SIGCONT)
        elif not ready:
            continue
        else:
            one(world, world.random.choice(ready), action)


def one(world, node, action):
    if action == "kill":
        node.kill()
    elif action == "term":
        node.term()
        node.wanted = True
        world.events["term"] += 1
        node.start()
    elif action == "stop":  # within the session, past it, past the transaction
        node.stop(world.random.choice((0.5, SESSION + 1.2, TRANSACTION + 2, 12.0)))
    elif action == "point":
        node.kill("to meet a point")
        points_often = [p for p in fault_points() if p.split(".")[1] not in ("revoked", "aborted")]
        node.start(f"{world.random.choice(points_often)}:{world.random.randint(1, 30)}")
    elif action == "damage":
        node.kill()
        damage(world, node, world.random.choice(DAMAGES))
        node.start()


@scenario(nodes=3)
def three_instances(world, seconds=60):
    """Three instances under kill -9, points, SIGTERM and SIGSTOP of all lengths."""
    begin(world)
    storm(world, seconds, ["kill", "kill", "point", "point", "term", "stop"], gap=(0.3, 2.0))


@scenario(nodes=2)
def two_instances(world, seconds=45):
    """Two instances, most of the time stopped for longer than session or transaction."""
    begin(world)
    storm(world, seconds, ["stop", "stop", "kill", "term"], gap=(1.0, 4.0))


@scenario(nodes=2)
def broker_dies(world, seconds=50):
    """The only broker is killed, stopped and started again, beside kill -9 of the daemon."""
    begin(world)
    storm(world, seconds, ["broker-kill", "broker-stop", "kill", "point"], gap=(1.5, 4.0))


@scenario(nodes=2, brokers=3)
def three_brokers(world, seconds=60):
    """Replication 3, min.insync 2: one broker after the other is killed under traffic, and comes back."""
    begin(world)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        node = world.random.randint(1, 3)
        world.cluster.kill(node)
        world.kills["broker"] += 1
        world.run(world.random.uniform(4, 8))
        if world.random.random() < 0.5:
            world.random.choice(world.nodes).kill()
        world.run(world.random.uniform(2, 5))
        world.cluster.restart(node)
        world.run(world.random.uniform(3, 6))


# ---- the state files ----

DAMAGES = ["deleted", "truncated", "bits", "old", "zeroed", "no-log"]


def damage(world, node, kind):
    world.events[f"state {kind}"] += 1
    files = sorted(node.state.glob("partition-*.db"))
    if kind == "deleted" or not files:
        shutil.rmtree(node.state, ignore_errors=True)
        return
    file = world.random.choice(files)
    size = file.stat().st_size
    if kind == "truncated":
        os.truncate(file, world.random.randrange(size + 1))
    elif kind == "bits":
        with open(file, "r+b") as out:
            for _ in range(world.random.randint(1, 20)):
                at = world.random.randrange(max(1, size))
                out.seek(at)
                byte = out.read(1) or b"\0"
                out.seek(at)
                out.write(bytes([byte[0] ^ 1 << world.random.randrange(8)]))
    elif kind == "zeroed":
        with open(file, "r+b") as out:
            out.seek(world.random.randrange(max(1, size // 4096)) * 4096)
            out.write(bytes(4096))
    elif kind == "no-log":
        for name in node.state.glob("*-wal"):
            name.unlink()
    elif kind == "old":
        old = world.folder / f"{node.name}.old"
        if old.exists():
            shutil.rmtree(node.state)
            shutil.copytree(old, node.state)


def keep_old(world, node):
    old = world.folder / f"{node.name}.old"
    shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(node.state, old)


@scenario(nodes=1)
def state_damaged(world, kinds=None):
    """The state files are deleted, truncated, have bits flipped, are replaced by older ones, lose SQLite's log."""
    begin(world)
    node = world.nodes[0]
    world.run(3)
    node.kill()
    keep_old(world, node)
    node.start()
    for kind in kinds or DAMAGES * 2:
        world.run(world.random.uniform(1.5, 3), None)
        world.run(30, node.running)
        if world.random.random() < 0.5:
            node.term()
        else:
            node.kill()
        damage(world, node, kind)
        node.start()
    world.run(30, node.running)


# ---- the groups' offsets ----

def lose_offsets(world, node, turn):
    """What the turn says is done to the groups, whose members are gone."""
    for stage in ("classify", "decide"):
        if stage in turn or "both" in turn:
            world.delete_group(stage)
            world.events[f"offsets of {stage} deleted"] += 1
    if "state" in turn:
        shutil.rmtree(node.state, ignore_errors=True)
        world.events["state deleted"] += 1
    if "moved" in turn:  # past records that stage 1 has written and stage 2 has not seen
        node.start(**{"run.stages": "classify"})
        world.run(4)
        node.kill()
        node.wanted = False
        world.move_to_end("decide", "classified")
        world.events["offsets of decide moved"] += 1


@scenario(nodes=1)
def offsets_lost(world, turns=("classify", "decide", "both", "both and state", "moved")):
    """The committed offsets of either stage, or both, are deleted, also together with the state; those of stage 2 are
    moved past what it has not seen."""
    world.may_replay = True
    begin(world)
    node = world.nodes[0]
    for turn in turns:
        world.run(3)
        world.run(30, node.running)
        if "state" in turn:  # what changes no state must be remembered, too
            world.feed.maker.only = "x"
            world.run(2.5)
        if world.random.random() < 0.5:
            node.term()
        else:
            node.kill()
            node.wanted = False
            world.run(SESSION + 1)
        world.feed.maker.only = ""
        lose_offsets(world, node, turn)
        node.start()
    world.run(30, node.running)


# ---- compaction while one is away ----

SECONDS = {"delete.retention.ms": "4000", "segment.ms": "1000", "min.compaction.lag.ms": "0", "max.compaction.lag.ms": "1000",
           "min.cleanable.dirty.ratio": "0.01"}


@scenario(nodes=2, judged=2, recipients=60, recipients_settings=SECONDS)
def compaction(world, seconds=25):
    """Tombstones are removed within seconds while an instance is away: its files are too old when it comes back."""
    first, second = world.nodes
    world.feed.start()
    first.start().wait_ready()
    world.run(6)
    first.term()
    second.start()
    world.run(seconds)
    second.kill()
    second.wanted = False
    first.start()
    world.run(6)
    if "too old" not in first.log():
        world.fail("the state that was away was not found to be too old", first)


# ---- no broker ----

def away(world, how, seconds):
    """No broker for so long; one instance is ended by SIGTERM at some moment of it, and once more while it starts."""
    if how == "kill":
        world.cluster.kill(1)
        world.kills["broker"] += 1
    else:
        world.cluster.signal(1, signal.SIGSTOP)
        world.events["broker stopped"] += 1
    try:
        world.run(world.random.choice((0.0, 0.5, 3.0, 8.0)))
        node = world.random.choice(world.nodes)
        node.term(DRAIN_AWAY)
        node.start()
        world.run(seconds)
        node.term(DRAIN_AWAY)  # while it still waits for a broker
        node.start()
    finally:
        if how == "kill":
            world.cluster.restart(1)
        else:
            world.cluster.signal(1, signal.SIGCONT)
    world.run(60, lambda: all(node.running() for node in world.nodes))
    world.run(3)


# As it is by default: the longer it is, the longer a commit without an answer is waited for.
@scenario(nodes=2, **{"run.transaction.timeout": "15s"})
def broker_away(world, seconds=5):
    """No broker, or one that hangs: SIGTERM still ends the daemon in time, the other waits, and goes on."""
    begin(world)
    for how in ("kill", "stop", "stop"):
        world.run(3)
        away(world, how, seconds)


@scenario(nodes=2, rate=300)
def broker_away_ten_minutes(world):
    """No broker for ten minutes costs nothing but time."""
    begin(world)
    world.run(3)
    away(world, "kill", 600)


# ---- the disk, the clock ----

def trouble(world, node, words, seconds):
    node.trouble.write_text(words)
    world.events[f"trouble {words.split()[0]}"] += 1
    world.run(seconds)
    node.trouble.unlink(missing_ok=True)


@scenario(nodes=2)
def disk_errors(world, turns=3):
    """Writes and syncs of the state fail with EIO for a while."""
    world.allowed = {75}
    begin(world)
    for _ in range(turns):
        node = world.random.choice(world.nodes)
        world.run(2)
        trouble(world, node, "eio", 3)
        world.run(3)


def on_small_disk(world, node):
    """The state on a tmpfs of its own that is too small, until it is made larger; False where mounting is not allowed."""
    node.kill()
    shutil.rmtree(node.state, ignore_errors=True)
    node.state.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(node.state)]
    if subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode != 0:
        return False
    node.start()
    world.run(30, lambda: "partition.paused" in node.log())
    if "partition.paused" not in node.log():
        world.fail("no partition pauses though its disk is too small: this proves nothing", node)
    subprocess.run(["mount", "-o", "remount,size=64m", str(node.state)], check=True)
    world.run(30, lambda: "partition.resumed" in node.log())
    if "partition.resumed" not in node.log():
        world.fail("no partition goes on though its disk has room again", node)
    return True


@scenario(nodes=2)
def disk_full(world, turns=3):
    """Writes of the state fail with ENOSPC for a while; then a disk that is too small, or where that cannot be had a
    limit on the size of files."""
    world.allowed = {75}
    begin(world)
    for _ in range(turns):
        node = world.random.choice(world.nodes)
        world.run(2)
        trouble(world, node, "full", 3)
        world.run(3)
    node = world.nodes[0]
    if on_small_disk(world, node):
        world.events["small disk"] += 1
        return
    node.start(limit=200_000)
    world.events["small files"] += 1
    world.run(8)
    node.kill()
    node.start()
    world.run(4)


@scenario(nodes=2)
def clock_jumps(world):
    """The wall clock jumps by hours and days, forward and back."""
    begin(world)
    for words in ("clock 7200", "clock -7200", "clock 864000", "clock -864000"):
        node = world.random.choice(world.nodes)
        node.trouble.write_text(words)
        world.events["clock jumps"] += 1
        world.run(4)
        if world.random.random() < 0.5:
            node.kill()
        world.run(4)
        node.trouble.unlink(missing_ok=True)
    world.run(2)
