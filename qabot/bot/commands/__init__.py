"""The bot's commands, with the buttons and views that belong to them."""
