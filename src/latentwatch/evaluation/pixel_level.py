"""Localisation: RBDC and TBDC of Ramachandra and Jones, "Street Scene" (WACV 2020).

RBDC (region-based) is the share of labelled regions that a detected box overlaps with IoU of at least 0.1.
TBDC (track-based) is the share of labelled tracks of which at least a tenth of the regions is so detected.
Both are areas under the curve over the false positive boxes per frame from 0 to 1, in percent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from latentwatch.errors import LatentwatchError
from latentwatch.scoring.localise import Box

REGION_OVERLAP = 0.1
TRACK_SHARE = 0.1
MOST_FALSE_PER_FRAME = 1.0


@dataclass(frozen=True)
class ClipRegions:
    """One clip: detected boxes per frame, and labelled boxes per frame with the number of their track."""

    detected: Sequence[Sequence[Box]]
    labelled: Sequence[Sequence[tuple[int, Box]]]


@dataclass(frozen=True)
class PixelLevel:
    """RBDC and TBDC in percent, over how many labelled regions, tracks and frames."""

    rbdc: float
    tbdc: float
    regions: int
    tracks: int
    frames: int


def regions_and_tracks(masks: Iterable[NDArray[np.bool_]]) -> list[list[tuple[int, Box]]]:
    """Masks `(H, W)` of consecutive frames to boxes with track numbers.

    A region is a connected part of a mask. It goes on with the track of the region of the frame before that
    it overlaps most (by the IoU of their boxes), each track going on with one region; else it begins one.
    """
    tracked: list[list[tuple[int, Box]]] = []
    before: list[tuple[int, Box]] = []
    fresh = 0
    for mask in masks:
        parts, _ = ndimage.label(mask, structure=np.ones((3, 3)))
        boxes = [
            Box(place[1].start, place[0].start, place[1].stop, place[0].stop, 1.0)
            for place in ndimage.find_objects(parts)
        ]
        pairs = sorted(
            ((overlap(box, old), i, track) for i, box in enumerate(boxes) for track, old in before),
            reverse=True,
        )
        given: dict[int, int] = {}
        for shared, i, track in pairs:
            if shared > 0 and i not in given and track not in given.values():
                given[i] = track
        before = []
        for i, box in enumerate(boxes):
            if i not in given:
                given[i] = fresh
                fresh += 1
            before.append((given[i], box))
        tracked.append(before)
    return tracked


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    area = sum((box.right - box.left) * (box.bottom - box.top) for box in (one, other))
    return shared / (area - shared)


def pixel_level(clips: Sequence[ClipRegions]) -> PixelLevel:
    """RBDC and TBDC of `clips`, whose boxes carry the score that the threshold sweeps over.

    Raises `LatentwatchError` where nothing is labelled.
    """
    found: list[float] = []  # for each labelled region, the score of the best box that detects it
    tracks: dict[tuple[int, int], list[float]] = {}
    false: list[float] = []  # scores of the boxes that overlap no labelled region enough
    frames = 0
    for number, clip in enumerate(clips):
        frames += len(clip.detected)
        for boxes, labelled in zip(clip.detected, clip.labelled, strict=True):
            shares = [[overlap(box, region) for _, region in labelled] for box in boxes]
            for index, (track, _) in enumerate(labelled):
                hits = [
                    box.score for box, row in zip(boxes, shares, strict=True) if row[index] >= REGION_OVERLAP
                ]
                best = max(hits, default=-np.inf)
                found.append(best)
                tracks.setdefault((number, track), []).append(best)
            false += [
                box.score
                for box, row in zip(boxes, shares, strict=True)
                if not any(share >= REGION_OVERLAP for share in row)
            ]
    if not found:
        raise LatentwatchError("no region is labelled: localisation cannot be judged")
    # A track counts once a tenth of its regions does: at the score of the region that makes it a tenth.
    by_track = []
    for scores in tracks.values():
        needed = int(np.ceil(TRACK_SHARE * len(scores)))
        by_track.append(sorted(scores, reverse=True)[needed - 1])
    return PixelLevel(
        rbdc=100 * _area(np.array(found), np.array(false), frames),
        tbdc=100 * _area(np.array(by_track), np.array(false), frames),
        regions=len(found),
        tracks=len(by_track),
        frames=frames,
    )


def _area(found: NDArray[np.float64], false: NDArray[np.float64], frames: int) -> float:
    """Area under (share found) over (false positives a frame, 0 to 1), as a share of the whole."""
    falling = np.sort(false)[::-1]
    limit = int(MOST_FALSE_PER_FRAME * frames)
    # Between two false positives the share found is constant: that of all scores above the next one.
    share = [float((found > score).mean()) for score in falling[:limit]]
    everything = float(np.isfinite(found).mean())
    share += [everything] * (limit - len(share))
    return float(np.mean(share))
