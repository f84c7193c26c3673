"""What people would use instead of qabot, each set up as its own documentation does.

Each module is a program for ``benchmarks.harness``, run in an environment of its own.
"""
