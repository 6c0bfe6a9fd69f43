"""All results of a folder at a glance: `README.md`, made from the JSON files there. Nobody edits it."""

from pathlib import Path

from pydantic import ValidationError

from latentwatch.evaluation.claims import CLAIMS
from latentwatch.evaluation.result_file import ResultFile, Row

HEAD = [
    "# Results at a glance",
    "",
    "Made from the JSON files beside it whenever one is written. Do not edit. AUC in percent; the paper's",
    "figures are quoted from Li, Leroux and Simoens 2021. What is marked quick comes of a small network on",
    "little data, to show what a command does; it is no result.",
    "",
]

RESULTS = [
    "| result | what was run | ours against the paper's |",
    "| --- | --- | --- |",
]

CLAIMS_HEAD = [
    "## The paper's claims",
    "",
    "Counted over what was compared, seeds averaged. Avenue cannot be had here: where the paper's claim is",
    "on it, ours is on Ped2. What differs, and why, is in docs/evaluation.md.",
    "",
    "| paper | says | holds here | by these figures | result |",
    "| --- | --- | --- | --- | --- |",
]

MOST_LINES = 6
"""Lines in a cell of the table; the page of the result has them all."""


def write_overview(folder: Path) -> Path:
    """Writes `folder / "README.md"`, a line for each result and what it says in words; gives its path.

    A file that is not a result is passed over, and a page of that name that is not an overview is left alone.
    """
    page = folder / "README.md"
    if page.is_file() and not page.read_text().startswith(HEAD[0]):
        return page
    results = []
    for file in sorted(folder.glob("*.json")):
        try:
            results.append(ResultFile.model_validate_json(file.read_text()))
        except ValidationError:
            continue
    said = [line for result in results if result.remarks for line in _said(result)]
    lines = [*HEAD, *_claims(results), *RESULTS, *(_line(result) for result in results), "", *said]
    page.write_text("\n".join(lines).rstrip() + "\n")
    return page


def _claims(results: list[ResultFile]) -> list[str]:
    """The claims that the results test, of which those of a `--quick` run and of other settings are none."""
    rows = {result.name: result.rows for result in results}
    found = [(claim, claim.find(rows.get(claim.result, []))) for claim in CLAIMS]
    lines = [
        f"| {claim.paper} | {claim.says} | {finding.verdict} | {finding.shown} "
        f"| [{claim.result}]({claim.result}.md) |"
        for claim, finding in found
        if finding is not None
    ]
    return [*CLAIMS_HEAD, *lines, ""] if lines else []


def _line(result: ResultFile) -> str:
    ours = [row for row in result.rows if row.status != "quoted"]
    run = sorted({f"{row.preset}, {row.seeds} seed{'s' * (row.seeds != 1)}, {row.status}" for row in ours})
    compared = [_compared(row) for row in ours if row.paper is not None]
    return f"| [{result.name}]({result.name}.md) | {_cell(run)} | {_cell(compared)} |"


def _cell(lines: list[str]) -> str:
    more = len(lines) - MOST_LINES
    return "<br>".join([*lines[:MOST_LINES], *([f"and {more} more on its page"] if more > 0 else [])])


def _compared(row: Row) -> str:
    spread = "" if row.ci95 is None else f" ± {row.ci95:.1f}"
    who = "" if row.system == "decoupled" else f"{row.system}, "
    return f"{who}{row.preset}, {row.score}, {row.metric}: {row.value:.1f}{spread} (paper {row.paper:.1f})"


def _said(result: ResultFile) -> list[str]:
    return [f"## {result.name}", "", *(line for remark in result.remarks for line in (remark, ""))]
