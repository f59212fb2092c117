"""Songs in PostgreSQL with pgvector, for catalogues that one process cannot hold and recommenders that share one."""
