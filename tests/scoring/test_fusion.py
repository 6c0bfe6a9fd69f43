import numpy as np
import pytest
from clips import SMALL, moving_square, random_model

from latentwatch.bundle.bundle import Calibration
from latentwatch.bundle.fusion import Fusion, UsualScore
from latentwatch.engines.torch_engine import TorchEngine
from latentwatch.scoring.batch import ClipScores, score_clip
from latentwatch.scoring.calibration import PLACE_QUANTILE, QUANTILE, learn_fusion
from latentwatch.scoring.camera import stream_clip
from latentwatch.scoring.detector import Detector
from latentwatch.scoring.flow import flow_maps
from latentwatch.scoring.fusion import LEAST_DEVIATION, deviations, fused, usual_score, z_mse_and_speed
from latentwatch.scoring.group import DetectorGroup
from latentwatch.scoring.usual_flow import UsualFlow, fastest
from latentwatch.video.source import open_video

LOOSE = Calibration(threshold=1, place_threshold=1, pixel_threshold=1, frames=1)
PLACES = SMALL.code_shape[1:]


def test_a_score_counts_by_its_deviation_on_normal_footage():
    usual = usual_score(np.exp([1.0, 3.0]))
    assert (usual.mean, usual.deviation) == pytest.approx((2, 1))
    np.testing.assert_allclose(deviations(np.exp([2.0, 5.0]), usual), [0, 3], atol=1e-12)


def test_the_fused_score_is_the_weighted_mean_of_deviations_bent_above_nought():
    usual = [
        UsualScore(mean=np.log(4), deviation=1, least=1e-9),
        UsualScore(mean=0, deviation=0.5, least=0.1),
    ]
    # The first is 1, 0 and 0 deviations above the usual; the second 6, 0, and -4.605 for what counts as 0.1.
    scores = [np.array([4 * np.e, 4.0, 4.0]), np.array([np.exp(3), 1.0, 0.001])]
    found = fused(scores, usual, [1, 2])
    np.testing.assert_allclose(found, np.log1p(np.exp([13 / 3, 0, 2 * np.log(0.1) / 0.5 / 3])))
    assert found[1] == pytest.approx(np.log(2))


def test_the_unit_of_a_score_does_not_matter():
    rng = np.random.default_rng(0)
    normal, seen = rng.lognormal(size=(2, 50)), rng.lognormal(size=(2, 9))

    def of(unit):
        usual = [usual_score(normal[0]), usual_score(unit * normal[1])]
        return fused([seen[0], unit * seen[1]], usual, [1, 1])

    np.testing.assert_allclose(of(1), of(1000))


def test_nothing_and_what_never_varies_give_numbers():
    for never in (np.zeros(3), np.full(3, 7.0)):
        usual = usual_score(never)
        assert usual.deviation == LEAST_DEVIATION
        assert np.isfinite(deviations(np.array([0.0, 1.0]), usual)).all()


@pytest.fixture
def scene(tmp_path):
    """A model with the fusion of footage of its own, and faster footage to score."""
    model = random_model(SMALL)
    normal = list(open_video(moving_square(tmp_path / "normal", frames=60)))
    flow = [flow_maps(normal, PLACES)]
    scores = [score_clip(model, normal)]
    return model, learn_fusion(flow, flow, scores), moving_square(tmp_path / "fast", speed=4), normal


def test_its_thresholds_are_quantiles_of_normal_footage(scene):
    model, fusion, _, normal = scene
    clip = score_clip(model, normal, fusion=fusion)
    known = ~np.isnan(clip.fused)
    assert known.sum() == len(normal) - SMALL.warm_up
    speeds = np.tile(clip.speed_maps[known], (2, 1, 1))  # seen, and held out
    fast = np.quantile(fastest(speeds), QUANTILE)
    as_fast_as_ever = z_mse_and_speed(np.exp([fusion.z_mse.mean]), np.array([fast]), fusion)
    assert fusion.threshold == pytest.approx(
        max(np.quantile(clip.fused[known], QUANTILE), as_fast_as_ever.item())
    )
    assert fusion.place_threshold == pytest.approx(np.quantile(speeds, PLACE_QUANTILE), rel=1e-6)
    assert 0.3 < np.median(clip.fused[known]) < 1.2  # about log 2


@pytest.mark.parametrize("seen_moving", [True, False])
def test_footage_that_is_held_out_of_quiet_hours_makes_no_walker_an_anomaly(seen_moving):
    """Speed 0 in all of it: a walker as in the rest of the footage scores no more than the threshold."""
    walker = np.zeros((60, *PLACES, 3), dtype=np.float32)
    walker[:, 1, 1] = (1, 0, 1)
    still = np.zeros_like(walker)
    z_mse = np.where(np.arange(60) < SMALL.warm_up, np.nan, 0.05)
    clip = ClipScores(np.arange(60.0), z_mse, np.zeros(walker.shape[:3], dtype=np.float32))
    fusion = learn_fusion([walker if seen_moving else still, still], [still], [clip])
    speeds = fastest(UsualFlow.in_file(fusion).speeds(walker))
    scores = z_mse_and_speed(z_mse, speeds, fusion)[SMALL.warm_up :]
    if seen_moving:
        assert (scores <= fusion.threshold).all()
    else:
        assert (scores > fusion.threshold).all()
        assert (scores < 100).all()


def test_streaming_equals_batch_and_faster_footage_scores_higher(scene):
    model, fusion, fast, _ = scene
    detector = Detector(model, LOOSE, fusion=fusion)
    for _ in range(2):  # the second time after a reset
        live = stream_clip(detector, open_video(fast))
        whole = score_clip(model, open_video(fast), fusion=fusion)
        np.testing.assert_allclose(live.fused, whole.fused, rtol=1e-4)
        seen = slice(SMALL.warm_up, None)
        np.testing.assert_allclose(live.speed_maps[seen], whole.speed_maps[seen], rtol=1e-4)
        np.testing.assert_allclose(live.z_mse, whole.z_mse, rtol=1e-4)
    assert np.nanmedian(whole.fused) > fusion.threshold
    assert detector.threshold == fusion.threshold


def test_a_group_of_cameras_gives_the_same(scene):
    """Each camera shows another part of the film, so that what one sees in another's place would be found."""
    model, fusion, fast, _ = scene
    first = Detector(model, LOOSE, engine=TorchEngine(model), fusion=fusion)
    film = list(open_video(fast))
    shown = {f"camera {start}": film[start:] for start in range(5)}
    alone = {camera: stream_clip(first.twin(), frames) for camera, frames in shown.items()}
    group = DetectorGroup({camera: first.twin() for camera in shown})
    scored = 0
    for index in range(len(film) - 4):
        together = group.step_many({camera: frames[index] for camera, frames in shown.items()})
        for camera, result in together.items():
            if result is not None:
                scored += 1
                assert result.score == pytest.approx(alone[camera].fused[index], rel=1e-4)
                np.testing.assert_array_equal(result.speed_map, alone[camera].speed_maps[index])
    assert scored == 5 * (len(film) - 4 - SMALL.warm_up)


def test_boxes_come_from_speed_too_and_not_from_ignored_places(scene):
    model, fusion, fast, _ = scene
    never = replace_thresholds(LOOSE, 1e9)
    kept = np.zeros(PLACES, dtype=bool)
    kept[:2] = True  # the square crosses below
    everywhere = Detector(model, never, fusion=fusion)
    above = Detector(model, never, fusion=fusion, kept=kept)
    *_, seen = filter(None, map(everywhere.step, open_video(fast)))
    *_, unseen = filter(None, map(above.step, open_video(fast)))
    assert seen.boxes
    assert seen.place_map.max() == pytest.approx(seen.speed_map.max() / fusion.place_threshold)
    assert max(box.bottom for box in seen.boxes) > 4
    assert all(box.bottom <= 4 for box in unseen.boxes)  # two rows of places of two pixels each
    assert not unseen.place_map[2:].any()
    assert unseen.score < seen.score


def replace_thresholds(calibration, value):
    return calibration.model_copy(update={"threshold": value, "place_threshold": value})


def test_without_fusion_the_score_is_z_mse(scene):
    model, _, fast, _ = scene
    result = [each for each in map(Detector(model, LOOSE).step, open_video(fast)) if each][-1]
    assert result.speed_map is None
    assert result.score == pytest.approx(result.error_map.mean())
    np.testing.assert_allclose(result.place_map, result.error_map / LOOSE.place_threshold)
    kept = np.arange(PLACES[0] * PLACES[1]).reshape(PLACES) % 3 == 0
    result = [each for each in map(Detector(model, LOOSE, kept=kept).step, open_video(fast)) if each][-1]
    assert result.score == pytest.approx(result.error_map[kept].mean())


def test_what_speeds_cannot_be_is_refused():
    usual = UsualScore(mean=0, deviation=1, least=1)
    good = Fusion(
        highest_speeds=[1.0],
        velocities=[(0.0, 0.0)],
        direction_weight=2,
        z_mse=usual,
        speed=usual,
        speed_weight=2,
        threshold=1,
        place_threshold=1,
    )
    for wrong in (
        {"highest_speeds": []},
        {"highest_speeds": [0.0]},
        {"velocities": []},
        {"velocities": [(0.0,)]},
        {"velocities": [(0.0, float("nan"))]},
        {"direction_weight": -1},
        {"threshold": float("inf")},
    ):
        with pytest.raises(ValueError, match="validation error"):
            Fusion.model_validate(good.model_dump() | wrong)
