"""Long work beside the watching, in a process of its own and of the lowest priority."""

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import wait
from typing import Any

from latentwatch.errors import LatentwatchError
from latentwatch.monitor.logs import JsonLines, set_up_logs

log = logging.getLogger(__name__)

NICENESS = 19


class SideProcess:
    """Calls `function(*arguments)` in a new process; what they are made of must be picklable.

    name: for the log, to which the process writes as this one does. It ends with this process, however that
    ends; then the work must be able to go on another time.
    """

    def __init__(self, name: str, function: Callable[..., object], *arguments: Any) -> None:
        as_json = any(isinstance(each.formatter, JsonLines) for each in logging.getLogger().handlers)
        context = multiprocessing.get_context("spawn")  # a fork would copy the locks of all threads
        self._process = context.Process(
            target=_work, args=(name, as_json, function, arguments), name=name, daemon=True
        )
        self._process.start()

    @property
    def is_over(self) -> bool:
        """Whether the work has ended, well or not."""
        return not self._process.is_alive()

    @property
    def is_done(self) -> bool:
        """Whether it has ended well."""
        return self._process.exitcode == 0

    def stop(self) -> None:
        """Ends it at once."""
        self._process.terminate()
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(5)


def _work(name: str, as_json: bool, function: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both; the other one then ends this
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    set_up_logs(as_json=as_json)
    try:
        function(*arguments)
    except LatentwatchError as error:
        log.error("%s: %s", name, error)
        sys.exit(error.exit_code)
    except Exception:
        log.exception("%s: ended by a fault of the program", name)
        sys.exit(1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
