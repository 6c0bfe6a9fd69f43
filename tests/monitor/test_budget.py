import numpy as np
import pytest
from clips import SMALL, moving_square, random_model
from scipy.stats import genpareto

from latentwatch.bundle.bundle import BundleInfo, Calibration, save_bundle
from latentwatch.datasets.folder import clips_in
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.monitor.alarm import Alarm, AlarmRules
from latentwatch.monitor.budget import Tail, fit_tail, load_budget, promise
from latentwatch.monitor.calibrate import calibrate_camera, file_sha256, health_file
from latentwatch.monitor.health_reference import load_health
from latentwatch.monitor.zones import kept_places, parse_polygon

RULES = AlarmRules(window=1, quiet=2, cool_down=8)
HOUR = 3600


def footage(hours, seed):
    """Scores at 1 frame a second: a heavy-tailed bump every few minutes over noise."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(1, 0.05, hours * HOUR)
    bumps = rng.random(len(scores)) < 1 / 200
    scores[bumps] += genpareto.rvs(0.2, scale=0.3, size=bumps.sum(), random_state=rng)
    return scores


def observed(scores, tail, threshold):
    alarm = Alarm(RULES, tail.typical, threshold, fps=1)
    found = [alarm.step(float(second), score) for second, score in enumerate(scores)]
    return found.count("start") / (len(scores) / HOUR / 24)


def test_promised_and_observed_false_alarms_agree():
    kept = 0
    for seed in range(4):
        tail = fit_tail([footage(8, seed)], RULES, fps=1)
        promised = promise(tail, per_day=12)
        rate = observed(footage(60, 100 + seed), tail, promised.threshold)  # 30 alarms expected
        assert 12 / 4 < rate < 12 * 4
        # The rate is itself a count over 2.5 days: give the limits two of its own standard deviations.
        spread = 2 * np.sqrt(rate / 2.5)
        kept += promised.low - spread <= rate <= promised.high + spread
    assert kept >= 3


def test_the_tail_by_hand():
    tail = Tail(typical=1, start=2, peaks=20, hours=10, shape=0, scale=0.5, highest=4)
    # 48 clusters a day; an exponential tail of mean 0.5 leaves 1 of 48 above 2 + 0.5 ln 48
    assert tail.threshold(1) == pytest.approx(2 + 0.5 * np.log(48))
    assert tail.per_day(tail.threshold(3)) == pytest.approx(3)
    assert tail.threshold(1000) == 2


def test_short_footage_is_said_to_be_short():
    tail = fit_tail([footage(2, 0)], RULES, fps=1)
    daring, modest = promise(tail, 0.01), promise(tail, 24)
    assert daring.is_short
    assert "TOO SHORT" in str(daring)
    assert "would need 7200 h" in str(daring)
    assert not modest.is_short
    with pytest.raises(LatentwatchError, match="separate peaks; a budget needs 10"):
        fit_tail([footage(2, 0)[:120]], RULES, fps=1)
    with pytest.raises(LatentwatchError, match=r"0\.0 minutes"):
        fit_tail([np.full(50, np.nan)], RULES, fps=1)


def test_more_footage_gives_narrower_limits():
    short, long = (promise(fit_tail([footage(hours, 1)], RULES, fps=1), 6) for hours in (3, 40))
    assert long.high / long.low < short.high / short.low


def test_a_model_without_a_budget_is_told_what_to_do(tmp_path):
    with pytest.raises(UsageError, match=r"run 'latentwatch calibrate door\.lw"):
        load_budget(tmp_path / "door.lw", "")


def test_zones_leave_places_out():
    kept = kept_places([parse_polygon("0,0 0.5,0 0.5,1 0,1")], (4, 6))
    assert kept[:, :3].sum() == 0
    assert kept[:, 3:].all()
    with pytest.raises(ValueError, match="leave nothing"):
        kept_places([parse_polygon("0,0 1,0 1,1 0,1")], (4, 6))
    for wrong in ("0,0 1,1", "0,0 2,0 1,1", "a,b", "0 1 2"):
        with pytest.raises(UsageError, match="--ignore"):
            parse_polygon(wrong)


def test_a_camera_is_calibrated_on_footage(tmp_path):
    model = tmp_path / "door.lw"
    loose = Calibration(threshold=1, place_threshold=1, pixel_threshold=1, frames=1)
    save_bundle(model, random_model(SMALL), BundleInfo(architecture=SMALL, fps=1, calibration=loose))
    clips = clips_in(moving_square(tmp_path / "clip", frames=600))  # the square jumps every 40 frames
    said = []
    promised = calibrate_camera(model, clips, 1, engine="torch", say=said.append)
    budget = load_budget(model, file_sha256(model))
    assert budget.threshold == promised.threshold == budget.tail.threshold(1)
    assert budget.tail.peaks >= 10
    assert budget.engine == "torch fp32"
    assert said[0] == f"1/1 clip: {600 - SMALL.warm_up} frames scored"
    assert load_health(health_file(model)).usual
    left = [[(0, 0), (0.5, 0), (0.5, 1), (0, 1)]]
    calibrate_camera(model, clips, 1, ignore=left, engine="torch", say=said.append)
    masked = load_budget(model, file_sha256(model))
    assert masked.ignore == left
    assert masked.tail.typical != budget.tail.typical
    with pytest.raises(UsageError, match="was made with another model"):
        load_budget(model, "0")
