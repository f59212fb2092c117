"""What several tests and the benchmarks use: servers, cameras, browsers, generated input."""
