"""Mails as Chromium lays them out: on a desk and a phone, by day and by night.

The pictures are kept in ``build/mail-pictures``, for people to look at.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import html
from mails import ALL, kinds, letter

from sidecar.mail import chromium, preview
from sidecar.mail.chromium import Sheet

PICTURES = Path(__file__).parents[2] / "build/mail-pictures"
THUMB = 44
"""Pixels that a finger needs: "Target Size (Enhanced)", WCAG 2.2, 2.5.5."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium.find() is None, reason="there is no Chromium"),
]

# Every piece of text that is seen, with its colours as they come out.
_TEXTS = """
(() => {
  const parts = colour => colour.match(/[0-9.]+/g).map(Number);
  const behind = element => {
    for (; element; element = element.parentElement) {
      const [r, g, b, alpha = 1] = parts(getComputedStyle(element).backgroundColor);
      if (alpha > 0) return alpha < 1 ? null : [r, g, b];
    }
    return null;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim(), within = walker.currentNode.parentElement;
    if (!text || !within.getClientRects().length) continue;
    const style = getComputedStyle(within);
    found.push({
      text, colour: parts(style.color), ground: behind(within),
      size: parseFloat(style.fontSize), weight: Number(style.fontWeight),
    });
  }
  return found;
})()
"""
_BUTTONS = """
[...document.querySelectorAll('.button, .choice')].map(element => {
  const box = element.getBoundingClientRect();
  const link = element.querySelector('a').getBoundingClientRect();
  return {text: element.textContent, height: box.height, top: box.top, left: box.left,
          right: box.right, bottom: box.bottom, thumb: link.height};
})
"""
_WIDEST = """
Math.max(document.documentElement.scrollWidth,
  ...[...document.querySelectorAll('body *')].map(e => e.getBoundingClientRect().right))
"""


@pytest.fixture(scope="module")
def sheet() -> Iterator[Sheet]:
    program = chromium.find()
    assert program is not None
    with chromium.sheet(program) as sheet:
        yield sheet


def faults(sheet: Sheet, page: str, *, width: int, dark: bool) -> Iterator[str]:
    """Say what a reader could not see, or not hit."""
    sheet.show(page, width=width, dark=dark)
    if (widest := sheet.value_of(_WIDEST)) > width:
        yield f"it is {widest} pixels wide"
    for piece in sheet.value_of(_TEXTS):
        seen = _contrast(piece["colour"], piece["ground"])
        large = piece["size"] >= 24 or (
            piece["size"] >= 18.66 and piece["weight"] >= 700
        )
        if seen < (3 if large else 4.5):
            yield f"contrast {seen:.2f}: {piece['text'][:40]}"
    buttons = sheet.value_of(_BUTTONS)
    if len({button["height"] for button in buttons}) > 1:
        yield f"buttons of unequal height: {buttons}"
    for button in buttons:
        if button["thumb"] < THUMB:
            yield f"too small for a thumb: {button['text']}"
    for one, other in pairwise(buttons):
        if one["bottom"] > other["top"] and one["right"] > other["left"]:
            yield f"{one['text']} lies upon {other['text']}"


def _contrast(colour: list[float], ground: list[float] | None) -> float:
    """
    Compare two colours.

    Source: "contrast ratio" and "relative luminance", WCAG 2.2.
    """
    assert ground is not None
    assert colour[3:] in ([], [1])
    dark, light = sorted((_luminance(colour[:3]), _luminance(ground)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: list[float]) -> float:
    red, green, blue = (
        part / 255 / 12.92
        if part / 255 <= 0.04045
        else ((part / 255 + 0.055) / 1.055) ** 2.4
        for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


LOOKS = [(width, dark) for width in preview.WIDTHS for dark in (False, True)]


@pytest.mark.parametrize(("template", "language"), ALL)
def test_a_mail_can_be_read_and_used_at_any_width_by_day_and_by_night(
    sheet: Sheet, template: str, language: str
) -> None:
    for kind, rendered in kinds(template, language):
        for width, dark in LOOKS:
            found = faults(sheet, rendered.html, width=width, dark=dark)
            assert list(found) == [], (kind, width, dark)


@pytest.mark.parametrize(("template", "language"), ALL)
def test_a_mail_fits_a_phone_whose_program_drops_the_style_element(
    sheet: Sheet, template: str, language: str
) -> None:
    for kind, rendered in kinds(template, language):
        bare = html.document_fromstring(rendered.html)
        for style in list(bare.iter("style")):
            style.getparent().remove(style)
        page = html.tostring(bare, encoding="unicode", doctype="<!DOCTYPE html>")
        found = faults(sheet, page, width=360, dark=False)
        # There, a long word on a button may take a second line.
        assert [one for one in found if "unequal height" not in one] == [], kind


@pytest.mark.parametrize(("template", "language"), ALL)
def test_pictures_are_kept_to_be_looked_at(
    sheet: Sheet, template: str, language: str
) -> None:
    shown = [kind for kind, _ in kinds(template, language)]
    if language != "en":
        shown = ["example"]
    for kind in shown:
        name = f"{template.replace('/', '-')}.{language}.{kind.replace(' ', '-')}"
        rendered = letter(template, language, kind)
        paths = list(preview.draw(rendered, PICTURES, name, sheet))
        assert len(paths) == len(LOOKS)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("color: #374151", "color: #999999"), "contrast 2.8"),
        (("<h1", '<div style="width: 500px">x</div><h1'), "it is 5"),
        (("padding: 12px 24px", "padding: 13px 24px"), "buttons of unequal height"),
        (("padding: 12px 1", "padding: 2px 1"), "too small for a thumb"),
    ],
)
def test_what_cannot_be_read_or_used_is_found(
    sheet: Sheet, change: tuple[str, str], fault: str
) -> None:
    page = letter("new_referral", "en").html
    assert change[0] in page

    # Without its head: there the colours and sizes are said once more.
    broken = page.replace("<style>", "<style media='print'>").replace(*change)
    found = list(faults(sheet, broken, width=360, dark=False))
    assert any(one.startswith(fault) for one in found), found
