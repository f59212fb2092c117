"""What web pages of several services need: the operator's token, rate limits, the check of the origin."""
