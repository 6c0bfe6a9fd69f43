"""The JSON of a measured result (DESIGN.md, "Results that anyone can check")."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Row(BaseModel):
    """One figure. AUC and EER in percent; `paper` is the paper's own figure where it has one.

    engine: what ran the networks, where that matters. quartiles: lower and upper, over rounds.
    """

    model_config = ConfigDict(extra="forbid")

    system: str = "decoupled"
    preset: str
    dataset: str
    score: str
    metric: str
    value: float
    ci95: float | None = None
    engine: str | None = None
    quartiles: tuple[float, float] | None = None
    seeds: int
    minutes_per_seed: float | None = None
    paper: float | None = None
    status: Literal["measured", "quick", "quoted"] = "measured"


class ResultFile(BaseModel):
    """The contents of `docs/results/NAME.json`. remarks: what the rows say in words, made from them."""

    model_config = ConfigDict(extra="forbid")

    name: str
    command: str
    version: str
    commit: str
    date: str
    machine: str
    settings: dict[str, str | int | float | bool]
    protocol: str
    rows: list[Row]
    remarks: list[str] = []
