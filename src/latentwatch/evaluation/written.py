"""An evaluation as files: `evaluation.json` and the page `evaluation.md` made from it."""

from pathlib import Path

from latentwatch.evaluation.result_file import ResultFile, Row
from latentwatch.evaluation.results import describe_run, write_page
from latentwatch.evaluation.run import Evaluation


def write_evaluation(
    result: Evaluation,
    folder: Path,
    *,
    command: str,
    system: str,
    dataset: str,
    settings: dict[str, str | int | float | bool],
) -> Path:
    """Writes both files beside the plots that are in `folder`; gives the page.

    command: what a person types to repeat it. settings: the model file, and what scored. Raises `OSError`
    where they cannot be written.
    """
    rows = [
        Row(
            system=system,
            preset="as trained",
            dataset=dataset,
            score=score,
            metric=metric,
            value=value,
            seeds=1,
        )
        for (score, metric), value in result.by_metric().items()
    ]
    written = ResultFile(
        name="evaluation",
        command=command,
        protocol=next(iter(result.figures.values())).protocol,
        settings=settings,
        rows=rows,
        **describe_run(),
    )
    plots = {"roc.png": "ROC curves.", "clips.png": "Scores of the test clips; labelled spans are shaded."}
    return write_page(written, folder, plots)
