"""One clock for a camera's frames and packets, whatever its own time stamps do."""

TOLERANCE = 5.0
"""Seconds by which a time stamp may be off from its arrival before it counts as a jump."""

CATCH_UP, DRIFT = 0.05, 0.001
"""Shares of what a packet is early, or late, by which the clock is corrected at each packet.

None can arrive before it was taken, so being early is mended soon; being late is the network's doing, most of
the time, and only in the long run a camera's clock that is slow.
"""

STEP = 1e-6
"""Seconds between two packets whose times would otherwise not rise."""


class StreamClock:
    """Brings a stream's time stamps to the clock of `time.monotonic`, which nobody can set.

    The stamps are trusted for the distance between frames, which they know better than the arrival does; the
    arrival is trusted for everything else. Stamps that go back, or are more than `TOLERANCE` off, have
    jumped: they count anew from the arrival. The day's clock, which can be set back, is not used.

    jumps: how often they have jumped.
    """

    def __init__(self) -> None:
        self.jumps = 0
        self._offset: float | None = None
        self._last_stamp = 0.0
        self._last = float("-inf")
        self._last_shown = float("-inf")

    def restart(self) -> None:
        """A new connection: its stamps have nothing to do with the ones before."""
        self._offset = None

    def packet(self, stamp: float | None, arrival: float) -> float:
        """The time of a packet in decoding order, by its stamp (None if it has none); always rising."""
        time = arrival
        if stamp is not None:
            if self._offset is None:
                self._offset, self._last_stamp = arrival - stamp, stamp
            late = arrival - (stamp + self._offset)
            if stamp < self._last_stamp or abs(late) > TOLERANCE:
                self.jumps += 1
                self._offset += late
            else:
                self._offset += late * (DRIFT if late > 0 else CATCH_UP)
            self._last_stamp = stamp
            time = stamp + self._offset
        self._last = max(time, self._last + STEP)
        return self._last

    def picture(self, stamp: float | None, packet: float) -> float:
        """The time of a picture that the packet of time `packet` completed; always rising.

        stamp: its presentation time, which differs from the packet's where pictures are reordered.
        """
        time = packet if stamp is None or self._offset is None else stamp + self._offset
        self._last_shown = max(time, self._last_shown + STEP)
        return self._last_shown
