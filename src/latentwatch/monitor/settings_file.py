"""Reads a settings file; a mistake in it gives one line that says where and what is allowed."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from latentwatch.errors import UsageError
from latentwatch.monitor.references import resolve
from latentwatch.monitor.settings import KINDS, Camera, Http, Keep, Privacy, Settings
from latentwatch.video.address import mask

_PARTS: dict[tuple[str, ...], type] = {
    (): Settings,
    ("cameras", "*"): Camera,
    ("http",): Http,
    ("keep",): Keep,
    ("privacy",): Privacy,
}

_LOOKED_UP_LATER = ("privacy", "keys")


def load_settings(path: Path) -> Settings:
    """The settings in a YAML file, `${...}` resolved, relative paths taken from the file's folder.

    Raises `UsageError`, naming the file, the line, the key and what is allowed.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise UsageError(f"{path}: cannot be read: {reason}") from error
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise UsageError(f"{path}{line}: not valid YAML: {getattr(error, 'problem', error)}") from error
    reader = _Reader(path)
    contents = reader.value(root, ()) if root else {}
    try:
        return Settings.model_validate(contents).below(path.parent)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise reader.mistake(first["loc"], _reason(first)) from error


class _Reader:
    """Turns YAML's nodes into values, and remembers the line of each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: dict[tuple[str | int, ...], int] = {}

    def value(self, node: yaml.Node, place: tuple[str | int, ...]) -> Any:
        self._lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            made: dict[str, Any] = {}
            for key_node, value_node in node.value:
                key = str(key_node.value)
                self._lines[(*place, key)] = key_node.start_mark.line + 1
                if key in made:
                    raise self.mistake((*place, key), "is there twice; names must differ")
                made[key] = self.value(value_node, (*place, key))
            return made
        if isinstance(node, yaml.SequenceNode):
            return [self.value(each, (*place, index)) for index, each in enumerate(node.value)]
        made = yaml.SafeLoader("").construct_object(node)
        if not isinstance(made, str) or place[:2] == _LOOKED_UP_LATER:
            return made
        try:
            return resolve(made)
        except ValueError as error:
            raise self.mistake(place, str(error)) from error

    def mistake(self, place: tuple[str | int, ...], reason: str) -> UsageError:
        """An error at a place, or at the nearest one above it that the file has."""
        # pydantic names the kind of a channel in the place; the file does not.
        place = tuple(
            part
            for index, part in enumerate(place)
            if not (index == 2 and place[0] == "notify" and part in KINDS and place not in self._lines)
        )
        known = place
        while known not in self._lines and known:
            known = known[:-1]
        name = ".".join(str(part) for part in place)
        return UsageError(
            f"{self._path}, line {self._lines.get(known, 1)}: {name}{': ' if name else ''}{mask(reason)}"
        )


def _reason(error: Any) -> str:
    place = error["loc"]
    if error["type"] == "extra_forbidden":
        return f"no such key; known are {', '.join(_fields_beside(place))}"
    if error["type"] == "missing":
        return "is missing"
    if place[:1] == ("cameras",) and place[-1] == "[key]":
        return "a name has small letters, digits, - and _ alone, and 63 of them at most"
    message: str = error["msg"].removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _fields_beside(place: tuple[str | int, ...]) -> list[str]:
    if place[0] == "notify":
        return list(KINDS[str(place[2])].model_fields)
    above = place[:-1]
    key = ("cameras", "*") if above[:1] == ("cameras",) else above
    return list(_PARTS[key].model_fields)  # type: ignore[index,attr-defined]
