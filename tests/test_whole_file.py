import pytest

from latentwatch.whole_file import whole_file


def test_it_takes_its_name_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "file.json"
    with whole_file(path) as part:
        part.write_text("first")
        assert not path.exists()
    with whole_file(path) as part:
        part.write_text("second")
        assert path.read_text() == "first"
    assert path.read_text() == "second"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_after_an_error_all_is_as_before(tmp_path, error):
    path = tmp_path / "file.json"
    path.write_text("before")

    def fail():
        with whole_file(path) as part:
            part.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_made_is_said_by_its_own_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError), whole_file(tmp_path / "file" / "under" / "it"):
        pytest.fail("there is nothing to write to")
