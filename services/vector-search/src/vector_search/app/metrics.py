"""What this service measures; each is declared here and nowhere else."""

from kit.metrics import counter, gauge, histogram

MILLISECONDS = (0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

SEARCH_SECONDS = histogram(
    "vector_search_seconds", "Seconds of a search without embedding its query.", buckets=MILLISECONDS
)
EMBED_SECONDS = histogram("vector_embed_seconds", "Seconds of embedding one slice of texts.", buckets=MILLISECONDS)
VECTORS_IN_MEMORY = gauge("vectors_in_memory", "Vectors held in memory for searching.")
VECTOR_BYTES_IN_MEMORY = gauge("vector_bytes_in_memory", "Bytes of the vectors and texts held in memory.")
PERSON_LOADS = counter("vector_person_loads_total", "Times a person's vectors were read from the store.")
TEXTS_WRITTEN = counter("vector_texts_written_total", "Texts embedded and stored.")
TEXTS_DELETED = counter("vector_texts_deleted_total", "Texts deleted from the index.")
INDEX_COMPLETE = gauge("vector_index_complete", "1 when the index holds what coaching has, 0 until the first rebuild.")
