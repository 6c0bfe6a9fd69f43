"""What a person sees as one line instead of a traceback."""


class LatentwatchError(Exception):
    """Something that cannot go on. The message says what is wrong, where, and what to do.

    The command line prints it on one line and leaves with `exit_code`.
    """

    exit_code = 1


class UsageError(LatentwatchError):
    """What was asked for makes no sense (a missing path, an unknown name, a wrong value)."""

    exit_code = 2


class MissingPackageError(LatentwatchError):
    """A package that is not always installed is needed. The message says how to install it (`installing`)."""


def installing(extra: str) -> str:
    """How to get an extra. By path: Latentwatch is in no package index, where its name may be another's."""
    return f"in the folder of Latentwatch's source: pip install '.[{extra}]'"


class StoppedError(LatentwatchError):
    """A person pressed Ctrl-C during long work that can go on later."""

    exit_code = 130
