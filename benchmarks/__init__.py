"""Measurements to be run by hand. None is a test, and no test depends on one."""
