"""Tables that quote in other ways than CSV: with single quotes, backslashes, or a space before each quote."""

import csv
import io
import re


def plainly_quoted(data: bytes, head: str, separator: str) -> bytes:
    """The same table as CSV quotes it; what is quoted so already, or cannot be read so, is left as it is.

    ``head`` is the beginning of ``data``, which is UTF-8.
    """
    between = re.escape(separator)
    single = _is_single(head, separator)
    spaced = bool(re.search(rf'{between} +"', head)) and not re.search(rf'{between}"', head)
    # A backslash before a quote within a cell; behind it neither a separator nor the end of the line.
    escaped = bool(re.search(rf'\\"(?!{between}|\r|\n|$)', head)) and not re.search(
        rf'[^{between}\r\n]""[^{between}\r\n]', head
    )
    if not (single or spaced or escaped):
        return data
    out = io.StringIO()
    try:
        rows = csv.reader(
            io.StringIO(data.decode("utf-8"), newline=""),
            delimiter=separator,
            quotechar="'" if single else '"',
            escapechar="\\" if escaped else None,
            skipinitialspace=spaced,
        )
        csv.writer(out, delimiter=separator, lineterminator="\n").writerows(rows)
    except csv.Error:
        return data
    return out.getvalue().encode()


def _is_single(head: str, separator: str) -> bool:
    """Whether all headings stand in single quotes."""
    headings = head.strip().partition("\n")[0].strip().split(separator)
    return len(headings) > 2 and all(len(one) > 2 and one[0] == one[-1] == "'" for one in map(str.strip, headings))
