"""``python -m benchmarks``: speed and memory. Retrieval needs data: ``benchmarks.retrieval``."""

from benchmarks.speed import main

main()
