"""What is counted and measured while watching, for Prometheus."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from latentwatch.monitor.store import EventStore

LATENCIES = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Bounds in seconds between which the time of scoring a frame is counted."""


class Metrics:
    """All of one run; a camera's figures go on when it begins anew."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._cameras: set[str] = set()
        ProcessCollector(registry=self.registry)

        def counter(name: str, text: str) -> Counter:
            return Counter(f"latentwatch_{name}", text, ["camera"], registry=self.registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"latentwatch_{name}", text, ["camera"], registry=self.registry)

        self._frames = counter("frames", "Frames scored.")
        self._dropped = counter("frames_dropped", "Frames that newer ones replaced before they were scored.")
        self._events = counter("events", "Events begun.")
        self._losses = counter("connection_losses", "Connections lost or stalled, each tried again.")
        self._level = gauge("level", "Level of the last frame; 1 is the threshold.")
        self._live = gauge("camera_live", "1 while frames come.")
        self._since = gauge("seconds_since_frame", "Since the last frame, or since watching began.")
        self._enrolment = {
            "seen": gauge("enrolment_seconds", "Usable footage that was seen of a camera being enrolled."),
            "wanted": gauge("enrolment_wanted_seconds", "Usable footage that is to be seen of it."),
            "is_learning": gauge("enrolment_learning", "1 once that was seen, while the model is trained."),
        }
        self._enrolled: set[str] = set()
        self._latency = Histogram(
            "latentwatch_inference_seconds",
            "Time to score a frame.",
            ["camera"],
            buckets=LATENCIES,
            registry=self.registry,
        )

    def of(self, camera: str) -> "CameraMetrics":
        """The figures of one camera."""
        self._cameras.add(camera)
        made = CameraMetrics(
            frames=self._frames.labels(camera),
            dropped=self._dropped.labels(camera),
            events=self._events.labels(camera),
            losses=self._losses.labels(camera),
            level=self._level.labels(camera),
            live=self._live.labels(camera),
            latency=self._latency.labels(camera),
        )
        self._since.labels(camera).set_function(lambda: time.monotonic() - made.last_frame)
        return made

    def enrolling(
        self, camera: str, *, wanted: float, seen: Callable[[], float], is_learning: Callable[[], bool]
    ) -> None:
        """A camera is being enrolled. wanted, seen: seconds of usable footage; what changes is asked for."""
        self._enrolled.add(camera)
        self._enrolment["wanted"].labels(camera).set(wanted)
        self._enrolment["seen"].labels(camera).set_function(seen)
        self._enrolment["is_learning"].labels(camera).set_function(lambda: float(is_learning()))

    def enrolled(self, camera: str) -> None:
        """A camera is no longer being enrolled, if it ever was."""
        if camera in self._enrolled:
            self._enrolled.remove(camera)
            for each in self._enrolment.values():
                each.remove(camera)

    def forget(self, camera: str) -> None:
        """A camera is no longer watched, if it ever was."""
        if camera not in self._cameras:
            return
        self._cameras.remove(camera)
        for each in (
            self._frames,
            self._dropped,
            self._events,
            self._losses,
            self._level,
            self._live,
            self._since,
            self._latency,
        ):
            each.remove(camera)

    def watch_store(self, store: EventStore, channels: Callable[[], list[str]]) -> None:
        """Also gives what waits in the store for the channels, and what clips take."""
        self.registry.register(_StoreCollector(store, channels))


@dataclass
class CameraMetrics:
    """One camera's. last_frame: when it came, by the monotonic clock."""

    frames: Counter
    dropped: Counter
    events: Counter
    losses: Counter
    level: Gauge
    live: Gauge
    latency: Histogram
    last_frame: float = field(default_factory=time.monotonic)


class _StoreCollector(Collector):
    def __init__(self, store: EventStore, channels: Callable[[], list[str]]) -> None:
        self._store, self._channels = store, channels

    def collect(self) -> list[Metric]:
        waiting = GaugeMetricFamily(
            "latentwatch_messages_waiting", "Messages that are not delivered yet.", labels=["channel"]
        )
        size = GaugeMetricFamily("latentwatch_clip_bytes", "What clips and snapshots of events take.")
        try:
            counts = self._store.waiting()
            for channel in self._channels():
                waiting.add_metric([channel], counts.get(channel, 0))
            size.add_metric([], self._store.clip_bytes())
        except SQLAlchemyError:
            return []  # the health endpoint says so
        return [waiting, size]
