"""How unlike all that was learned a latent code is, place by place: what it shows, not how it moves.

Z-MSE asks whether a code was foreseen. What moves as everybody does is foreseen, however odd it looks; so
this asks how far the code of each place is from the nearest of those that normal footage has shown anywhere
in the picture.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import kmeans_plusplus
from sklearn.metrics import pairwise_distances_argmin_min

from latentwatch.scoring.codes import Codes

LOOKED_AT, KEPT = 40_000, 2048
"""Places of normal footage that the bank is chosen from, drawn at random, and how many it holds."""


@dataclass(frozen=True)
class CodeBank:
    """Codes of single places that stand for all that normal footage shows: float32 `(B, C)`."""

    codes: NDArray[np.float32]

    @classmethod
    def of(cls, clips: Iterable[Codes], *, kept: int = KEPT, seed: int = 0) -> Self:
        """From the codes `(N, C, h, w)` of normal clips; B is `kept`, or all places where these are fewer.

        Chosen by k-means++, far apart from each other: at random, most would be places where nothing is.
        """
        rng = np.random.default_rng(seed)
        places = np.concatenate([_by_place(clip) for clip in clips])
        if len(places) > LOOKED_AT:
            places = places[rng.choice(len(places), LOOKED_AT, replace=False)]
        if len(places) <= kept:
            return cls(places)
        chosen, _ = kmeans_plusplus(places, kept, random_state=seed, n_local_trials=1)
        return cls(np.asarray(chosen, dtype=np.float32))

    def maps(self, codes: Codes) -> NDArray[np.float32]:
        """Mean square over C of codes `(N, C, h, w)` less the nearest of the bank, float32 `(N, h, w)`."""
        frames, channels, height, width = codes.shape
        if not frames:
            return np.empty((0, height, width), dtype=np.float32)
        _, distances = pairwise_distances_argmin_min(_by_place(codes), self.codes)
        squared = np.square(distances) / channels
        return np.asarray(squared.reshape(frames, height, width), dtype=np.float32)


def _by_place(codes: Codes) -> NDArray[np.float32]:
    """Codes `(N, C, h, w)` as one row for each place, `(N * h * w, C)`."""
    return codes.transpose(0, 2, 3, 1).reshape(-1, codes.shape[1])
