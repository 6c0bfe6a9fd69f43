"""Plans of small experiments."""

from clips import SMALL

from latentwatch.experiments.seeds import Plan
from latentwatch.training.settings import FORMS, TrainingSettings


def plan(folder, **changes):
    results = folder / "results"
    results.mkdir(parents=True, exist_ok=True)
    values = {
        "name": "ped2",
        "data": folder / "data",
        "architecture": SMALL,
        "preset": "ped2/test",
        "forms": {
            "fast": TrainingSettings(epochs=2),
            "paper": FORMS["paper"].model_copy(update={"epochs": 2}),
        },
        "seeds": 2,
        "command": "latentwatch reproduce ped2",
        "compiled": False,
        "runs": folder / "runs",
        "results": results,
        "say": lambda _: None,
    }
    return Plan(**values | changes)
