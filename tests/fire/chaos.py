"""Runs scenarios and prints what came of them.

  tests/chaos --minutes N [--seed N]      all scenarios in turn, again and again, for so long
  tests/chaos --short [--seed N]          the form for tests/run: under five minutes
  tests/chaos --scenario NAME [--seed N]  one; --list names them

The last line is EXACT (exit 0) or BROKEN (exit 1). What befalls the daemon comes from the seed; when it does depends on
the machine. BOUNCED_BUILD is another folder of a build than build/dev.
"""
import argparse
import collections
import json
import os
import signal
import sys
import time

import world as worlds
from scenarios import SCENARIOS, SESSION
from world import BINARY, FAULTS, ORACLE, SHIM, Cluster, Failure, World

SHORT = {
    "kill_at_points": {"count": 10},
    "halted_at_points": {"names": ("decide.offsets",), "holds": (SESSION + 3,)},
    "three_instances": {"seconds": 25},
    "state_damaged": {"kinds": ["truncated", "bits", "old"]},
    "offsets_lost": {"turns": ("both and state", "moved")},
    "broker_dies": {"seconds": 15},
}
ALONE = {"broker_away_ten_minutes"}  # only when asked for


def long_form():
    """All in turn, with the deadliest once more between the others."""
    others = [name for name in SCENARIOS if name not in ALONE]
    return [name for other in others for name in (["kill_at_points"] if others.index(other) % 4 == 3 else []) + [other]]


class Summary:
    def __init__(self):
        self.kills, self.events, self.counts = collections.Counter(), collections.Counter(), collections.Counter()
        self.terms, self.failures, self.runs = [], [], collections.Counter()
        self.begun = time.monotonic()

    def add(self, world, counts):
        self.kills.update(world.kills)
        self.events.update(world.events)
        self.terms += world.terms
        self.failures += [f"{world.name} (seed {world.seed}): {sentence}" for sentence in world.failures]
        self.runs[world.name] += 1
        self.counts.update({k: v for k, v in counts.items() if k != "exact"})

    def print(self):
        print("\n== summary")
        print(f"time: {(time.monotonic() - self.begun) / 60:.1f} minutes; scenarios: "
              f"{', '.join(f'{name} {n}' for name, n in sorted(self.runs.items()))}")
        print(f"kills: {sum(self.kills.values())}")
        for name, n in sorted(self.kills.items()):
            print(f"  {name}: {n}")
        print("besides: " + ", ".join(f"{name} {n}" for name, n in sorted(self.events.items())))
        if self.terms:
            print(f"SIGTERM: {len(self.terms)}, the longest took {max(self.terms):.1f} s")
        print("records: " + ", ".join(f"{name} {n}" for name, n in self.counts.items()))
        print(f"missing {self.counts['missing']}, twice {self.counts['twice']}, wrong "
              f"{sum(n for name, n in self.counts.items() if name.startswith('wrong') or name == 'alien')}")
        for sentence in self.failures:
            print(f"FAILURE {sentence}")
        print("EXACT" if not self.failures else "BROKEN", flush=True)


def run_one(name, seed, cluster, summary, arguments):
    function = SCENARIOS[name]
    begun = time.monotonic()
    print(f"-- {name}, seed {seed}", flush=True)
    world = World(name, seed, cluster, function.nodes, **function.world)
    counts = {}
    try:
        function(world, **arguments)
        counts = world.finish(function.judged)
    except (Failure, AssertionError) as failure:
        world.fail(str(failure))
        for node in world.nodes:
            if node.process:
                print(f"--- {node.name}\n{node.log()[-2000:]}", flush=True)
    finally:
        world.close()
        summary.add(world, counts)
    print(f"   {time.monotonic() - begun:.0f} s, kills {dict(world.kills)}, {dict(world.events)}\n   {json.dumps(counts)}",
          flush=True)


def run_all(names, seed, end, summary, short):
    """In turn until the end, or once each where there is none. A cluster serves the scenarios with as many brokers."""
    cluster, turn = None, 0
    try:
        while end is None or time.monotonic() < end:
            for name in names:
                if end is not None and time.monotonic() >= end:
                    break
                wanted = SCENARIOS[name].brokers
                if cluster and cluster.nodes != wanted:
                    cluster.down()
                    cluster = None
                cluster = cluster or Cluster(wanted)
                run_one(name, seed + turn, cluster, summary, SHORT.get(name, {}) if short else {})
                turn += 1
            if end is None:
                break
    finally:
        if cluster:
            cluster.down()


def main():
    parser = argparse.ArgumentParser(prog="tests/chaos", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), action="append")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--seed", type=int)
    args = parser.parse_args()
    if args.list:
        for name, function in SCENARIOS.items():
            print(f"{name}: {function.__doc__}")
        return 0
    for path in (BINARY, FAULTS, ORACLE, SHIM):
        if not path.exists():
            sys.exit(f"tests/chaos: {path} is not built")
    seed = args.seed if args.seed is not None else 1 if args.short else int(time.time()) % 1_000_000
    names = args.scenario or (list(SHORT) if args.short else long_form())
    end = time.monotonic() + args.minutes * 60 if args.minutes else None
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(130))
    summary = Summary()
    try:
        run_all(names, seed, end, summary, args.short)
    finally:
        summary.print()
    return 1 if summary.failures else 0


if __name__ == "__main__":
    sys.exit(main())
