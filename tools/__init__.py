"""Scripts that draw the pictures in docs/; run by hand."""
