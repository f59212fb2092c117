"""Contracts and plumbing that every service shares; knows no service."""
