"""Answers → what people and programs read; pure."""
