"""Rebuilds in the bot: at a manager's request, and automatic ones."""
