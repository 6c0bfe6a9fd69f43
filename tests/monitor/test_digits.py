import pytest

from latentwatch.monitor.digits import alarms_a_day, significant


@pytest.mark.parametrize(
    ("value", "shown"),
    [(923.4, "920"), (2391, "2400"), (0.4812, "0.48"), (7200, "7200"), (0, "0"), (1.0, "1"), (12, "12")],
)
def test_no_exponents(value, shown):
    assert significant(value) == shown


def test_more_digits():
    assert significant(2391.4, digits=3) == "2390"


def test_one_is_not_many():
    assert [alarms_a_day(each) for each in (0.5, 1, 24)] == [
        "0.5 false alarms a day",
        "1 false alarm a day",
        "24 false alarms a day",
    ]
