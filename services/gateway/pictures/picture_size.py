"""How many pixels a JPEG claims to have, from its header alone. Pure."""

START, END_OF_IMAGE, START_OF_SCAN = 0xD8, 0xD9, 0xDA
_SIZES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""Markers of frame headers, which tell the size."""
_ALONE = {0x01, *range(0xD0, 0xD8)}
"""Markers without anything behind them."""
MAX_SEGMENTS = 200


def pixels_of(jpeg: bytes) -> int | None:
    """Width times height; None where the header does not say, so that it is no JPEG that anybody could read."""
    place = 2
    for _ in range(MAX_SEGMENTS):
        while place < len(jpeg) and jpeg[place] == 0xFF and jpeg[place + 1 : place + 2] == b"\xff":
            place += 1  # fill bytes
        if place + 4 > len(jpeg) or jpeg[place] != 0xFF:
            return None
        marker = jpeg[place + 1]
        if marker in _ALONE:
            place += 2
            continue
        if marker in (START_OF_SCAN, END_OF_IMAGE):
            return None
        length = int.from_bytes(jpeg[place + 2 : place + 4], "big")
        if marker in _SIZES:
            height, width = (int.from_bytes(jpeg[place + at : place + at + 2], "big") for at in (5, 7))
            return width * height if width and height and place + 9 <= len(jpeg) else None
        if length < 2:
            return None
        place += 2 + length
    return None
