"""Rebuilds that the bot runs: on request and by themselves."""
