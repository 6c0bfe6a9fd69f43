"""What the files of a result are called."""

import pytest

from latentwatch.cli.reproduce import unlike_default


@pytest.mark.parametrize(
    ("size", "width", "form", "epochs", "named"),
    [
        (None, "tiny", "joint", None, []),
        (None, "paper", "joint", None, ["width-paper"]),
        (None, "tiny", "paper", None, ["form-paper"]),
        (None, "tiny", "joint", 3, ["epochs-3"]),
        ("240x360", "small", "paper,joint", None, ["240x360", "width-small", "form-paper-joint"]),
    ],
)
def test_files_are_named_for_what_is_not_the_default(size, width, form, epochs, named):
    assert unlike_default(size, width, form, epochs) == named
