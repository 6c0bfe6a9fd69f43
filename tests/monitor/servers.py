"""Real servers that tests start for themselves; without one a test skips (fails with LATENTWATCH_NO_SKIP)."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from missing import skip_or_fail

from latentwatch.experiments.live.servers import free_port


def need(name, *places):
    """The path of a program that Debian has, from $PATH or one of `places`."""
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", *places]))
    if found:
        return found
    return skip_or_fail(f"{name} is not installed (apt-get install {name})")


def wait_for(condition, seconds=240):
    """What `condition` gives as soon as it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s")


class S3:
    """moto's server, with one bucket; what is in it outlives `stop`."""

    def __init__(self, monkeypatch):
        import s3fs

        self.port = free_port()
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{self.port}")
        self.start()
        bucket = f"events-{self.port}"
        s3fs.S3FileSystem(skip_instance_cache=True).mkdir(bucket)
        self.url = f"s3://{bucket}/clips"

    def start(self):
        from moto.server import ThreadedMotoServer

        self._server = ThreadedMotoServer("127.0.0.1", self.port, verbose=False)
        self._server.start()

    def stop(self):
        self._server.stop()


class PostgreSQL:
    """A server of its own in a folder, with one database."""

    def __init__(self):
        versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        initdb = need("initdb", *map(str, versions[-1:]))
        self.port = free_port()
        self.url = f"postgresql://tester@127.0.0.1:{self.port}/postgres"
        self._ctl = Path(initdb).resolve().with_name("pg_ctl")
        # Not below pytest's folder, which only its owner may enter: PostgreSQL does not run as root.
        self._folder = Path(tempfile.mkdtemp(prefix="latentwatch-postgresql-"))
        self._data = self._folder / "data"
        self._as = []
        if os.geteuid() == 0:
            shutil.chown(self._folder, "nobody")
            self._as = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        self._run(initdb, "-D", self._data, "-U", "tester", "-A", "trust", "--no-sync")
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self._run(self._ctl, "-D", self._data, "-o", options, "-l", self._folder / "log", "-w", "start")

    def stop(self):
        self._run(self._ctl, "-D", self._data, "-m", "immediate", "stop")
        shutil.rmtree(self._folder)

    def _run(self, *words):
        done = subprocess.run(
            [*self._as, *map(str, words)], capture_output=True, text=True, check=False, cwd="/"
        )
        assert done.returncode == 0, done.stdout + done.stderr
