"""Mood events to other worlds: MQTT and Home Assistant, OSC, webhooks."""
