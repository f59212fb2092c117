"""What the owner sets on the operator's page: one file for all services, and who has changed what."""
