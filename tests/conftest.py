# SPDX-License-Identifier: MIT
"""A parent that ignores SIGINT, such as `tests/run &`, must not decide what programs under test do with it."""
import signal

signal.signal(signal.SIGINT, signal.default_int_handler)
