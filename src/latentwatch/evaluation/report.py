"""A report that is one HTML file: it opens anywhere, with no server and no internet."""

import base64
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, PackageLoader, select_autoescape


@dataclass(frozen=True)
class Picture:
    """A PNG or JPEG file to be put into the report, and what it shows."""

    file: Path
    caption: str

    @property
    def source(self) -> str:
        """The picture as a data URL."""
        kind = "jpeg" if self.file.suffix in (".jpg", ".jpeg") else "png"
        return f"data:image/{kind};base64,{base64.b64encode(self.file.read_bytes()).decode()}"


@dataclass(frozen=True)
class Report:
    """What a report says.

    headlines: a few (figure, what it is). facts: (name, value) for the table at the end. video: a file beside
    the report, linked, not put into it.
    """

    title: str
    summary: str
    headlines: list[tuple[str, str]]
    pictures: list[Picture]
    facts: list[tuple[str, str]] = field(default_factory=list)
    video: str | None = None


def write_report(report: Report, path: Path) -> None:
    """Writes `report` to the HTML file `path`. Raises `OSError` where it cannot be written."""
    environment = Environment(
        loader=PackageLoader("latentwatch.evaluation"), autoescape=select_autoescape(), trim_blocks=True
    )
    path.write_text(environment.get_template("report.html").render(report=report))
