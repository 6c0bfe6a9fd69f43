"""`latentwatch corrupt`."""

from pathlib import Path
from typing import Annotated

import typer


def corrupt(
    footage: Annotated[
        Path, typer.Argument(help="A video, or a folder of images or videos.", show_default=False)
    ],
    changes: Annotated[
        list[str],
        typer.Argument(
            help="Such as fog=0.5 or rain=heavy,brightness=0.7; one picture each.", show_default=False
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Picture to write.")] = Path("corrupted.png"),
    frame: Annotated[int, typer.Option(help="Which frame of the first clip, from 0.", min=0)] = 0,
) -> None:
    """Show what --corrupt of score and evaluate does: one frame, changed in several ways.

    Example: latentwatch corrupt tonight.mp4 rain=heavy rain=torrential,brightness=0.7 dusk=0.8
    """
    from itertools import islice

    from latentwatch.datasets.folder import clips_in
    from latentwatch.errors import UsageError
    from latentwatch.evaluation.plots import plot_sheet
    from latentwatch.video.corrupt import Corruption
    from latentwatch.video.corrupt import corrupt as changed

    wanted = [Corruption.parse(change) for change in changes]
    clip = clips_in(footage)[0]
    with clip.open() as frames:
        shown = next(islice(frames, frame, None), None)
    if shown is None:
        raise UsageError(f"--frame {frame}: {clip.name} has no such frame")
    pictures = [("as it is", shown.rgb)]
    pictures += [(str(how), changed(shown.rgb, shown.index, how)) for how in wanted]
    plot_sheet(pictures, output)
    print(f"picture: {output}")
