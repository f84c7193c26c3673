"""What the bot keeps on disk: its state, settings of servers and uploaded articles."""
