"""All results of a folder at a glance: `README.md`, made from the JSON files there. Nobody edits it."""

from pathlib import Path

from pydantic import ValidationError

from latentwatch.evaluation.claims import CLAIMS, Claim
from latentwatch.evaluation.intervals import with_interval
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
    "on it, ours is on Ped2. [What differs, and why](../evaluation.md#what-differs-from-the-paper-and-why).",
    "",
    "| paper | says | holds here | seeds | by these figures | result |",
    "| --- | --- | --- | --- | --- | --- |",
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
    """The claims that the results test; a `--quick` run tests none, another setting those that say so."""
    lines = []
    for claim in CLAIMS:
        rows = [row for result in results if _tests(result, claim) for row in result.rows]
        finding = claim.find(rows)
        if finding is not None:
            seeds = _seeds(rows) if claim.seeds else ""
            lines.append(
                f"| {claim.paper} | {claim.says} | {finding.verdict} | {seeds} | {finding.shown} "
                f"| [{claim.result}]({claim.result}.md) |"
            )
    return [*CLAIMS_HEAD, *lines, ""] if lines else []


def _tests(result: ResultFile, claim: Claim) -> bool:
    if result.name == claim.result:
        return True
    is_quick = any(row.status == "quick" for row in result.rows)
    return claim.any_setting and result.name.startswith(f"{claim.result}-") and not is_quick


def _seeds(rows: list[Row]) -> str:
    numbers = {row.seeds for row in rows if row.status != "quoted"}
    return " to ".join(str(each) for each in sorted({min(numbers), max(numbers)}))


def _line(result: ResultFile) -> str:
    ours = [row for row in result.rows if row.status != "quoted"]
    run = sorted({f"{row.preset}, {row.seeds} seed{'s' * (row.seeds != 1)}, {row.status}" for row in ours})
    # Frames a second are of two machines: only their ratios compare.
    compared = [_compared(row) for row in ours if row.paper is not None and row.metric != "fps"]
    return f"| [{result.name}]({result.name}.md) | {_cell(run)} | {_cell(compared)} |"


def _cell(lines: list[str]) -> str:
    more = len(lines) - MOST_LINES
    return "<br>".join([*lines[:MOST_LINES], *([f"and {more} more on its page"] if more > 0 else [])])


def _compared(row: Row) -> str:
    who = "" if row.system == "decoupled" else f"{row.system}, "
    where = f" in {row.engine}" if row.engine else ""
    figure = f"{with_interval(row.value, row.ci95)} (paper {row.paper:.1f})"
    return f"{who}{row.preset}, {row.score}, {row.metric}{where}: {figure}"


def _said(result: ResultFile) -> list[str]:
    return [f"## {result.name}", "", *(line for remark in result.remarks for line in (remark, ""))]
