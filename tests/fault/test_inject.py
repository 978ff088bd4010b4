# SPDX-License-Identifier: MIT
"""The injector itself does what the other tests take for granted."""
import os
import subprocess
import sys

import pytest

KILLED = 137
NEVER_REACHED = 77
FAILED = 125


def inject(injector, *words):
    return subprocess.run([injector.program, *map(str, words)], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=30, env={**os.environ, "LC_ALL": "C"})


def test_a_killed_call_does_not_happen(injector, tmp_path):
    names = [tmp_path / name for name in "abc"]
    seen = []
    for number in range(1, 1000):
        result = inject(injector, "--after", names[0], "kill", number, "--", "mkdir", *names)
        seen.append([name.name for name in names if name.exists()])
        for name in names:
            if name.exists():
                name.rmdir()
        if result.returncode == NEVER_REACHED:
            break
        assert result.returncode == KILLED, result
    assert seen[0] == [] and seen[-1] == ["a", "b", "c"], seen
    assert ["a"] in seen and ["a", "b"] in seen and seen == sorted(seen), seen


def test_only_calls_that_change_files_are_counted(injector, tmp_path):
    """The states that are left are the same; each call before the next change leaves one of them."""
    names = [tmp_path / name for name in "abc"]
    seen = []
    for number in range(1, 10):
        result = inject(injector, "-v", "--after", names[0], "--changes", "kill", number, "--", "mkdir", *names)
        seen.append([name.name for name in names if name.exists()])
        for name in names:
            if name.exists():
                name.rmdir()
        if result.returncode == NEVER_REACHED:
            break
        assert result.returncode == KILLED, result
    assert seen == [[], ["a"], ["a", "b"], ["a", "b", "c"], ["a", "b", "c"]], seen


@pytest.mark.parametrize("name", ["ENOSPC", "EIO", "ENOMEM"])
def test_a_failing_call_does_not_happen(injector, tmp_path, name):
    target = tmp_path / "a"
    words = ["-v", "--after", target, "--only", target, "error", name, 1, "--", "mkdir", target]
    result = inject(injector, *words)
    assert result.returncode == 1 and not target.exists(), result
    assert f"inject: mkdir #1, call 1, {target}\n" in result.stderr, result
    assert "cannot create directory" in result.stderr, result


def test_a_descriptor_is_none_too_many(injector, tmp_path):
    (tmp_path / "a").write_text("content")
    words = ["--after", tmp_path, "--report", tmp_path / "report", "error", "EMFILE"]
    result = inject(injector, *words, 1, "--", "cat", tmp_path / "a")
    assert result.returncode == 1 and "Too many open files" in result.stderr and not result.stdout, result
    assert (tmp_path / "report").read_text() == f"openat #1, call 1, {tmp_path}/a\n"
    result = inject(injector, *words, 2, "--", "cat", tmp_path / "a")
    assert result.returncode == NEVER_REACHED and result.stdout == "content"
    assert (tmp_path / "report").read_text() == "none of 1, status 0\n"


def test_children_are_counted_and_killed(injector, tmp_path):
    """The shell waits for a child that is about to make a directory."""
    script = f"(mkdir {tmp_path}/a; mkdir {tmp_path}/b); mkdir {tmp_path}/c"
    result = inject(injector, "-v", "--after", f"{tmp_path}/b", "kill", 1, "--", "sh", "-c", script)
    assert result.returncode == KILLED and "inject: mkdir #1" in result.stderr, result
    assert (tmp_path / "a").exists() and not (tmp_path / "b").exists() and not (tmp_path / "c").exists()


def test_threads_are_counted_and_killed(injector, tmp_path):
    numbers = tmp_path / "numbers"
    numbers.write_text("".join(f"{number}\n" for number in range(200_000, 0, -1)))
    sort = ["sort", "-n", "--parallel=2", "-S", "1M", "-T", tmp_path, "-o", tmp_path / "sorted", numbers]
    result = inject(injector, "-v", "kill", 10 ** 9, "--", *sort)
    assert result.returncode == NEVER_REACHED and (tmp_path / "sorted").read_text()[:4] == "1\n2\n", result
    (tmp_path / "sorted").unlink()
    count = int(result.stderr.split()[3].rstrip(","))
    for number in range(count // 10, count, count // 10):
        result = inject(injector, "kill", number, "--", *sort)
        assert result.returncode in (KILLED, NEVER_REACHED), result


def test_an_interrupted_call_can_be_done_again(injector, tmp_path):
    """As Python does, with every call."""
    (tmp_path / "a").write_text("content")
    names = []
    for number in range(1, 100):
        result = inject(injector, "-v", "--only", tmp_path / "a", "--after", tmp_path / "a", "error", "EINTR",
                        number, "--", sys.executable, "-c", f"print(open('{tmp_path}/a').read(), end='')")
        assert result.stdout == "content", result
        if result.returncode == NEVER_REACHED:
            break
        names.append(result.stderr.split()[1])
    assert names[:3] == ["openat", "read", "read"], names


def test_wrong_usage_and_missing_programs(injector):
    for words in ([], ["kill"], ["kill", "0", "--", "true"], ["kill", "1", "true"],
                  ["error", "EBADF", "1", "--", "true"], ["--after"], ["kill", "1", "--", "/nonexistent"]):
        result = inject(injector, *words)
        assert result.returncode == FAILED and result.stderr, (words, result)


def test_the_exit_status_of_a_command_that_crashed(injector, tmp_path):
    script = f"cat {tmp_path}/a; kill -SEGV $$"
    result = inject(injector, "--after", tmp_path, "error", "EIO", 1, "--", "sh", "-c", script)
    assert result.returncode == 139 and "Input/output error" in result.stderr, result
