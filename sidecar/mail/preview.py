"""A letter on disk, to be looked at before anybody gets it."""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path

from sidecar.errors import Permanent
from sidecar.mail.chromium import Sheet
from sidecar.mail.links import PREFIX
from sidecar.mail.render import Rendered

WIDTHS = (600, 360)
"""In CSS pixels: a mail on a desk, and on a small phone."""


def dead(public_url: str, names: Iterable[str]) -> dict[str, str]:
    """
    Give addresses to buttons that look as they will and open nothing.

    A link lets in whoever has it. What stands here was signed by nobody, and the page
    behind it says that it is no link of ours.
    """
    return dict.fromkeys(names, f"{public_url}{PREFIX}preview")


def write(rendered: Rendered, folder: Path, name: str) -> list[Path]:
    """
    Write a letter's parts as ``<name>.html`` and ``<name>.txt``.

    They may tell of real people: only who runs the command can read them.

    Raises:
        Permanent: the folder cannot be written to.
    """
    text = f"Subject: {rendered.subject}\n\n{rendered.text}"
    parts = {"html": _shown(rendered), "txt": text}
    return [
        _put(folder / f"{name}.{ending}", said.encode())
        for ending, said in parts.items()
    ]


def draw(rendered: Rendered, folder: Path, name: str, on: Sheet) -> Iterator[Path]:
    """
    Draw a letter at each of ``WIDTHS``, in light and in dark colours.

    Raises:
        Permanent: Chromium fails, or the folder cannot be written to.
    """
    for width in WIDTHS:
        for dark in (False, True):
            on.show(_shown(rendered), width=width, dark=dark)
            shade = "dark" if dark else "light"
            yield _put(folder / f"{name}.{width}.{shade}.png", on.picture())


def _shown(rendered: Rendered) -> str:
    """Give the page with its pictures in it: here is no mail beside it."""
    page = rendered.html
    for image in rendered.images:
        data = b64encode(image.png).decode()
        page = page.replace(f"cid:{image.content_id}", f"data:image/png;base64,{data}")
    return page


def _put(path: Path, data: bytes) -> Path:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(data)
    except OSError as exc:
        raise Permanent(f"{path} cannot be written: {exc.strerror}") from exc
    return path
