"""What is generated from the contracts or decided by them: schemas, rights in Redis, recordings, simulated visitors."""
