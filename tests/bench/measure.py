# SPDX-License-Identifier: MIT
"""Measure everything, print the tables, write them as JSON. Started by run, which makes what it needs."""
import argparse
import json
import os
import platform
import resource
import statistics
import sys
import time
from pathlib import Path

import bars
import data
import jobs
from timing import Bench

QUICK_ROUNDS = 3


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--undisturbed", action="store_true")
    parser.add_argument("--sizes", required=True)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--output", required=True, type=Path)
    parser.add_argument("--programs", required=True, type=Path, help="where run put what it compiled")
    parser.add_argument("--mount", required=True, type=Path, help="the file system to measure on")
    options = parser.parse_args()
    options.sizes = [int(size) for size in options.sizes.split(",")]
    return options


def rounds_for(options, count):
    """More where a round is short: short times scatter more."""
    if options.rounds:
        return options.rounds
    if options.quick:
        return QUICK_ROUNDS
    return 3 if count >= 100_000 else 5 if count >= 10_000 else 11


def measure_size(bench, options, count):
    rounds = rounds_for(options, count)
    base = bench.mount / str(count)
    profile = jobs.Profile(bench, base, count)
    if count == data.SMALL_COUNT:
        jobs.start_process(bench, profile, rounds)
        jobs.resolve_warm(bench, profile, rounds)
    jobs.assemble(profile, rounds)
    jobs.assemble_rehashing(profile, rounds)
    jobs.verify(profile, rounds)
    jobs.ingest(profile, rounds)
    jobs.remove(base)
    return sum(file.size for file in profile.files)


def measure_without_sizes(bench, options):
    rounds = rounds_for(options, 0)
    jobs.hash_in_memory(bench, min(rounds, 5))
    jobs.load_manifest(bench, rounds)
    jobs.build_command(bench, rounds)
    jobs.pull(bench, min(rounds, 5))
    jobs.build_memory(bench, 128 if options.quick else 512, min(rounds, 3))
    return jobs.manifest_memory(bench)


# ---- the report ----

def time_text(nanoseconds):
    for limit, divisor, unit in ((1e3, 1, "ns"), (1e6, 1e3, "us"), (1e9, 1e6, "ms")):
        if nanoseconds < limit:
            return f"{nanoseconds / divisor:.3g} {unit}"
    return f"{nanoseconds / 1e9:.2f} s"


def print_table(title, header, rows):
    rows = [header, *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    print(f"\n{title}\n")
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def number_text(value):
    return "-" if value is None else f"{value:.3g}"


def print_report(bench, judged, machine):
    print(f"{machine['processors']} processors ({machine['model']}), Linux {machine['kernel']}, "
          f"ext4 with a journal on a loop device, page cache warm; {machine['others_percent']} % of the "
          f"processors' time went to others (kernel threads among them)"
          f"{', who had to wait' if machine['undisturbed'] else ''}")
    print_table("Medians", ("operation", "work", "by", "median", "fastest", "slowest", "rounds"), [
        (samples.operation, samples.work, samples.contestant, time_text(samples.median),
         time_text(min(samples.nanoseconds)), time_text(max(samples.nanoseconds)),
         str(len(samples.nanoseconds))) for samples in bench.samples.values()])
    print_table("Bars", ("operation", "work", "against", "reached", "bar", "", "of fastest", "bare loop"), [
        (bar.what, bar.work, bar.against, number_text(bar.value) + bars.UNITS[bar.unit], bar.limit_text,
         {None: "not measured", True: "met", False: "MISSED"}[bar.met], number_text(bar.fastest),
         number_text(bar.bare))
        for bar in judged])
    for sentence in bench.skipped:
        print(f"\nskipped: {sentence}")
    for sentence in bench.failed:
        print(f"\nfailed: {sentence}")
    counts = [sum(bar.met is state for bar in judged) for state in (True, False, None)]
    print("\n{} bars met, {} missed, {} not measured".format(*counts))


def busy_seconds():
    """Processor time that everybody has used since the machine started."""
    words = Path("/proc/stat").read_text(encoding="utf-8").splitlines()[0].split()[1:9]
    ticks = [int(word) for word in words]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def own_seconds():
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


class Load:
    """What share of the processors others had meanwhile: times with two threads need a small one."""

    def __init__(self):
        self.start = time.monotonic()
        self.others = busy_seconds() - own_seconds()

    def percent(self):
        capacity = (time.monotonic() - self.start) * os.cpu_count()
        return 100 * max(0.0, busy_seconds() - own_seconds() - self.others) / capacity


def describe_machine():
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    flags = next((line for line in lines if line.startswith("flags")), "")
    sha = "with" if " sha_ni" in flags else "without"
    return {"processors": len(os.sched_getaffinity(0)), "kernel": platform.release(),
            "model": f"{models[0] if models else platform.machine()}, {sha} SHA instructions"}


def write_json(path, bench, judged, machine, seconds):
    path.write_text(json.dumps({
        "machine": machine, "seconds": round(seconds), "skipped": bench.skipped,
        "failed": bench.failed,
        "measurements": [{
            "operation": samples.operation, "work": samples.work, "by": samples.contestant,
            "median_ns": statistics.median(samples.nanoseconds), "samples_ns": samples.nanoseconds,
            "processor_ns": samples.processor_nanoseconds or None,
            "peak_kib": samples.peak_kib or None} for samples in bench.samples.values()],
        "bars": [bar.as_json() for bar in judged]}, indent=1) + "\n", encoding="utf-8")


def main():
    options = parse_arguments()
    start = time.monotonic()
    machine = describe_machine()
    machine["undisturbed"] = options.undisturbed
    if options.undisturbed:  # inherited by all that is started; niceness would not reach other sessions
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    load = Load()
    bench = Bench(options.programs, options.mount)
    entry_bytes = measure_without_sizes(bench, options)
    total_bytes = {count: measure_size(bench, options, count) for count in options.sizes}
    machine["others_percent"] = round(load.percent())
    judged = bars.judge(bench, total_bytes.get(data.SMALL_COUNT, 0), entry_bytes)
    write_json(options.output, bench, judged, machine, time.monotonic() - start)
    print_report(bench, judged, machine)
    print(f"{time.monotonic() - start:.0f} s; the same as JSON: {options.output}")
    return 1 if bench.failed else 0


if __name__ == "__main__":
    sys.exit(main())
