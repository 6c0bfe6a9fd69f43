"""Makes one fault and says whether the program came through it."""

import time

from latentwatch.errors import LatentwatchError
from latentwatch.experiments.live.checks import (
    kept_events,
    lost,
    missing,
    orphans,
    playable,
    waiting_messages,
)
from latentwatch.experiments.live.disturbances import Disturbance
from latentwatch.experiments.live.measured import Fault
from latentwatch.experiments.live.servers import wait_for
from latentwatch.experiments.live.stand import Stand

PATIENCE = 180.0
"""Seconds in which everything must be well again."""

SETTLE = 11.0
"""Seconds of live pictures after which a camera's next loss is tried again soon (`camera_source.STEADY`)."""


def disturb(stand: Stand, kind: Disturbance, shift: float = 0.0) -> Fault:
    """Makes a fault and waits until all is well again. shift: of the program's clock afterwards, seconds."""
    before = stand.listener.announced()
    pid = stand.pid
    survived, back, problem = 0, list[float](), ""
    for _ in range(kind.times):
        kind.make(stand)
        over = time.monotonic()
        try:
            if kind.only_live:
                stand.wait_live(over, PATIENCE)
            else:
                settle(stand, time.time() + shift)
            back.append(time.monotonic() - over)
            if kind.times > 1:
                time.sleep(SETTLE)
        except LatentwatchError as error:
            problem = str(error)
            continue
        survived += stand.pid == pid and not lost(stand.listener.announced(), stand.data)
    announced = stand.listener.announced()
    if kind.note and not any(kind.note in line for line in stand.said()):
        problem = problem or f"the log does not say '{kind.note}'"
    return Fault(
        name=kind.name,
        times=kind.times,
        survived=survived,
        announced=len(announced - before),
        lost=len(lost(announced, stand.data)),
        recovered_s=back,
        note=problem,
    )


def settle(stand: Stand, moment: float) -> None:
    """Waits until each camera has told of an event that began after a moment of the program's day clock, and
    nothing that has ended waits to be told."""

    def told() -> bool:
        new = [each.body for each in stand.listener.told if each.body["type"] == "new"]
        return all(
            any(body["camera"] == camera and body["start"] > moment for body in new)
            for camera in stand.cameras
        )

    wait_for(told, PATIENCE, "an event of every camera")
    wait_for(lambda: waiting_messages(stand.data) == 0, PATIENCE, "all messages delivered")


def ended(stand: Stand, name: str) -> Fault:
    """Stops the program gently and looks at all that it leaves."""
    stand.stop()
    time.sleep(1)
    announced = stand.listener.announced()
    kept = kept_events(stand.data)
    gone = len(set(announced) - set(kept))
    return Fault(
        name=name,
        times=1,
        survived=int(not gone),
        announced=len(announced),
        lost=gone,
        recovered_s=[],
        orphans=len(orphans(stand.data)),
        missing=len(missing(stand.data)),
        unplayable=sum(each.state == "done" and not playable(each.clip) for each in kept.values()),
    )


def and_then(fault: Fault, ended: Fault, note: str) -> Fault:
    """A fault with what was left after it."""
    return fault.model_copy(
        update={
            "lost": max(fault.lost, ended.lost),
            "orphans": ended.orphans,
            "missing": ended.missing,
            "unplayable": ended.unplayable,
            "note": "; ".join(filter(None, (fault.note, note))),
        }
    )
