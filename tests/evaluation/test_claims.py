"""Each of the paper's claims, on rows made by hand."""

import pytest

from latentwatch.evaluation.claims import CLAIMS, Finding
from latentwatch.evaluation.overview import write_overview
from latentwatch.evaluation.result_file import ResultFile, Row
from latentwatch.evaluation.results import describe_run, write_result


def auc(
    value: float, score: str = "z_mse", dataset: str = "ped2", preset: str = "tiny", **other: object
) -> Row:
    given = {"preset": preset, "dataset": dataset, "score": score, "metric": "auc_micro", "value": value}
    return Row.model_validate({"seeds": 1, **given, **other})


def found(says: str, *rows: Row) -> Finding | None:
    (claim,) = (claim for claim in CLAIMS if says in claim.says)
    return claim.find(rows)


def pair(z: float, p: float, dataset: str) -> list[Row]:
    return [auc(z, "z_mse", dataset), auc(p, "p_mse", dataset)]


def mixed(percent: int, value: float, score: str, system: str = "decoupled") -> Row:
    return auc(value, score, "ped2: all clips", f"tiny, {percent}% anomalous", system=system)


def loss(name: str, value: float, score: str = "z_mse", **other: object) -> Row:
    return auc(value, score, preset=f"tiny joint, {name}", **other)


def ratio(times: float, engine: str) -> Row:
    return auc(times, preset="ped2/tiny", system="latent-auto", metric="ratio", engine=engine)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.says)
def test_nothing_is_said_without_rows(claim):
    assert claim.find([]) is None


def test_z_above_both_pixel_scores_in_each_setting():
    three = [auc(90), auc(80, "p_mse"), auc(95, "r_mse"), auc(99, "r_mse", status="quoted")]
    other = [auc(90, preset="p"), auc(80, "p_mse", preset="p"), auc(70, "r_mse", preset="p")]
    said = found("above P-MSE and R-MSE", *three, *other, auc(99, "r_mse", "avenue"))
    shown = "Z, P, R (paper 95.1, 90.9, 91.3): p 90.0, 80.0, 70.0; tiny 90.0, 80.0, 95.0"
    assert said == Finding(1, 2, shown)


def test_every_frame_rate_counts():
    rows = [*pair(90, 80, "ped2, 1 frame in 1"), *pair(70, 75, "ped2, 1 frame in 2")]
    assert found("every frame rate", *rows) == Finding(1, 2, "by +2.5 on average, -5.0 to +10.0")


def test_only_the_papers_weather_counts():
    rows = [
        *pair(90, 80, "ped2"),
        *pair(70, 60, "ped2, rain=heavy,brightness=0.5"),
        *pair(1, 99, "ped2, fog=0.5"),
    ]
    said = found("in rain", *rows)
    assert said
    assert (said.holds, said.of, said.verdict) == (2, 2, "yes")


def test_speed_is_counted_by_engine():
    said = found("LatentAuto", ratio(113, "torch"), ratio(15.9, "openvino"))
    assert said == Finding(1, 2, "ped2/tiny 113 in torch, 16 in openvino")
    assert said.verdict == "in 1 of 2"


def test_what_anomalies_in_training_cost_is_from_the_least_share_to_the_most():
    rows = [
        *(mixed(0, 90, "z_mse"), mixed(20, 85, "z_mse"), mixed(5, 10, "z_mse")),
        *(mixed(0, 90, "p_mse"), mixed(20, 80, "p_mse"), mixed(5, 10, "p_mse")),
        *(mixed(0, 80, "mem-ae", "mem-ae"), mixed(20, 81, "mem-ae", "mem-ae")),
        *(mixed(0, 95, "fused"), mixed(20, 95, "fused")),  # not the paper's
    ]
    assert found("in training", *rows) == Finding(1, 2, "Z-MSE -5.0; P-MSE -10.0, mem-ae +1.0")
    assert found("in training", *rows[:1]) is None


def test_losses():
    rows = [loss("mse", 90), loss("gdl", 91), loss("ssim", 80), loss("mse+gdl", 100, status="quoted")]
    assert found("MSE alone", *rows) == Finding(1, 2, "mse 90.0; gdl 91.0, ssim 80.0")
    rows = [loss("mse", 80, "r_mse"), loss("mse+gdl", 81, "r_mse"), loss("mse+gdl+ssim", 99, "r_mse")]
    assert found("GDL", *rows) == Finding(1, 1, "mse 80.0, mse+gdl 81.0")
    rows.append(loss("gdl", 79, "r_mse"))
    assert found("GDL", *rows) == Finding(1, 2, "mse 80.0, gdl 79.0, mse 80.0, mse+gdl 81.0")


def test_motion_models():
    rows = [
        loss("conv3d", 90),
        loss("conv-lstm", 90),
        loss("conv3d", 70, "p_mse"),
        loss("conv-lstm", 71, "p_mse"),
    ]
    assert found("no worse", *rows) == Finding(1, 2, "Z 90.0 and 90.0, P 70.0 and 71.0")
    delays = [loss("conv3d", 3, metric="delay_frames"), loss("conv-lstm", 3, metric="delay_frames")]
    assert found("sooner", *delays) == Finding(0, 1, "3 and 3 frames after the start")


def test_new_things_score_higher_than_by_chance():
    rows = [
        auc(score, dataset=f"m: {what} / seen", metric="auc_raw", ci95=ci95)
        for what, score, ci95 in (("8", 49.0, None), ("fast", 99, 2.0), ("square", 75, 30.0))
    ]
    assert found("unseen", *rows) == Finding(1, 3, "AUC 8 49.0, fast 99.0 ± 2.0, square 75.0 ± 30.0")


def test_the_overview_has_them_for_the_results_that_are_there(tmp_path):
    def write(name: str) -> str:
        rows = pair(90, 80, "ped2")
        result = ResultFile(name=name, command="c", settings={}, protocol="p", rows=rows, **describe_run())
        write_result(result, tmp_path, {})
        return write_overview(tmp_path).read_text()

    assert "claims" not in write("fig3-quick")
    page = write("fig3")
    line = "| Fig. 3 | Z-MSE is above P-MSE at every frame rate | yes | 1 | by +10.0 on average"
    assert f"{line}, +10.0 to +10.0 | [fig3](fig3.md) |" in page
    assert "Table 5" not in page


def test_other_settings_count_where_the_claim_is_of_all(tmp_path):
    def write(name: str, r: float, status: str = "measured") -> None:
        rows = [
            auc(value, score, preset=name, status=status)
            for score, value in (("z_mse", 90), ("p_mse", 80), ("r_mse", r))
        ]
        result = ResultFile(name=name, command="c", settings={}, protocol="p", rows=rows, **describe_run())
        write_result(result, tmp_path, {})

    write("ped2", 80)
    write("ped2-width-small", 95)
    write("ped2-quick", 99, "quick")
    assert "on Ped2, Z-MSE is above P-MSE and R-MSE | in 1 of 2 | 1 |" in (tmp_path / "README.md").read_text()
