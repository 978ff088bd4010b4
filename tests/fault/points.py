# SPDX-License-Identifier: MIT
"""Every point of a command at which it can be killed or a system call can fail, in turn."""
import contextlib
import os
import re
import shutil
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from operations import CLI, copy_of, environment

NEVER_REACHED = 77
KILLED = 137
DEADLINE = 30  # seconds; a command takes a hundredth of one
ALL = 1_000_000_000  # more calls than any command makes
MOST = 1000  # calls of one command


# A PID namespace, where there are no other processes.
ALONE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]


class Injector:
    """Runs a command by way of tests/harness/inject.c."""

    def __init__(self, program):
        self.program = program

    def run(self, how, number, operation, point):
        """`how` is ["kill"], ["--changes", "kill"] or ["error", "EIO"]; `number` may be "3+"."""
        report = point.with_suffix(".report")
        options = ["--after", str(point), "--report", report]
        # The loader and libc do not expect EINTR of files in /usr, nor does it happen. And when
        # everything fails there should still be a way to say so.
        if how[-1] == "EINTR" or str(number).endswith("+"):
            options += ["--only", str(point)]
        command = [self.program, *options, *how, str(number), "--", CLI, *operation.words(point)]
        if operation.alone and os.getuid() == 0:
            command = [*ALONE, *command]
        try:
            result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=DEADLINE,
                                    stdin=subprocess.DEVNULL, errors="replace", env=environment())
        except subprocess.TimeoutExpired:
            result = None
        text = report.read_text().strip().replace(f"{point}/", "") if report.exists() else "no report"
        return result, text

    def count(self, how, number, operation, point):
        """How many calls can be hit: less than `number`. Nothing fails."""
        result, text = self.run(how, number, operation, point)
        counted = re.fullmatch(rf"none of (\d+), status {operation.status}", text)
        assert counted and result.returncode == NEVER_REACHED, (text, result)
        assert int(counted[1]) < MOST, f"{counted[1]} calls: if it looks at other processes, it must be alone"
        return int(counted[1])


class Workers:
    """
    What is there before an operation, and a fresh copy of it for each point. There is a thread for each
    processor, which its children stay on: a tracer on another one is much slower.
    """

    def __init__(self, operation, directory):
        self.operation = operation
        self.directory = directory
        self.base = directory / "base"

    def __enter__(self):
        self.base.mkdir()
        self.operation.prepare(self.base)
        time.sleep(0.2)  # the store does not remember what has only just changed
        return self

    def __exit__(self, *_):
        self.operation.close()
        shutil.rmtree(self.base)

    def once(self, test):
        """Run test(point's directory)."""
        point = self.directory / f"point-{threading.get_native_id()}"
        copy_of(self.base, point)
        try:
            self.operation.warm_up(point)
            return test(point)
        finally:
            self.operation.finish(point)
            shutil.rmtree(point)

    def each(self, numbers, test):
        """Run test(point's directory, number) for each number. Returns what went wrong, as text."""
        processors = sorted(os.sched_getaffinity(0))

        def one(number):
            try:
                self.once(lambda point: test(point, number))
            except (AssertionError, OSError, ValueError, subprocess.SubprocessError) as error:
                return f"{number}: {str(error).splitlines()[0]}"
            return None

        def start():
            os.sched_setaffinity(0, {processors.pop()})  # of this thread only

        with ThreadPoolExecutor(len(processors), initializer=start) as pool:
            return [failure for failure in pool.map(one, numbers) if failure]


def told(result):
    """What a command answered, without its words."""
    return f"exit status {result.returncode}, {result.stderr!r}, {result.stdout!r}" if result else "it hangs"


def note(line):
    """Tell how much was tried: on standard output, and in the file that FAULT_REPORT names."""
    print(line)
    if os.environ.get("FAULT_REPORT"):
        with Path(os.environ["FAULT_REPORT"]).open("a", encoding="utf-8") as file:
            print(line, file=file)


def summary(failures):
    """Not all of a thousand failures."""
    return "\n".join([f"{len(failures)} points failed:", *failures[:20]])
