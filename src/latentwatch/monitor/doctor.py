"""Checks whether a settings file can be watched on this machine, and says what to do where it cannot."""

import importlib.util
import os
import shutil
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import make_url

from latentwatch.engines.names import Choice
from latentwatch.errors import LatentwatchError, installing
from latentwatch.monitor.clips import ClipStore
from latentwatch.monitor.encryption import read_keys
from latentwatch.monitor.notify import open_channels
from latentwatch.monitor.prepare import Prepared, prepare
from latentwatch.monitor.settings import Camera, Http, Settings
from latentwatch.monitor.store import EventStore
from latentwatch.video.address import mask, parse_address
from latentwatch.video.frame import Frame
from latentwatch.video.stream import Stream

LOOK = 4.0
"""Seconds for which each camera is looked at."""

TRIES = 20
"""Frames that are scored to see how long one takes."""

SCARCE = 0.5e9
"""Free bytes below which nothing can be kept."""

Verdict = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """What was looked at, what is to be said of it, and what to do."""

    verdict: Verdict
    what: str
    text: str


def examine(settings: Settings, engine: Choice = "auto") -> Iterator[Finding]:
    """Looks at all that `watch` needs; gives each finding when it is known.

    Nobody is told anything. A database that is there is brought to the newest form, as by `watch`.
    """
    yield from _engines()
    costs = {}
    prepared: dict[str, Prepared] = {}
    for name, camera in settings.cameras.items():
        finding, made = _model(name, camera, engine)
        yield finding
        if made is not None:
            prepared[name] = made
            costs[name] = _seconds_per_frame(made)
    if costs:
        yield _load(prepared, costs)
    with ThreadPoolExecutor(8) as pool:
        looks = [
            pool.submit(_camera, name, camera, prepared.get(name))
            for name, camera in settings.cameras.items()
        ]
        yield from (look.result() for look in looks)
    yield _room("folder", settings.folder, settings)
    finding, owner = _database(settings)
    yield finding
    yield _clips(settings, owner)
    if settings.privacy is not None:
        yield _keys(settings)
    yield from _channels(settings)
    if settings.http is not None:
        yield _http(settings.http)
    yield _clock()


def _engines() -> Iterator[Finding]:
    packages = {"openvino": "openvino", "onnx": "onnxruntime"}
    there = ["torch", *(name for name, package in packages.items() if importlib.util.find_spec(package))]
    if "openvino" in there:
        yield Finding("ok", "engines", ", ".join(there))
    else:
        yield Finding(
            "warning", "engines", f"{', '.join(there)}; OpenVINO is faster, {installing('openvino')}"
        )


def _model(name: str, camera: Camera, engine: Choice) -> tuple[Finding, Prepared | None]:
    what = f"model of {name}"
    if camera.enrol and not camera.model.is_file():
        return Finding("ok", what, "not there yet; the camera will be enrolled"), None
    try:
        made = prepare(name, camera, engine)
    except LatentwatchError as error:
        return Finding("problem", what, str(error)), None
    if made.reference is None:
        text = "its health is not watched; run 'latentwatch calibrate' again with longer footage"
        return Finding("warning", what, text), made
    height, width = made.detector.architecture.size
    return Finding("ok", what, f"{width}x{height} at {made.budget.fps:g} frames/s"), made


def _seconds_per_frame(made: Prepared) -> float:
    """The median time of scoring a frame, once the first ones have made all ready."""
    detector = made.detector
    picture = detector.background.clip(0, 255).astype("uint8")
    times = []
    for index in range(detector.frames_needed + TRIES):
        before = time.perf_counter()
        detector.step(Frame(index, index / made.budget.fps, picture))
        times.append(time.perf_counter() - before)
    return statistics.median(times[-TRIES:])


def _load(prepared: dict[str, Prepared], costs: dict[str, float]) -> Finding:
    load = sum(cost * prepared[name].budget.fps for name, cost in costs.items())
    each = ", ".join(
        f"{name} {cost * 1000:.1f} ms a frame on {prepared[name].detector.engine}"
        for name, cost in costs.items()
    )
    text = f"scoring takes {load:.0%} of the time, without decoding ({each})"
    if load < 0.6:
        return Finding("ok", "speed", text)
    verdict: Verdict = "warning" if load < 1 else "problem"
    return Finding(verdict, "speed", f"{text}; use fewer cameras, a smaller width, or a lower frame rate")


def _camera(name: str, camera: Camera, made: Prepared | None) -> Finding:
    what = f"camera {name}"
    address = parse_address(camera.url.get_secret_value())
    pictures, size, begin = 0, (0, 0), 0.0
    try:
        with Stream(address, transport=camera.transport) as stream:
            rate = stream.fps
            for decoded in stream.decoded():
                for picture in decoded.pictures:
                    begin = begin or time.monotonic()
                    pictures, size = pictures + 1, (picture.width, picture.height)
                if begin and time.monotonic() - begin > LOOK:
                    break
    except LatentwatchError as error:
        if not pictures:
            return Finding("problem", what, mask(str(error)))
    if not pictures:
        return Finding("problem", what, f"{address}: gives no picture that can be decoded")
    if address.is_live:  # what a stream says of its rate is often wrong
        rate = (pictures - 1) / max(time.monotonic() - begin, 0.1)
    text = f"{address}: {size[0]}x{size[1]} at {rate:.1f} frames/s"
    if made is not None and rate < 0.9 * made.budget.fps:
        return Finding(
            "warning",
            what,
            f"{text}, but the model learned {made.budget.fps:g}; set the camera so, or train with its rate",
        )
    return Finding("ok", what, text)


def _room(what: str, path: Path, settings: Settings) -> Finding:
    """Whether a folder can be written to, and has room for what is to be kept."""
    there = next(each for each in (path.absolute(), *path.absolute().parents) if each.exists())
    if not there.is_dir():
        return Finding("problem", what, f"{there}: is a file; give another folder")
    if not os.access(there, os.W_OK | os.X_OK):
        return Finding("problem", what, f"{there}: cannot be written to; give this user the right to")
    free = shutil.disk_usage(there).free
    used = sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) if path.is_dir() else 0
    text = f"{path}: {free / 1e9:.1f} GB free"
    if free < SCARCE:
        return Finding("problem", what, f"{text}; make room")
    if free + used < settings.keep.gigabytes * 1e9:
        return Finding(
            "warning",
            what,
            f"{text}, {used / 1e9:.1f} GB used, of {settings.keep.gigabytes:g} GB to be kept; "
            "lower keep.gigabytes or make room",
        )
    return Finding("ok", what, text)


def _database(settings: Settings) -> tuple[Finding, str | None]:
    """Also the mark by which the store's clips are known, "" before it is made; None where it cannot be."""
    try:
        if not settings.has_store:
            return Finding("ok", "store", "SQLite, made at the first start"), ""
        with closing(EventStore(settings.store_url)) as store:
            shown = make_url(settings.store_url).render_as_string()
            return Finding("ok", "store", f"{shown}: tables in the newest form"), store.owner
    except (LatentwatchError, OSError) as error:
        return Finding("problem", "store", mask(str(error))), None


def _clips(settings: Settings, owner: str | None) -> Finding:
    """owner: of the store; None where it is not known."""
    try:
        if owner is not None:
            ClipStore(settings.clips_url, owner, claim=False)
    except LatentwatchError as error:
        return Finding("problem", "clips", str(error).removeprefix("clips: "))
    if "://" not in settings.clips_url:
        return _room("clips", Path(settings.clips_url), settings)
    shown = mask(settings.clips_url)
    if owner is None:
        return Finding("warning", "clips", f"{shown}: not looked at, since the store cannot be opened")
    return Finding("ok", "clips", f"{shown}: can be reached")


def _keys(settings: Settings) -> Finding:
    assert settings.privacy is not None
    try:
        found = read_keys(settings.privacy.keys)
    except LatentwatchError as error:
        return Finding("problem", "privacy", str(error))
    return Finding("ok", "privacy", f"{len(found)} keys")


def _channels(settings: Settings) -> Iterator[Finding]:
    for name in settings.notify:
        what = f"channel {name}"
        alone = settings.model_copy(update={"notify": {name: settings.notify[name]}, "cameras": {}})
        try:
            text = open_channels(alone)[name].check()
        except LatentwatchError as error:
            yield Finding("problem", what, mask(str(error)))
        else:
            yield Finding("ok", what, text)


def _http(http: Http) -> Finding:
    where = f"{http.listen}:{http.port}"
    try:
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
            tried.bind((http.listen, http.port))
    except OSError as error:
        text = f"{where}: {error.strerror}; unless 'watch' runs now, give another http.port or http.listen"
        return Finding("warning", "http", text)
    return Finding("ok", "http", f"{where} is free")


def _clock() -> Finding:
    now = time.strftime("%Y-%m-%d %H:%M:%S %Z")
    program = shutil.which("timedatectl")
    said = ""
    if program:
        shown = [program, "show", "--property=NTPSynchronized", "--value"]
        said = subprocess.run(shown, capture_output=True, text=True, check=False, timeout=10).stdout.strip()
    if said == "yes":
        return Finding("ok", "clock", f"{now}, kept by a time server")
    if said == "no":
        return Finding("warning", "clock", f"{now}, kept by no time server; run 'timedatectl set-ntp true'")
    return Finding("ok", "clock", f"{now}; whether a time server keeps it is not known here")
