import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # so that tests share servers.py

from servers import Mosquitto, PostgreSQL


@pytest.fixture
def broker(tmp_path):
    started = Mosquitto(tmp_path)
    started.start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory):
    started = PostgreSQL(tmp_path_factory.mktemp("postgresql"))
    yield started
    started.stop()
