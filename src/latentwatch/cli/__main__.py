"""`python -m latentwatch.cli`."""

from latentwatch.cli.main import main

main()
