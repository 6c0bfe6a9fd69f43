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

_MERGE = "tag:yaml.org,2002:merge"
"""YAML's `<<`: what several cameras have in common."""

_EXPECTED = {
    "model_type": "expected keys with values below it",
    "dict_type": "expected keys with values below it",
    "list_type": "expected a list, such as [a, b]",
    "tuple_type": "expected a point [x, y]",
    "string_type": "expected text; put it in quotes",
    "string_pattern_mismatch": "expected text without spaces, # and +",
}
"""What pydantic says in the words of Python."""


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
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be understood"
        raise UsageError(f"{path}{line}: not valid YAML: {reason}") from error
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
        self._within: list[yaml.Node] = []

    def value(self, node: yaml.Node, place: tuple[str | int, ...]) -> Any:
        self._lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, place)
        if any(node is each for each in self._within):
            raise self.mistake(place, "refers to itself")
        self._within.append(node)
        made: Any
        if isinstance(node, yaml.MappingNode):
            made = self._mapping(node, place)
        else:
            made = [self.value(each, (*place, index)) for index, each in enumerate(node.value)]
        self._within.pop()
        return made

    def _mapping(self, node: yaml.MappingNode, place: tuple[str | int, ...]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        shared: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                given = self.value(value_node, place)
                for each in given if isinstance(given, list) else [given]:
                    if not isinstance(each, dict):
                        raise self.mistake(place, "<<: expected keys with values, such as *another_camera")
                    shared = {**each, **shared}
                continue
            key = str(key_node.value)
            self._lines[(*place, key)] = key_node.start_mark.line + 1
            if key in made:
                raise self.mistake((*place, key), "is there twice; names must differ")
            made[key] = self.value(value_node, (*place, key))
        return {**shared, **made}

    def _scalar(self, node: yaml.ScalarNode, place: tuple[str | int, ...]) -> Any:
        try:
            made = yaml.SafeLoader("").construct_object(node)
        except (yaml.YAMLError, ValueError) as error:  # an unknown !tag, the 99th of a month
            raise self.mistake(place, "cannot be understood; put it in quotes") from error
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
        name = ".".join(str(part) for part in place if part != "[key]")
        return UsageError(
            f"{self._path}, line {self._lines.get(known, 1)}: {name}{': ' if name else ''}{mask(reason)}"
        )


def _reason(error: Any) -> str:
    place = error["loc"]
    if error["type"] == "extra_forbidden":
        return f"no such key; known are {', '.join(_fields_beside(place))}"
    if error["type"] == "missing":
        return "is missing"
    if place and place[-1] == "[key]":
        return "a name has small letters, digits, - and _ alone, and 63 of them at most"
    if error["type"] in _EXPECTED:
        return _EXPECTED[error["type"]]
    message: str = error["msg"].removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _fields_beside(place: tuple[str | int, ...]) -> list[str]:
    if place[0] == "notify":
        return list(KINDS[str(place[2])].model_fields)
    above = place[:-1]
    key = ("cameras", "*") if above[:1] == ("cameras",) else above
    return list(_PARTS[key].model_fields)  # type: ignore[index,attr-defined]
