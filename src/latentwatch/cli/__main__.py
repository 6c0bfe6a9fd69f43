"""`python -m latentwatch.cli`."""

from latentwatch.cli.entry import main

if __name__ == "__main__":  # a spawned process (the bench measures memory in some) imports this module too
    main()
