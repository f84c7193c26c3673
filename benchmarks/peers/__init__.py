"""Alternatives to qabot, each set up as its own documentation says.

Each module is a program for ``benchmarks.harness``, run in an environment of its own.
"""
