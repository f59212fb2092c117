"""What other programs may rely on: events, requests, streams, moods. Needs pydantic and nothing else."""
