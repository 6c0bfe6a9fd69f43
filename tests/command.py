"""The program as a person starts it, in this process (a new one imports PyTorch first) or in its own."""

import io
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from unittest.mock import patch

from latentwatch.cli.main import main

COMMAND = [sys.executable, "-m", "latentwatch.cli"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


@dataclass
class Done:
    """What a command printed."""

    stdout: str
    stderr: str


def run(*words: object, code: int = 0) -> Done:
    """Runs `latentwatch WORDS` in this process, which must leave with this code and show no traceback."""
    out, err = io.StringIO(), io.StringIO()
    left: object = 0
    with _own_logging(), redirect_stdout(out), redirect_stderr(err):
        try:
            with patch.object(sys, "argv", ["latentwatch", *map(str, words)]):
                main()
        except SystemExit as end:
            left = end.code or 0
    done = Done(out.getvalue(), err.getvalue())
    assert left == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def start(*words: object) -> "subprocess.Popen[str]":
    """Starts `latentwatch WORDS` in a process of its own, for what needs one: signals, kills, crashes."""
    return subprocess.Popen(
        [*COMMAND, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )


@contextmanager
def _own_logging() -> Iterator[None]:
    """Lets `main` set logging up as in a new process, and takes that away again.

    Otherwise pytest's handlers would keep the program's filter, which masks secrets, for all later tests.
    """
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = []
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
