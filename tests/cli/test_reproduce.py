"""What the files of a result are called."""

import pytest

from latentwatch.cli.reproduce import unlike_default


@pytest.mark.parametrize(
    ("size", "width", "form", "named"),
    [
        (None, "tiny", "joint", []),
        (None, "paper", "joint", ["width-paper"]),
        (None, "tiny", "paper", ["form-paper"]),
        ("240x360", "small", "paper,joint", ["240x360", "width-small", "form-paper-joint"]),
    ],
)
def test_files_are_named_for_what_is_not_the_default(size, width, form, named):
    assert unlike_default(size, width, form) == named
