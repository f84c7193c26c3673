"""An index on a Milvus server instead of in a folder."""
