"""Render answers, articles and rebuilds for people and programs."""
