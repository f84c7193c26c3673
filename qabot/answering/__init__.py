"""Answer a question: retrieve passages, read them, quote the ones that answer."""
