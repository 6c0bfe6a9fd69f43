"""A result that is being made is beside the one that is there until it is whole."""

from dataclasses import replace

import pytest
from plans import plan

from latentwatch.errors import LatentwatchError
from latentwatch.evaluation.result_file import ResultFile, Row
from latentwatch.evaluation.results import describe_run, write_page
from latentwatch.experiments.publish import published, unfinished
from latentwatch.experiments.registry import experiment


def of_seeds(number, stop_after=None):
    """An experiment that writes its page after each seed, as the real ones do."""

    def run(plan):
        for seed in range(number):
            if seed == stop_after:
                raise KeyboardInterrupt
            row = Row(
                preset="p",
                dataset="ped2",
                score="z_mse",
                metric="auc_micro",
                value=90,
                seeds=seed + 1,
                paper=95,
            )
            result = ResultFile(
                name=plan.name, command="c", settings={}, protocol="p", rows=[row], **describe_run()
            )
            page = write_page(result, plan.results, {"plot.png": "A plot."})
            (plan.results / "plot.png").write_bytes(b"picture")
        return page

    return replace(experiment("ped2"), run=run)


def seeds_of(page):
    return ResultFile.model_validate_json(page.with_suffix(".json").read_text()).rows[0].seeds


def test_a_stopped_run_leaves_the_whole_result_alone(tmp_path):
    asked = plan(tmp_path)
    page = published(of_seeds(4), asked)
    assert page == asked.results / "ped2.md"
    assert seeds_of(page) == 4
    assert (asked.results / "plot.png").is_file()
    assert "p, 4 seeds" in (asked.results / "README.md").read_text()
    assert not unfinished(asked).exists()

    with pytest.raises(KeyboardInterrupt):
        published(of_seeds(4, stop_after=2), asked)
    assert seeds_of(page) == 4
    assert seeds_of(unfinished(asked) / "ped2.md") == 2

    published(of_seeds(3), asked)
    assert seeds_of(page) == 3
    assert "p, 3 seeds" in (asked.results / "README.md").read_text()


def test_results_that_cannot_be_written_are_not_lost(tmp_path):
    asked = plan(tmp_path)
    (asked.results / "ped2.json").mkdir()
    (asked.results / "ped2.json" / "ped2.json").mkdir()
    with pytest.raises(LatentwatchError, match="cannot be moved there from"):
        published(of_seeds(1), asked)
    assert (unfinished(asked) / "ped2.md").is_file()
