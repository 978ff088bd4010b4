# SPDX-License-Identifier: MIT
"""Contestants that take turns, and the medians of their times."""
import ctypes
import os
import random
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Callable

START = time.monotonic()
libc = ctypes.CDLL(None, use_errno=True)


def nothing(_round):
    pass


@dataclass
class Contestant:
    """One way to do a job. prepare() and clean() get the number of the round, and are not timed."""
    name: str
    command: Callable
    prepare: Callable = nothing
    clean: Callable = nothing
    prints_time: bool = False  # it times itself; else the whole process is timed, from outside


@dataclass
class Samples:
    operation: str
    work: str
    contestant: str
    nanoseconds: list = field(default_factory=list)
    processor_nanoseconds: list = field(default_factory=list)  # unless it times itself
    peak_kib: int = 0

    @property
    def median(self):
        return statistics.median(self.nanoseconds)


class Bench:
    def __init__(self, programs, mount):
        self.programs = programs
        self.mount = mount
        self.samples = {}  # (operation, work, contestant) -> Samples
        self.skipped, self.failed = [], []  # sentences
        self.order = random.Random(1)

    def program(self, name):
        return str(self.programs / name)

    def settle(self):
        """Write out what others left, so that nobody pays for it within the time of the next."""
        descriptor = os.open(self.mount, os.O_RDONLY)
        if libc.syncfs(descriptor) != 0:
            raise OSError(ctypes.get_errno(), "syncfs")
        os.close(descriptor)

    def output(self, command):
        result = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                                check=False, stdin=subprocess.DEVNULL)
        if result.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))[:400]}: {result.stderr}")
        return result.stdout

    def time_process(self, command):
        """Nanoseconds, peak KiB, nanoseconds of processors. The word "+" in a command separates several."""
        words = self.output([self.program("spawn"), *command]).split()
        return tuple(int(word) for word in words[:3])

    def compete(self, operation, work, contestants, rounds):
        """Round by round, in an order that changes: what one leaves behind must not always hit the same."""
        note(f"{operation}, {work}")
        for contestant in contestants:
            key = (operation, work, contestant.name)
            self.samples[key] = Samples(*key)
        running = list(contestants)
        for number in range(rounds):
            for contestant in self.order.sample(running, len(running)):
                try:
                    self.run_once(operation, work, contestant, number)
                except RuntimeError as error:
                    running.remove(contestant)
                    self.drop(operation, work, contestant.name, error)

    def drop(self, operation, work, name, error):
        """The others go on without it."""
        del self.samples[operation, work, name]
        self.failed.append(f"{operation}, {work}, {name}: {error}")
        note(f"failed: {self.failed[-1]}")

    def run_once(self, operation, work, contestant, number):
        samples = self.samples[operation, work, contestant.name]
        contestant.prepare(number)
        command = contestant.command(number)
        self.settle()
        if contestant.prints_time:
            samples.nanoseconds.append(int(self.output(command).split()[0]))
        else:
            nanoseconds, peak_kib, processors = self.time_process(command)
            samples.nanoseconds.append(nanoseconds)
            samples.processor_nanoseconds.append(processors)
            samples.peak_kib = max(samples.peak_kib, peak_kib)
        contestant.clean(number)

    def median(self, operation, work, contestant):
        """None if it was not measured."""
        samples = self.samples.get((operation, work, contestant))
        return samples.median if samples else None


def note(text):
    print(f"bench: {time.monotonic() - START:4.0f} s  {text}", file=sys.stderr, flush=True)
