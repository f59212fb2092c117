"""SIMULATED: a stand-in for Spotify's Accounts service and Web API, for tests and for ``moodstream run --demo``.

It plays nothing. It speaks the calls that the player makes, as Spotify's published description has them, and fails in
the ways that Spotify fails. It is an app of its own: served alone on loopback, or mounted below an address.
"""
