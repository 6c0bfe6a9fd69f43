"""The street as it is watched for hours: drawn small, seen smaller, so that minutes show much of it."""

from collections.abc import Sequence

from latentwatch.datasets.dataset import Clip
from latentwatch.datasets.street.dataset import street_dataset
from latentwatch.models.presets import preset

FPS = 10.0

SIZE = (64, 96)
"""Height and width of the model's input."""

DRAWN = (96, 144)
"""The street's own size."""

ARCHITECTURE = preset("ped2", "tiny").model_copy(update={"height": SIZE[0], "width_px": SIZE[1]})


def normal_clips(count: int, frames: int, *, first: int = 0, site: bool = False) -> Sequence[Clip]:
    """`count` normal clips from the one numbered `first` on: each has other people and other light."""
    dataset = street_dataset(
        train_clips=first + count, test_clips=0, frames=frames, fps=FPS, size=DRAWN, site=site
    )
    return dataset.train[first:]


def anomaly_clips(count: int, frames: int, *, site: bool = False) -> Sequence[Clip]:
    """`count` clips with a labelled anomaly each."""
    return street_dataset(train_clips=0, test_clips=count, frames=frames, fps=FPS, size=DRAWN, site=site).test
