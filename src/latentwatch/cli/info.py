"""`latentwatch info`."""

from latentwatch.cli.options import Model


def info(model: Model) -> None:
    """Say what a model file holds, after verifying it.

    Example: latentwatch info front-door.lw
    """
    from latentwatch.bundle.bundle import load_bundle
    from latentwatch.bundle.file import system_of
    from latentwatch.scoring.baseline import load_baseline

    if system_of(model) == "decoupled":
        network, description = load_bundle(model)
        print(description.model_dump_json(indent=2))
        channels, height, width = description.architecture.code_shape
        parameters = sum(weight.numel() for weight in network.parameters())
        print(f"{parameters:,} parameters; latent code {channels}x{height}x{width}; checksum verified")
    else:
        scorer, facts = load_baseline(model)
        print(facts.model_dump_json(indent=2))
        parameters = sum(weight.numel() for weight in scorer.parameters())
        print(f"{parameters:,} parameters; reads {scorer.clip_length} frames; checksum verified")
