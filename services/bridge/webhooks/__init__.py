"""Webhooks: receivers, queues, signed requests."""
