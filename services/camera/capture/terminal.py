"""Shows a picture in the terminal, two pixels per character; nothing is written to a file."""

from services.camera.capture.opencv import cv2
from services.camera.capture.picture import decode

_HALF, _END = "\u2580", "\x1b[0m"


def draw_lines(jpeg: bytes, columns: int, *, colour: bool) -> list[str]:
    """Lines of half blocks in 24-bit colour, or without colour of plain characters from dark to light."""
    image = decode(jpeg)
    if image is None:
        return []
    rows = max(2, round(columns * image.shape[0] / image.shape[1] / 2) * 2)
    small = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA)
    if not colour:
        grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)[::2]
        return ["".join(" .:-=+*#%@"[int(level) * 10 // 256] for level in row) for row in grey]
    lines = []
    for upper, lower in zip(small[::2], small[1::2], strict=True):
        cells = (
            f"\x1b[38;2;{a[2]};{a[1]};{a[0]}m\x1b[48;2;{b[2]};{b[1]};{b[0]}m{_HALF}"
            for a, b in zip(upper.tolist(), lower.tolist(), strict=True)
        )
        lines.append("".join(cells) + _END)
    return lines
