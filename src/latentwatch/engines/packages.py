"""Packages that only some engines need."""

import sys
from importlib import import_module
from types import ModuleType

from latentwatch.errors import MissingPackageError, installing

_TELEMETRY = "openvino_telemetry"


def require(package: str, extra: str) -> ModuleType:
    """Imports `package`. Raises `MissingPackageError` that names the `extra` of Latentwatch that has it."""
    try:
        return import_module(package)
    except ImportError as error:
        raise MissingPackageError(
            f"{package} cannot be imported ({error}); install it, {installing(extra)}"
        ) from error


def require_openvino() -> ModuleType:
    """Imports OpenVINO without its telemetry. Raises `MissingPackageError` where it is not installed.

    Importing OpenVINO reports to Google Analytics unless the person has opted out, and each conversion does
    again. A program that watches cameras tells nobody. OpenVINO has a stub for when its telemetry package is
    absent, so the package is hidden while OpenVINO is imported.
    """
    return _without_telemetry("openvino", "openvino")


def require_nncf() -> ModuleType:
    """Imports NNCF, and OpenVINO with it, without telemetry; see `require_openvino`. Raises as that does."""
    require_openvino()
    return _without_telemetry("nncf", "quantise")


def _without_telemetry(package: str, extra: str) -> ModuleType:
    hidden = _TELEMETRY not in sys.modules
    if hidden:
        sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
    try:
        return require(package, extra)
    finally:
        if hidden:
            del sys.modules[_TELEMETRY]


def first_line(error: Exception) -> str:
    """The first line of what a foreign package says went wrong, or the error's kind where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
