"""The page of the experiment: rows, words and a plot, made of all parts that have been measured."""
