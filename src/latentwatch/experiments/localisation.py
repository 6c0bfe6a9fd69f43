"""Section 4.2, Fig. 2: where the model sees anomalies, rightly and wrongly, by pixel and by latent error.

Which frames are shown is decided by a rule, not by hand: see `RULE`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from latentwatch.bundle.bundle import Calibration
from latentwatch.datasets.dataset import Clip
from latentwatch.evaluation.pixel_level import REGION_OVERLAP, overlap, regions_and_tracks
from latentwatch.evaluation.result_file import ResultFile, Row
from latentwatch.evaluation.results import describe_run, write_page
from latentwatch.experiments.experiment import Experiment, Work
from latentwatch.experiments.rows import Trainings, mean_row, settings_with_commits
from latentwatch.experiments.seeds import Plan, dataset_of, only_form, trained_seeds
from latentwatch.models.decoupled import Decoupled
from latentwatch.scoring.batch import score_clip
from latentwatch.scoring.localise import Box, boxes_from_map
from latentwatch.scoring.normalise import normalise_clip

MAPS = {"p_mse": "pixel error", "z_mse": "latent error"}
RIGHT, WRONG = 4, 2
"""How many true and false positives are shown (as in the paper)."""

COLUMNS = 3
"""Examples beside each other: so many can be made out on a page."""

RULE = (
    f"the frames labelled anomalous with the highest Z-MSE after Eq. 3 in {RIGHT} distinct clips, then those "
    f"labelled normal in {WRONG} distinct clips; ties by Z-MSE itself"
)


@dataclass(frozen=True)
class Example:
    """A frame that may be shown. rank: its Z-MSE after Eq. 3, and before it in units of the threshold."""

    clip: Clip
    index: int
    rank: tuple[float, float]
    mask: NDArray[np.bool_]
    boxes: dict[str, list[Box]]


@dataclass
class Count:
    """Over scored frames: labelled regions, how many a box finds, and boxes that find none."""

    frames: int = 0
    regions: int = 0
    found: int = 0
    false: int = 0


def reproduce_localisation(plan: Plan) -> Path:
    """Draws seed 0's examples, counts what boxes find for every seed, and writes the page after each.

    Gives the page. Raises `UsageError` for a plan of more than one form, and as training and decoding do.
    """
    dataset = dataset_of(plan, "ped2")
    page = plan.results / f"{plan.name}.md"
    done: list[dict[str, Count]] = []
    trainings = Trainings()
    for model, info in trained_seeds(plan, dataset, only_form(plan)):
        counts = {name: Count() for name in MAPS}
        right: list[Example] = []
        wrong: list[Example] = []
        for number, clip in enumerate(dataset.test, start=1):
            best = _judge(model, info.calibration, clip, counts)
            right += best[True]
            wrong += best[False]
            plan.say(f"scored test clip {clip.name} ({number} of {len(dataset.test)})")
        if not done:
            _plot(_highest(right, RIGHT), _highest(wrong, WRONG), plan.results / f"{plan.name}-boxes.png")
        done.append(counts)
        trainings.add(info)
        page = _write(plan, done, trainings)
    return page


def _judge(
    model: Decoupled, calibration: Calibration, clip: Clip, counts: dict[str, Count]
) -> dict[bool, list[Example]]:
    """Adds to `counts`; gives the clip's highest frame of each kind, by its label."""
    assert clip.labels is not None
    assert clip.load_masks is not None
    masks = clip.load_masks()
    with clip.open(model.architecture.size) as frames:
        scores = score_clip(model, frames, pixel_scores=True)
    limits = {"z_mse": calibration.place_threshold, "p_mse": calibration.pixel_threshold}
    maps = {"z_mse": scores.error_maps, "p_mse": scores.pixel_maps}
    labelled = regions_and_tracks(masks)
    boxes: dict[str, dict[int, list[Box]]] = {name: {} for name in MAPS}
    scored = [int(index) for index in np.flatnonzero(~np.isnan(scores.z_mse))]
    for name, places in maps.items():
        limit = limits[name]
        assert places is not None
        assert limit is not None
        for index in scored:
            boxes[name][index] = boxes_from_map(places[index], limit, (masks.shape[1], masks.shape[2]))
            _count(counts[name], boxes[name][index], [box for _, box in labelled[index]])
    normalised = normalise_clip(scores.z_mse)
    best: dict[bool, list[Example]] = {True: [], False: []}
    for kind, examples in best.items():
        candidates = [index for index in scored if clip.labels[index] == kind]
        if candidates:
            index = max(candidates, key=lambda each: normalised[each])
            rank = (float(normalised[index]), float(scores.z_mse[index] / calibration.threshold))
            shown = {name: found[index] for name, found in boxes.items()}
            examples.append(Example(clip, index, rank, masks[index], shown))
    return best


def _count(count: Count, boxes: list[Box], regions: list[Box]) -> None:
    hits = np.array([[overlap(box, region) >= REGION_OVERLAP for region in regions] for box in boxes])
    hits = hits.reshape(len(boxes), len(regions))
    count.frames += 1
    count.regions += len(regions)
    count.found += int(hits.any(axis=0).sum())
    count.false += int((~hits.any(axis=1)).sum())


def _highest(examples: Iterable[Example], number: int) -> list[Example]:
    return sorted(examples, key=lambda example: example.rank, reverse=True)[:number]


def _write(plan: Plan, done: list[dict[str, Count]], trainings: Trainings) -> Path:
    rows = []
    for name in MAPS:
        counts = [each[name] for each in done]
        metrics = {
            "regions_found": [100 * count.found / max(count.regions, 1) for count in counts],
            "false_boxes": [count.false / count.frames for count in counts],
        }
        for metric, values in metrics.items():
            row = mean_row(
                plan,
                trainings,
                form=only_form(plan),
                dataset="ped2",
                score=name,
                metric=metric,
                values=values,
            )
            rows.append(row)
    result = ResultFile(
        name=plan.name,
        command=plan.command,
        protocol=f"boxes are where an error map is above its threshold, which held-out normal footage sets; "
        f"regions_found: percent of labelled regions that a box overlaps (IoU {REGION_OVERLAP} or more); "
        f"false_boxes: boxes a scored frame that overlap none; shown are {RULE}",
        settings=settings_with_commits(plan, [trainings]),
        rows=rows,
        remarks=[_remark(rows)],
        **describe_run(),
    )
    caption = (
        "Seed 0. Red: boxes; green: the labelled pixels. The paper's Ped2 had frame labels alone. Numbers: "
        "Z-MSE over the threshold for alarms."
    )
    return write_page(result, plan.results, {f"{plan.name}-boxes.png": caption})


def _remark(rows: list[Row]) -> str:
    value = {(row.score, row.metric): row.value for row in rows}
    parts = [
        f"from the {title} {value[name, 'regions_found']:.0f}% with {value[name, 'false_boxes']:.1f} a frame"
        for name, title in MAPS.items()
    ]
    return f"Labelled regions found by boxes, and boxes that find none: {', '.join(parts)}."


def _plot(right: list[Example], wrong: list[Example], path: Path) -> None:
    """Those rightly found, then those wrongly, `COLUMNS` beside each other; a row for each error map."""
    examples = [
        *(("labelled anomalous", each) for each in right),
        *(("labelled normal", each) for each in wrong),
    ]
    blocks = -(-len(examples) // COLUMNS)
    figure = Figure(figsize=(7.5, 3.6 * blocks), layout="constrained")
    grid = figure.subplots(len(MAPS) * blocks, COLUMNS, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for number, (kind, example) in enumerate(examples):
        block, column = divmod(number, COLUMNS)
        rows = grid[len(MAPS) * block : len(MAPS) * (block + 1), column]
        _show(example, rows)
        what = f"#{example.clip.name}, frame {example.index + 1}: {example.rank[1]:.1f} x threshold"
        rows[0].set_title(f"{kind}\n{what}", fontsize=8)
        if column == 0:
            for axes, title in zip(rows, MAPS.values(), strict=True):
                axes.set_ylabel(title, fontsize=8)
    figure.savefig(path, dpi=160)


def _show(example: Example, rows: Iterable[Axes]) -> None:
    """The frame with the boxes of each error map."""
    with example.clip.open() as frames:
        rgb = next(islice(frames, example.index, None)).rgb
    for axes, name in zip(rows, MAPS, strict=True):
        axes.set_axis_on()
        axes.imshow(rgb)
        axes.set(xticks=[], yticks=[], autoscale_on=False)  # a box at the edge adds no margin
        if example.mask.any():
            axes.contour(example.mask, [0.5], colors="lime", linewidths=0.8)
        for box in example.boxes[name]:
            corner, size = (box.left, box.top), (box.right - box.left, box.bottom - box.top)
            axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor="red", linewidth=1))


FIG2 = Experiment(
    name="fig2",
    paper="Fig. 2",
    about="true and false positives with boxes from the pixel error and from the latent error",
    dataset="ped2",
    preset="ped2",
    work=Work(trained=2550, scored=2010),
    quick_work=Work(trained=450, scored=690),
    run=reproduce_localisation,
)
