import pytest

from latentwatch.monitor.digits import significant


@pytest.mark.parametrize(
    ("value", "shown"),
    [(923.4, "920"), (2391, "2400"), (0.4812, "0.48"), (7200, "7200"), (0, "0"), (1.0, "1"), (12, "12")],
)
def test_no_exponents(value, shown):
    assert significant(value) == shown


def test_more_digits():
    assert significant(2391.4, digits=3) == "2390"
