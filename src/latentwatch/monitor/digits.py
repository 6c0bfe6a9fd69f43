"""Numbers as a person reads them."""


def significant(value: float, digits: int = 2) -> str:
    """`value` with so many significant digits and no exponent: 920 rather than 9.2e+02."""
    return f"{float(f'{value:.{digits}g}'):.15g}"


def alarms_a_day(budget: float) -> str:
    """A budget in words: "2 false alarms a day"."""
    return f"{budget:g} false alarm{'s' * (budget != 1)} a day"
