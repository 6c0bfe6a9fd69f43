"""`latentwatch info`."""

from latentwatch.bundle.bundle import load_bundle
from latentwatch.cli.options import Model


def info(model: Model) -> None:
    """Say what a model file holds, after verifying it.

    Example: latentwatch info front-door.lw
    """
    network, description = load_bundle(model)
    print(description.model_dump_json(indent=2))
    channels, height, width = description.architecture.code_shape
    parameters = sum(weight.numel() for weight in network.parameters())
    print(f"{parameters:,} parameters; latent code {channels}x{height}x{width}; checksum verified")
