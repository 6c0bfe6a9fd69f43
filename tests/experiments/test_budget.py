"""`reproduce budget`: counts and limits against numbers worked by hand, and the whole in small."""

import json

import numpy as np
import pytest
from plans import plan

from latentwatch.evaluation.intervals import poisson_limits95
from latentwatch.experiments.budget import footage, run
from latentwatch.experiments.budget.count import (
    Counted,
    Kept,
    Scored,
    count_alarms,
    count_found,
    judge_budget,
)
from latentwatch.experiments.budget.footage import Amounts
from latentwatch.experiments.budget.page import budget_remark, plot_budgets
from latentwatch.experiments.budget.run import reproduce_budget
from latentwatch.monitor import budget
from latentwatch.monitor.alarm import AlarmRules
from latentwatch.monitor.budget import Promise, Tail

RULES = AlarmRules(window=1, quiet=2, cool_down=8)
TAIL = Tail(typical=1, start=2, peaks=20, hours=10, shape=0, scale=0.5, highest=4)


def scored(bumps, frames=100, labels=()):
    """Scores of 1 at 1 frame a second, none in the first five, and 5 in the frames of `bumps`."""
    scores, marked = np.ones(frames), np.zeros(frames, bool)
    scores[:5] = np.nan
    scores[list(bumps)] = 5
    marked[list(labels)] = True
    return Scored(scores, marked)


def kept(alarms, hours=24.0, per_day=6.0):
    promised = Promise(per_day=per_day, threshold=3, low=1, high=9, hours=2, hours_needed=12)
    return Kept(promised, Counted(alarms, hours), [], 0, 0)


def test_poisson_limits_are_those_of_the_tables():
    # With none seen, exp(-m) = 0.025; the others as in Garwood's table.
    assert poisson_limits95(0) == (0, pytest.approx(-np.log(0.025)))
    assert poisson_limits95(1) == pytest.approx((-np.log(0.975), 5.572), abs=5e-4)
    assert poisson_limits95(10) == pytest.approx((4.795, 18.390), abs=5e-4)


def test_alarms_are_counted_as_watch_raises_them():
    # 20 and 22 are one alarm; 30 is within its cool-down, which ends at 34; 40 is the second.
    clips = [scored([20, 22, 30, 40]), scored([6]), scored([])]
    counted = count_alarms(clips, TAIL, 3.0, RULES, fps=1)
    assert counted.alarms == 3
    assert counted.hours == pytest.approx(3 * 95 / 3600)
    assert counted.per_day == pytest.approx(3 / (285 / 86400))
    assert count_alarms(clips, TAIL, 6.0, RULES, fps=1).alarms == 0
    # An alarm that goes on at the end of its clip is one.
    assert count_alarms([scored([99])], TAIL, 3.0, RULES, fps=1).alarms == 1


def test_an_anomaly_is_found_by_an_alarm_that_touches_its_labels():
    clips = [
        scored([50], labels=range(48, 55)),
        scored([20], labels=range(48, 55)),  # elsewhere
        scored([50]),  # no anomaly
        scored([], labels=[60]),
    ]
    assert count_found(clips, TAIL, 3.0, RULES, fps=1) == (1, 3)


def test_the_verdict_is_where_the_promise_lies_to_the_limits():
    # 6 a day are promised for one day; the limits of 13 are 6.92 to 22.2, those of 12 6.20, of 11 5.49.
    assert kept(13).verdict == "broken"
    assert kept(11).verdict == "within the limits"
    assert kept(1).verdict == "kept, with fewer"  # at most 5.57
    assert kept(13, hours=48).verdict == "within the limits"
    assert "broken: 6." in budget_remark("street", [kept(13)])
    assert "too short to see a budget of 6" in budget_remark("street", [kept(0, hours=2)])
    assert "too short" not in budget_remark("street", [kept(0, hours=24)])


def test_each_part_calibrates_in_its_turn():
    rng = np.random.default_rng(0)

    def part(loud):
        clips = []
        for _ in range(8):
            scores = rng.normal(1, 0.05, 600)
            scores[50::100] += rng.exponential(loud, 6)
            clips.append(Scored(scores, np.zeros(600, bool)))
        return clips

    quiet, loud = part(0.5), part(5)
    tests = [scored([50], labels=[50])]
    judged = judge_budget([quiet, loud], tests, 400, RULES, fps=1)
    assert judged.seen.hours == pytest.approx(8 * 600 / 3600)
    assert judged.turns[0] == judged.seen.per_day > 400  # what the loud part does to the quiet one's budget
    assert judged.turns[1] < 400
    assert judged.events == 1


def test_the_plot_is_drawn_where_nothing_was_seen(tmp_path):
    plot_budgets({"street": [kept(0), kept(9, per_day=24)]}, tmp_path / "budget.png")
    assert (tmp_path / "budget.png").stat().st_size > 5000


def test_the_page_is_written_and_goes_on(tmp_path, monkeypatch):
    small = Amounts(train=2, run=40, epochs=2, parts=2, clips=3, frames=60, tests=1, test=40)
    monkeypatch.setattr(run, "QUICK", small)
    monkeypatch.setattr(budget, "LEAST_PEAKS", 2)
    # More frames lie above it than one clip has: there are two peaks, whatever so small a model scores.
    monkeypatch.setattr(budget, "SHARES", (0.6,))
    wanted = plan(tmp_path, name="budget-quick", quick=True, seeds=1)
    page = reproduce_budget(wanted)
    written = json.loads(page.with_suffix(".json").read_text())
    assert written["command"] == "latentwatch reproduce budget --quick --seeds 1"
    rows = {(row["score"], row["metric"]): row["value"] for row in written["rows"]}
    # Two parts of three clips; of a clip's 60 frames the first 13 have no score and 9 more no level.
    assert rows["fused, 24 a day promised", "hours"] == pytest.approx(3 * (60 - 22) / 36000)
    assert rows["fused, 24 a day promised", "found_percent"] in (0, 100)
    assert written["remarks"][-1] == "Ped2 is left out of a quick look."
    assert page.with_suffix(".png").is_file()
    monkeypatch.setattr(footage._Scorer, "_score", None)  # nothing is scored again
    before = page.read_text()
    assert reproduce_budget(wanted).read_text() == before
