"""Contracts and plumbing that every service shares; knows no service."""

__version__ = "0.1.0"
