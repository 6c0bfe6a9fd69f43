"""Table 3: frames a second of ours and of the systems that the paper compares with, in the paper's form."""

import time
from pathlib import Path

from latentwatch.evaluation.result_file import ResultFile
from latentwatch.evaluation.results import describe_run, make_folder, write_page
from latentwatch.experiments.experiment import Experiment, Work
from latentwatch.experiments.seeds import Plan
from latentwatch.experiments.speed.bench import full_plan, measure_race, quick_plan, race_protocol
from latentwatch.experiments.speed.measured import NAMES, Measured
from latentwatch.experiments.speed.page import plot_speed, table3, table3_ratios
from latentwatch.experiments.speed.rows import speed_rows
from latentwatch.experiments.speed.systems import OURS, use_threads


def reproduce_table3(plan: Plan) -> Path:
    """Races the systems of Table 3 as `latentwatch bench` does, on all cores; writes the page and gives it.

    Nothing is trained: seeds and form do not matter. Raises `MissingPackageError` without openvino.
    """
    make_folder(plan.results)
    width = plan.preset.partition("/")[2]
    asked = (quick_plan if plan.quick else full_plan)(
        plan.results,
        plan.command,
        only="race",
        widths=tuple(dict.fromkeys(("paper", width))),  # the paper's own width too, beside its own ratios
        systems=tuple(system for system in NAMES if system != OURS),
        memory=False,
        threads=None,
    )
    threads = use_threads(None)
    measured = Measured()
    began = time.monotonic()

    def tell(section: str, done: int, total: int) -> None:
        # The rounds take nearly all of the time; ten lines of them are enough.
        if section != "race":
            plan.say(f"{section}: {done + 1} of {total}")
        elif done % max(total // 10, 1) == 0:
            left = (time.monotonic() - began) / done * (total - done)
            plan.say(f"{section}: {done} of {total} turns, about {left:.0f} s left")

    measure_race(asked, measured, tell)
    plot_speed(measured, plan.results / f"{plan.name}.png")
    result = ResultFile(
        name=plan.name,
        command=plan.command,
        protocol=(
            f"{race_protocol(asked)}; ShanghaiTech has Avenue's line of Table 1 and gets its figures; the "
            "paper's figures (quoted) are from another machine, with a GPU: only ratios compare"
        ),
        settings={"threads": threads, "rounds": measured.race.rounds, "seconds": asked.seconds},
        rows=speed_rows(measured, plan.status),
        **describe_run(),
    )
    shown = [table3(measured, width), table3_ratios(measured, width)]
    lines = [line for table in shown for line in table.markdown()]
    plots = {f"{plan.name}.png": "Frames a second: medians of the rounds, whiskers at the quartiles."}
    return write_page(result, plan.results, plots, [*lines, "## All figures", ""])


TABLE3 = Experiment(
    name="table3",
    paper="Table 3",
    about="frames a second: ours, ConvAE, FFP+MC, LatentAuto (in short: see bench)",
    dataset=None,
    preset="ped2",
    work=Work(trained=0, scored=3000),  # no training: about as long as scoring so many frames takes
    quick_work=Work(trained=0, scored=600),
    run=reproduce_table3,
)
