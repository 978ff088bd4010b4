# SPDX-License-Identifier: MIT
"""The bars: what each job may cost, against a peer or a bare loop of the same run."""
import statistics
from dataclasses import dataclass
from typing import Optional

import data
import jobs

TWO, ONE = "ours, 2 threads", "ours, 1 thread"
BARE_TWO, BARE_ONE = "bare loop, 2 threads", "bare loop, 1 thread"
SIZES = (70, 10_000, 100_000)
UNITS = {"ratio": "", "us": " us", "ms": " ms", "bytes": " B"}


@dataclass
class Bar:
    """A value that is to be at most (or, with at_least, at least) the limit."""
    what: str
    work: str
    against: str
    value: Optional[float]  # None: not measured
    limit: float
    unit: str = "ratio"
    bare: Optional[float] = None  # what a bare loop reached in this run
    fastest: Optional[float] = None  # the same of the fastest rounds, in which others were least in the way
    at_least: bool = False

    @property
    def met(self):
        if self.value is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def limit_text(self):
        return f"{'>=' if self.at_least else '<='} {self.limit:g}{UNITS[self.unit]}"

    def as_json(self):
        return {"what": self.what, "work": self.work, "against": self.against, "value": self.value,
                "unit": self.unit, "limit": self.limit, "at_least": self.at_least, "bare": self.bare,
                "fastest": self.fastest, "met": self.met}


class Judge:
    """Turns medians into bars."""

    def __init__(self, bench):
        self.bench = bench
        self.bars = []

    def ratio(self, operation, work, ours, peer):
        ours = self.bench.median(operation, work, ours)
        peer = self.bench.median(operation, work, peer)
        return ours / peer if ours is not None and peer else None

    def fastest_ratio(self, operation, work, ours, peer):
        ours = self.bench.samples.get((operation, work, ours))
        peer = self.bench.samples.get((operation, work, peer))
        return min(ours.nanoseconds) / min(peer.nanoseconds) if ours and peer else None

    def race(self, operation, work, ours, peer, limit, bare=None):
        """Against a peer, if it took part."""
        if self.bench.median(operation, work, peer) is None:
            return
        self.bars.append(Bar(f"{operation} ({ours.removeprefix('ours, ')})", work, peer,
                             self.ratio(operation, work, ours, peer), limit,
                             bare=self.ratio(operation, work, bare, peer) if bare else None,
                             fastest=self.fastest_ratio(operation, work, ours, peer)))

    def races(self, operation, ours, peer, limits, bare):
        """One limit for each size; None where there is no bar."""
        for count, limit in zip(SIZES, limits):
            if limit is not None:
                self.race(operation, jobs.work_of(count), ours, peer, limit, bare)

    def add(self, *arguments, **options):
        self.bars.append(Bar(*arguments, **options))


def judge_assembly(judge):
    small = jobs.work_of(SIZES[0])
    judge.race(jobs.ASSEMBLE, small, TWO, "cp -al + sync -f", 0.75, BARE_ONE)
    judge.race(jobs.ASSEMBLE, small, TWO, "ostree checkout -H", 0.25, BARE_ONE)
    judge.races(jobs.ASSEMBLE, TWO, "Go", (None, 0.45, 0.45), BARE_TWO)
    judge.races(jobs.ASSEMBLE, TWO, "cp -al", (None, 0.60, 0.55), BARE_TWO)
    judge.races(jobs.ASSEMBLE, TWO, "cp -al + sync -f", (None, 0.60, 0.55), BARE_TWO)
    judge.races(jobs.ASSEMBLE, TWO, "ostree checkout -H", (None, 0.45, 0.45), BARE_TWO)
    judge.races(jobs.ASSEMBLE, ONE, "Go", (None, 0.70, None), BARE_ONE)
    judge.races(jobs.REHASH, TWO, "openssl dgst + cp -al", (0.60, 0.50, 0.45), BARE_TWO)


def speed_against_memory(judge, small_bytes, contestant):
    """How much of what the processors can hash in memory a verification reaches."""
    nanoseconds = judge.bench.median(jobs.VERIFY, jobs.work_of(SIZES[0]), contestant)
    raw = judge.bench.median(jobs.RAW, f"{jobs.RAW_MIB} MiB", "EVP, 2 threads")
    if nanoseconds is None or raw is None:
        return None
    return (small_bytes / nanoseconds) / (jobs.RAW_MIB * (1 << 20) / raw)


def judge_hashing(judge, small_bytes):
    if small_bytes:
        judge.add(f"{jobs.VERIFY} (2 threads)", jobs.work_of(SIZES[0]), "speed of EVP in memory",
                  speed_against_memory(judge, small_bytes, TWO), 0.65, at_least=True,
                  bare=speed_against_memory(judge, small_bytes, BARE_TWO))
    judge.races(jobs.VERIFY, TWO, "openssl dgst", (0.60, None, 0.40), BARE_TWO)
    judge.races(jobs.INGEST, TWO, "ostree commit", (0.20, 0.35, 0.45), BARE_TWO)


def processor_ratio(judge, operation, work, ours, peer):
    ours, peer = (judge.bench.samples.get((operation, work, name)) for name in (ours, peer))
    if not ours or not peer:
        return None
    return statistics.median(ours.processor_nanoseconds) / statistics.median(peer.processor_nanoseconds)


def judge_travel(judge):
    work, peer = jobs.work_of(data.TRAVELLING_COUNT), "skopeo copy"
    judge.race(jobs.PULL, work, "ours", peer, 0.6)
    if judge.bench.median(jobs.PULL, work, peer) is not None:
        judge.add(f"{jobs.PULL}, time of processors", work, peer,
                  processor_ratio(judge, jobs.PULL, work, "ours", peer), 0.35)


def judge_warm(judge):
    work, refs = jobs.work_of(SIZES[0]), f"{jobs.REFS:,} refs"
    checked, trusting = "ours, each file checked", "ours, trusting"
    judge.race(jobs.WARM, work, checked, "70 bare statx", 1.5)
    # Beside what ten calls find out, it opens and locks the tree, looks whose it is, and reads what was set to be used.
    judge.race(jobs.WARM, work, trusting, "10 bare statx", 1.7)
    # A tenth is what two measurements of the same thing differ by.
    judge.race(jobs.WARM, work, f"{checked}, {refs}", checked, 1.1)
    judge.race(jobs.WARM, work, f"{trusting}, {refs}", trusting, 1.1)


def judge_rest(judge, entry_bytes):
    judge.race(jobs.MANIFEST, f"{jobs.MANIFEST_ENTRIES:,} entries", "ours", "json_loadb", 1.5)
    command = f"{jobs.COMMAND_ARGUMENTS} arguments"
    judge.race(jobs.COMMAND, command, "ours", "libvirt, in process", 0.01)
    judge.add(jobs.COMMAND, command, "", thousandth(judge, jobs.COMMAND, command, "ours"), 20, unit="us")
    judge.add("bytes held by a manifest", "1 entry", "beyond its path", entry_bytes, 300, unit="bytes")
    judge_build_memory(judge)
    alone = judge.bench.median(jobs.LOAD, "1 process", "jansson alone")
    ours = judge.bench.median(jobs.LOAD, "1 process", "ours, resolves")
    judge.add("load the library and resolve", "1 process", "beyond jansson alone",
              (ours - alone) / 1e6 if ours is not None and alone is not None else None, 2, unit="ms")


def thousandth(judge, operation, work, contestant):
    nanoseconds = judge.bench.median(operation, work, contestant)
    return None if nanoseconds is None else nanoseconds / 1000


def judge_build_memory(judge):
    peaks = [(samples.contestant, samples.peak_kib) for samples in judge.bench.samples.values()
             if samples.operation == jobs.BUILD_MEMORY]
    if len(peaks) == 2:
        (small_name, small), (large_name, large) = peaks
        judge.add(f"{jobs.BUILD_MEMORY} ({large_name.removeprefix('ours, ')})",
                  jobs.work_of(SIZES[0]), small_name.removeprefix("ours, "), large / small, 1.1)


def judge(bench, small_bytes, entry_bytes):
    """small_bytes: the sum of the sizes of the 70 files, 0 if they were not measured."""
    found = Judge(bench)
    judge_assembly(found)
    judge_hashing(found, small_bytes)
    judge_travel(found)
    judge_warm(found)
    judge_rest(found, entry_bytes)
    return found.bars
