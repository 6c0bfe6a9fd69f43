"""What the installed command starts: it stands signals from the first moment, while all else is imported."""

import signal
import sys


def main() -> None:
    """Runs the command line, see `latentwatch.cli.main.main`."""
    if sys.argv[1:2] == ["watch"]:
        # A reload that comes too soon: the settings are read anyway.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        from latentwatch.cli.main import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()
