"""Names of the packaged model's network files, in a module that does not import onnx."""

GRAPH = "model_qint8.onnx"
# The word embeddings: int4, two in a byte, and the float32 scale of each block of 32.
WORDS, SCALES = f"{GRAPH}_words", f"{GRAPH}_scales"
DATA = f"{GRAPH}_data"
