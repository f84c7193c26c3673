"""The bot's data on disk: its state, guild settings and uploaded articles."""
