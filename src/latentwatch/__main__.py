"""`python -m latentwatch`."""

from latentwatch.cli.entry import main

if __name__ == "__main__":  # as in `latentwatch.cli.__main__`
    main()
