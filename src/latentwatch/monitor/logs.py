"""What a program that runs for months says: a line an occurrence, for people or as JSON, with no secrets."""

import json
import logging
from datetime import UTC, datetime

from latentwatch.video.address import mask_logs


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the traceback of a fault."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_text or record.exc_info:
            entry["fault"] = record.exc_text or self.formatException(record.exc_info)  # type: ignore[arg-type]
        return json.dumps(entry)


def set_up_logs(*, as_json: bool) -> None:
    """Sends Latentwatch's log to standard error, from INFO on, and of others what is a warning."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        JsonLines() if as_json else logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    )
    mask_logs([handler])
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("latentwatch").setLevel(logging.INFO)
