"""``python -m qabot``: the command, where its script is not on the path."""

from qabot.cli import main

main()
