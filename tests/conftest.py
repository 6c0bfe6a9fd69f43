import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))  # so that tests share clips.py

# A shell starts its background jobs with Ctrl-C ignored, and what tests stop with it would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def units(tmp_path_factory):
    """Gives the file of encoded pictures that the RTSP server is to serve, by codec and size."""
    from encoded import encode

    from latentwatch.experiments.live.rtsp_script import write_units

    folder, made = tmp_path_factory.mktemp("units"), {}

    def make(codec="h264", size=(180, 320)):
        if (codec, size) not in made:
            made[codec, size] = write_units(folder / f"{codec}-{size[0]}", encode(codec, size=size))
        return made[codec, size]

    return make


@pytest.fixture
def rtsp(units):
    """Starts RTSP servers, which end with the test. Skips, or in CI fails, where GStreamer's is not there."""
    from missing import skip_or_fail

    from latentwatch.errors import MissingPackageError
    from latentwatch.experiments.live.servers import RtspServer

    with ExitStack() as servers:

        def start(codec="h264", **options):
            try:
                return servers.enter_context(RtspServer({"live": units(codec)}, codec=codec, **options))
            except MissingPackageError as error:
                return skip_or_fail(str(error))

        yield start


@pytest.fixture
def shared_data():
    """The real footage that lies beside the repository, or in $LATENTWATCH_DATA."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("LATENTWATCH_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no real footage: set LATENTWATCH_DATA or put it at ../shared/data ({folder.name})")
    return folder
