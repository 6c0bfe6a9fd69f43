import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # so that tests share servers.py

from servers import S3, Mosquitto, PostgreSQL


@pytest.fixture
def broker(tmp_path):
    started = Mosquitto(tmp_path)
    started.start()
    yield started
    started.stop()


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
