"""The bytes of a text file as UTF-8, whatever program wrote them."""

import codecs

from moodstream.errors import MoodstreamError

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins like UTF-16's, so it is asked first
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
PROBE = 4_096
"""bytes from the start that show what a file is"""

UNDEFINED = frozenset({0x81, 0x8D, 0x8F, 0x90, 0x9D})
"""bytes that mean nothing in Windows-1252"""
LONE_BYTES = {0xDC00 + byte: bytes([byte]).decode("cp1252") for byte in range(0x80, 0x100) if byte not in UNDEFINED}
"""by the sign that ``surrogateescape`` leaves for a byte that is no UTF-8"""


def to_utf8(raw: bytes, encoding: str | None = None) -> tuple[bytes, tuple[str, ...]]:
    """UTF-8 without a byte order mark, and what a person should know about it.

    UTF-8, UTF-16 and UTF-32 are known by their marks or by their zeros; single bytes that are no UTF-8 are read as
    Windows-1252, as Excel writes them. ``encoding`` is any name that Python knows, and then counts alone.
    Raises MoodstreamError for what is no text, or in an encoding that cannot be told.
    """
    for mark, name in BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            raw = raw[len(mark) :]
            encoding = encoding or name
            break
    encoding = encoding or _by_zeros(raw)
    if encoding not in (None, "utf-8"):
        return _decoded(raw, encoding), (f"its text is in {encoding}",)
    _refuse_binary(raw)
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return _mended(raw)
    return raw, ()


def _decoded(raw: bytes, encoding: str) -> bytes:
    try:
        return raw.decode(encoding).removeprefix("\ufeff").encode("utf-8")
    except LookupError:
        raise MoodstreamError(f"there is no encoding {encoding!r}: try utf-8, cp1252, cp1251, shift_jis") from None
    except UnicodeError as error:
        raise MoodstreamError(f"it is not text in {encoding} ({getattr(error, 'reason', error)})") from None


def _by_zeros(raw: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of plain letters is 0."""
    probe = raw[:PROBE]
    even, odd = probe[::2].count(0), probe[1::2].count(0)
    half = max(1, len(probe) // 2)
    if odd > 0.4 * half and even < 0.1 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 * half and odd < 0.1 * half else None


def _refuse_binary(raw: bytes) -> None:
    probe = raw[:PROBE]
    control = sum(byte < 0x20 and byte not in b"\t\n\v\f\r\x1a" for byte in probe)
    if b"\0" in probe or control > 0.02 * len(probe):
        raise MoodstreamError("it is not a table: use CSV, JSON lines, parquet or an Excel workbook")


def _mended(raw: bytes) -> tuple[bytes, tuple[str, ...]]:
    text = raw.decode("utf-8", errors="surrogateescape")
    mended = text.translate(LONE_BYTES)
    if any("\udc80" <= sign <= "\udcff" for sign in mended):
        raise MoodstreamError(
            "its text is neither UTF-8, UTF-16 nor Windows-1252: save it as UTF-8, or name it with --encoding, "
            "for example --encoding shift_jis"
        )
    first = next(at for at, sign in enumerate(text) if "\udc80" <= sign <= "\udcff")
    word = mended[max(0, first - 12) : first + 12].replace("\n", " ").replace("\r", " ")
    return mended.encode("utf-8"), (
        f"it is not all UTF-8: the rest was read as Windows-1252, for example “{word.strip()}” "
        "(wrong? name the encoding with --encoding)",
    )
