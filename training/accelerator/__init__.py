"""Teachers and pupils within ten minutes of one accelerator that can fetch nothing."""
