"""Measurements, run by hand: none of them is a test, and no test depends on one."""
