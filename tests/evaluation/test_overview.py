from latentwatch.evaluation.overview import write_overview
from latentwatch.evaluation.result_file import ResultFile, Row
from latentwatch.evaluation.results import describe_run, write_result


def result(name: str, **row: object) -> ResultFile:
    rows = [Row.model_validate({"preset": "p/small", "dataset": "ped2", "seeds": 2, **row})]
    return ResultFile(
        name=name,
        command="c",
        settings={},
        protocol="p",
        rows=rows,
        remarks=[f"{name} says"],
        **describe_run(),
    )


def test_each_result_is_a_line_with_its_figure_beside_the_papers(tmp_path):
    write_result(
        result("a", score="z_mse", metric="auc_micro", value=90.04, ci95=1.25, paper=95.1), tmp_path, {}
    )
    write_result(result("b", score="fps", metric="fps", value=7, status="quick"), tmp_path, {})
    (tmp_path / "other.json").write_text("{}")
    page = (tmp_path / "README.md").read_text()
    assert (
        "| [a](a.md) | p/small, 2 seeds, measured | p/small, z_mse, auc_micro: 90.0 ± 1.2 (paper 95.1) |"
        in page
    )
    assert "| [b](b.md) | p/small, 2 seeds, quick |  |" in page
    assert "other" not in page
    assert page.index("a says") < page.index("b says")


def test_it_is_the_same_when_made_again(tmp_path):
    write_result(result("a", score="z_mse", metric="auc_micro", value=90, paper=95.1), tmp_path, {})
    before = (tmp_path / "README.md").read_text()
    assert write_overview(tmp_path).read_text() == before


def test_a_page_of_the_users_own_is_left_alone(tmp_path):
    (tmp_path / "README.md").write_text("# My house\n")
    write_result(result("a", score="z_mse", metric="auc_micro", value=90), tmp_path, {})
    assert (tmp_path / "README.md").read_text() == "# My house\n"


def test_a_long_cell_is_cut_and_says_so(tmp_path):
    long = result("a", score="z_mse", metric="auc_micro", value=90, paper=95.1)
    rows = [long.rows[0].model_copy(update={"preset": f"p{i}"}) for i in range(8)]
    write_result(long.model_copy(update={"rows": rows}), tmp_path, {})
    (line,) = (line for line in (tmp_path / "README.md").read_text().splitlines() if "[a]" in line)
    assert line.count("and 2 more on its page") == 2
    assert "p5, z_mse" in line
    assert "p6, z_mse" not in line
