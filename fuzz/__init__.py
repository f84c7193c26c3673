"""What comes from outside, changed at random until something gives: ``python -m fuzz``.

Each target takes bytes, hands them to one of qabot's parsers as what it reads, and asserts what has
to hold of all input: errors of qabot's own only, on one line; output of bounded size; offsets that
point at what they say. Atheris changes the bytes, led by the branches that they take; the tests run
the same targets without it.
"""
