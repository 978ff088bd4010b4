# SPDX-License-Identifier: MIT
"""A store with profiles of the distribution's QEMU, VMs that run from it, and what their guests say."""
import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from made_profile import emulating, make_profile

HERE = Path(__file__).resolve().parent
CLI = os.environ.get("VOLT_QEMU", str(HERE.parents[1] / "build/examples/volt-qemu/volt-qemu"))
MARKER = "VOLT-GUEST-READY"
DONE = "VOLT-GUEST-DONE"
PROGRAMS = {
    "emulate-x86": ["x86_64", "i386"],
    "emulate-foreign": ["aarch64", "arm", "mipsel", "mips64el", "ppc", "ppc64", "riscv64", "s390x"],
}


class Console:
    """What a VM printed; for guests of guests.py: its reports."""

    def __init__(self, text, status):
        self.text = text.replace("\r", "")
        self.status = status

    def _tail(self):
        return f"status {self.status}, console:\n{self.text[-4000:]}"

    def require(self, *texts):
        for text in texts:
            assert text in self.text, f"the guest did not say {text!r}; {self._tail()}"
        return self

    def ready(self):
        """What stands behind the marker: {"kernel": ..., "root": ..., "cpus": ..., "memory": ...}."""
        self.require(MARKER, DONE)
        assert self.status == 0, self._tail()
        line = re.search(MARKER + r" (\S+) (.*)", self.text)
        return {"machine": line.group(1), **words_of(line.group(2))}

    def reports(self, kind):
        """The things of a kind, in the order of the guest: [{"name": ..., key: value}]."""
        assert "REPORT-MISSING" not in self.text, self._tail()
        return [{"name": name, **words_of(rest)}
                for name, rest in re.findall(rf"REPORT {kind} (\S+) ?(.*)", self.text)]


def wait_until(condition, deadline):
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, f"nothing happened in {deadline} s"
        time.sleep(0.02)


def words_of(line):
    return dict(word.split("=", 1) for word in line.split() if "=" in word)


class Store:
    """A store that holds the profiles of PROGRAMS, made of the QEMU that is installed."""

    def __init__(self, directory):
        self.root = directory / "store"
        for profile, arches in PROGRAMS.items():
            made = make_profile(directory / profile, *arches)
            self.volt("ingest", "--profile", profile, made)
            shutil.rmtree(made)

    def command(self, command, *words):
        return [CLI, "--root", str(self.root), command, *(str(word) for word in words)]

    def volt(self, command, *words):
        run = subprocess.run(self.command(command, *words), capture_output=True, text=True,
                             stdin=subprocess.DEVNULL, check=False)
        assert run.returncode == 0, run.stderr
        return run.stdout


VIRTIOFSD = "/usr/lib/qemu/virtiofsd"


class Vm:
    """A VM: a document, and where it runs."""

    def __init__(self, store, arch, directory, document, extra=()):
        self.store = store
        self.document = {"name": f"guest-{arch}", "state_dir": str(directory / "state"),
                         "runtime_dir": str(directory / "run"), **document}
        self._file = directory / "vm.json"
        self._words = ["--profile", emulating(arch), "--guest-arch", arch, "--vm", self._file]
        self._extra = ["--", *extra] if extra else []

    def words(self):
        """The options of the CLI for this VM."""
        self._file.write_text(json.dumps(self.document))
        return [*self._words, *self._extra]

    def argv(self):
        return json.loads(self.store.volt("args", "--json", *self.words()))["argv"]

    def ask(self, report):
        """Have the guest report: adds to the library's own kernel command line."""
        argv = self.argv()
        self.document["append"] = f"{argv[argv.index('-append') + 1]} volt.report={report}"
        return self

    def prepare(self):
        """Make what it needs beside its images; running does that as well."""
        self.store.volt("prepare", *self.words())

    def swtpm(self):
        """Its TPM; that ends by itself when QEMU does."""
        path = Path(self.document["runtime_dir"], "tpm.sock")
        return self._companion(path, ["swtpm", "socket", "--tpm2", "--tpmstate",
                                      f"dir={self.document['state_dir']}/tpm", "--ctrl",
                                      f"type=unixio,path={path}", "--terminate"])

    def virtiofsd(self):
        """The server of its root file system, the one that comes with QEMU 7.2."""
        path = Path(self.document["runtime_dir"], "virtiofsd-0.sock")
        return self._companion(path, [VIRTIOFSD, f"--socket-path={path}", "-o",
                                      f"source={self.document['rootfs']}"])

    @contextlib.contextmanager
    def _companion(self, path, argv):
        self.prepare()
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            wait_until(path.exists, 30)
            yield
        finally:
            process.terminate()
            process.wait()

    def run(self, deadline, prepared=True):
        """Run to the end; returns the console."""
        with self.started(prepared) as running:
            return running.wait(deadline)

    def _unprepared(self):
        made = json.loads(self.store.volt("args", "--json", *self.words()))
        Path(self.document["runtime_dir"]).mkdir(mode=0o700, exist_ok=True)
        return {"args": made["argv"], "cwd": made["cwd"], "env": dict(word.split("=", 1) for word in made["env"])}

    @contextlib.contextmanager
    def started(self, prepared=True):
        """Run in the background; yields a Running. At the end it is killed if it still runs. Not prepared: nobody
        looks at its images before QEMU does."""
        words = {"args": self.store.command("run", *self.words())} if prepared else self._unprepared()
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(**words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
            try:
                yield Running(process, output)
            finally:
                process.kill()
                process.wait()


class Running:
    """A QEMU that runs."""

    def __init__(self, process, output):
        self.process = process
        self._output = output

    def console(self):
        data = os.pread(self._output.fileno(), 1 << 24, 0)
        return Console(data.decode(errors="replace"), self.process.poll())

    def wait(self, deadline):
        try:
            self.process.wait(timeout=deadline)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"no end after {deadline} s; console:\n"
                                 f"{self.console().text[-4000:]}") from None
        return self.console()

    def wait_for(self, text, deadline):
        """Wait until the console has shown a text; QEMU must not end before."""
        end = time.monotonic() + deadline
        while text not in (console := self.console()).text:
            assert self.process.poll() is None, f"QEMU ended: {console.text[-4000:]}"
            assert time.monotonic() < end, f"no {text!r} after {deadline} s: {console.text[-4000:]}"
            time.sleep(0.05)
        return console
