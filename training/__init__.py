"""How the reader that qabot ships is trained; run by hand, see ``training/README.md``."""
