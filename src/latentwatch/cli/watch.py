"""`latentwatch watch`."""

from pathlib import Path
from typing import Annotated

import typer

from latentwatch.cli.options import EngineChoice, let_idle_threads_sleep, needs_extra


def watch(
    settings: Annotated[
        Path, typer.Argument(help="Settings file (YAML), see docs/watching.md.", show_default=False)
    ],
    engine: EngineChoice = "auto",
    json_logs: Annotated[bool, typer.Option("--json-logs", help="One JSON object a line.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only look for mistakes in the settings file.")
    ] = False,
) -> None:
    """Watch cameras: record what is unusual, and tell of it, until Ctrl-C or SIGTERM.

    A change of the settings file, or of a model, takes effect while it runs; SIGHUP reads the file at once.

    Example: latentwatch watch cameras.yaml
    """
    import signal
    import threading

    let_idle_threads_sleep()
    with needs_extra("monitor"):
        from latentwatch.monitor.settings_file import load_settings

    loaded = load_settings(settings)
    if check:
        with needs_extra("monitor"):
            from latentwatch.monitor.addresses import check_addresses

        check_addresses(loaded)
        print(f"{settings}: {len(loaded.cameras)} cameras, {len(loaded.notify)} channels; no mistakes found")
        return
    with needs_extra("monitor"):
        from latentwatch.monitor.logs import set_up_logs
        from latentwatch.monitor.reload import Reload
        from latentwatch.monitor.watch import watch as watch_all
    set_up_logs(as_json=json_logs)
    stop, again = threading.Event(), threading.Event()
    signal.signal(signal.SIGHUP, lambda *_: again.set())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    watch_all(loaded, stop, engine=engine, reload=Reload(settings, again))
