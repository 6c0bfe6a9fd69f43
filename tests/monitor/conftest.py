import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # so that tests share servers.py

from missing import skip_or_fail
from servers import S3, PostgreSQL

from latentwatch.errors import MissingPackageError
from latentwatch.experiments.live.servers import Mosquitto


@pytest.fixture
def broker(tmp_path):
    try:
        started = Mosquitto(tmp_path)
    except MissingPackageError as error:
        skip_or_fail(str(error))
    with started:
        yield started


@pytest.fixture
def s3(monkeypatch):
    started = S3(monkeypatch)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def postgresql():
    started = PostgreSQL()
    yield started
    started.stop()
