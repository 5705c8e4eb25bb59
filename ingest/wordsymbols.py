"""Formulas and drawn boxes of a DOCX as words: python-docx passes over both, and a ticked box changes what a form says.

Formulas (Office Math) come on one line, as they are typed: a fraction as (a)/(b), what is raised or lowered behind ^ and _.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_FONTS = {
    "wingdings": {0x6F: "☐", 0xA8: "☐", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑"},
    "wingdings 2": {0x2A: "☐", 0xA3: "☐", 0x4F: "✗", 0x50: "✓", 0x51: "☒", 0x52: "☑", 0x53: "☒", 0x54: "☒"},
}
"""Boxes and ticks of the fonts that forms are made with. Characters of such a font may stand 0xF000 higher."""
_RAISED = {"sup": "^", "sub": "_"}


def write_out_symbols(root: Any) -> None:
    """Put words where formulas and boxes stand, in place; anything else stays as it is."""
    for symbol in list(root.iter(f"{_W}sym")):
        box = _box(symbol.get(f"{_W}font"), symbol.get(f"{_W}char"))
        if box:
            symbol.tag, symbol.text = f"{_W}t", box
    for formula in list(root.iter(f"{_M}oMath")):
        _replace(formula, _linear(formula))


def _box(font: str | None, code: str | None) -> str:
    try:
        return _FONTS.get((font or "").lower(), {}).get(int(code or "", 16) & 0xFFF, "")
    except ValueError:
        return ""


def _replace(formula: Any, words: str) -> None:
    """Put a run in the place of a formula, or of the paragraph of formulas that it stands in; it looks as its first part does."""
    run = formula.makeelement(f"{_W}r")
    look = next(formula.iter(f"{_W}rPr"), None)
    if look is not None:
        run.append(look)
    text = run.makeelement(f"{_W}t")
    text.text = f" {words} "
    run.append(text)
    outer = formula.getparent()
    if outer.tag == f"{_M}oMathPara":
        outer.addprevious(run)
        outer.remove(formula)
        return
    outer.replace(formula, run)


def _linear(element: Any) -> str:
    return "".join(_parts(element)).strip()


def _parts(element: Any) -> Iterator[str]:
    name = str(element.tag).removeprefix(_M)
    if name == "t":
        yield element.text or ""
    elif name == "f":
        yield f"({_child(element, 'num')})/({_child(element, 'den')})"
    elif name == "rad":
        yield f"{_child(element, 'deg')}√({_child(element, 'e')})"
    elif name == "nary":
        sign = element.find(f"{_M}naryPr/{_M}chr")
        yield (sign.get(f"{_M}val") if sign is not None else None) or "∫"
        yield from _inside(element)
    elif name == "d":
        yield f"({', '.join(map(_linear, element.iterfind(f'{_M}e')))})"
    elif name in _RAISED:
        raised = "".join(_inside(element)).strip()
        if raised:
            yield f"{_RAISED[name]}{raised}" if len(raised) == 1 else f"{_RAISED[name]}({raised})"
    else:
        yield from _inside(element)


def _child(element: Any, name: str) -> str:
    part = element.find(f"{_M}{name}")
    return _linear(part) if part is not None else ""


def _inside(element: Any) -> Iterator[str]:
    for child in element:
        if isinstance(child.tag, str):
            yield from _parts(child)
