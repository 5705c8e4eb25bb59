"""A web page as a reader sees it: what its styles hide is taken out of the markup and counted.

Words of a form are read: those on buttons, in fields and in lists, boxes as ☑ and ☐. Menus (`nav` that is mostly links) are kept
apart: they repeat from page to page, would drown what the page says, and belong to the text, not to its passages.

Styles are those of the element itself and of rules for one tag, class or id in the page's own style sheets; sheets in other
files are never fetched. Colours, sizes and visibility pass on to what stands inside, as in a browser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from ingest.markup import DECLARATION

_NEVER_SHOWN = frozenset(
    {"script", "style", "template", "noscript", "noframes", "head", "datalist", "iframe", "object"}
)
_READ_AS = {
    "main": "div", "form": "div", "details": "div", "figure": "div",
    "summary": "p", "figcaption": "p", "caption": "p", "textarea": "p", "label": "span", "button": "span",
    "fieldset": "div", "legend": "p", "nav": "div", "dialog": "div",
}  # fmt: skip
"""Elements whose words stand on the page like any other's, and what the reader behind this one takes them for. As they are, it
reads nothing outside the first `main`, and nothing inside the others: old pages are one form, and many tables a figure."""
_TICKED = ("checkbox", "radio")
_NO_WORDS = frozenset({"hidden", "password", "file", "color", "range", "image"})
"""Fields whose value nobody sees, or that is no word."""
_LINKS_OF_A_MENU = 0.6
"""The share of a menu's letters that stand in links; the others are its name and what separates them."""
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_SELECTOR = re.compile(r"(?:[a-z][a-z0-9]*)?(?:[.#][\w-]+)?", re.I)
_AT_RULE = re.compile(r"@(?:media|supports|font-face|keyframes|page)[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", re.I)
_STYLE_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_LENGTH = re.compile(r"(-?\d*\.?\d+)(px|pt|em|rem|%|)", re.I)
_SHORT_HEX = re.compile(r"#([0-9a-f])([0-9a-f])([0-9a-f])", re.I)
_RGB = re.compile(r"rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)(?:[\s,/]+([\d.]+))?\s*\)")
_COLOURS = {"white": "#ffffff", "black": "#000000", "red": "#ff0000", "blue": "#0000ff", "yellow": "#ffff00"}
_TINY_PX = 1.5
"""Letters up to this size are no text for a reader: 1 pt is 1.33 px."""
_OUTSIDE_PX = -900.0
_MOST_SPANNED = 1000
_MOST_CELLS_ADDED = 100_000

_Rules = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class VisiblePage:
    """The markup that is left, how many characters of text were taken out of it, and the lines of its menus."""

    markup: str
    hidden: int
    menus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Look:
    """What an element passes on to those inside it."""

    colour: str = "#000000"
    background: str = "#ffffff"
    visible: bool = True
    tiny: bool = False

    def hides(self) -> bool:
        """True when text set in this look cannot be read."""
        return not self.visible or self.tiny or self.colour in (self.background, "transparent")


def visible_page(page: str) -> VisiblePage:
    """The page without what it hides; unreadable markup comes back as it is."""
    from lxml import etree, html

    try:
        root = html.document_fromstring(DECLARATION.sub("", page).replace("\x00", ""))
    except (etree.ParserError, ValueError):
        return VisiblePage(page, 0)
    rules = _rules(root)
    hidden = 0
    waiting: list[tuple[Any, _Look]] = [(root, _Look())]
    while waiting:
        element, outer = waiting.pop()
        style = _style(element, rules)
        if element.tag in _NEVER_SHOWN and element.tag != "head":
            _remove(element)
            continue
        if _is_gone(element, style):
            hidden += _letters(element)
            _remove(element)
            continue
        look = _look(style, outer)
        if look.hides() and element.tag != "head":
            hidden += _silence(element)
        waiting += [(child, look) for child in element if isinstance(child.tag, str) and element.tag != "head"]
    _unmerge_cells(root)
    _write_out(root)
    menus = tuple(_menus(root))
    _rename(root)
    return VisiblePage(html.tostring(root, encoding="unicode"), hidden, menus)


def _write_out(root: Any) -> None:
    """Put into words what a browser draws: fields, boxes and lists of a form, words in a drawing, formulas."""
    for element in list(root.iter("input", "select", "svg", "math")):
        if element.tag == "math" and (element.get("alttext") or element.find(".//annotation") is not None):
            continue  # the reader behind this one takes its source
        words = _drawn(element)
        tail = element.tail
        element.clear()
        element.tag, element.tail = "span", tail
        element.text = f" {words} " if words else None


def _drawn(element: Any) -> str:
    """The words that a browser draws for an element that has none of its own, or not in its text."""
    if element.tag == "input":
        kind = (element.get("type") or "text").strip().lower()
        if kind in _TICKED:
            return "☑" if "checked" in element.attrib else "☐"
        return "" if kind in _NO_WORDS else element.get("value") or element.get("placeholder") or ""
    if element.tag == "select":
        options = list(element.iter("option"))
        chosen = any("selected" in option.attrib for option in options)
        boxes = ["☑ " if "selected" in option.attrib else "☐ " for option in options] if chosen else [""] * len(options)
        return " / ".join(box + _words(option) for box, option in zip(boxes, options, strict=True) if _words(option))
    if element.tag == "svg":
        return " ".join(_words(text) for text in element.iter("text"))
    return _words(element)


def _menus(root: Any) -> Iterator[str]:
    """Lines of each `nav` that is mostly links, which is taken away; not when nothing else is on the page."""
    found = [nav for nav in root.iter("nav") if _is_menu(nav) and not any(map(_is_menu, nav.iterancestors("nav")))]
    if sum(map(_letters, found)) >= sum(map(_letters, root.iter("body"))):
        return
    for nav in found:
        yield " · ".join(filter(None, (" ".join(text.split()) for text in nav.itertext())))
        _remove(nav)


def _is_menu(nav: Any) -> bool:
    linked = sum(_letters(link) for link in nav.iter("a"))
    return bool(linked) and linked >= _LINKS_OF_A_MENU * _letters(nav)


def _words(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def _rename(root: Any) -> None:
    """Give elements that would be passed over the names of such as are read; a table's caption goes before the table."""
    for element in list(root.iter(*_READ_AS)):
        table = element.getparent()
        if element.tag == "caption" and table is not None and table.tag == "table":
            element.tail = None
            table.addprevious(element)
        element.tag = _READ_AS[element.tag]


def _unmerge_cells(root: Any) -> None:
    """Give every table a cell in every place: what is merged downwards stands in each row, sideways in the first place."""
    room = _MOST_CELLS_ADDED
    for table in root.iter("table"):
        rows = [row for row in table.iter("tr") if next(row.iterancestors("table")) is table]
        below: list[dict[int, Any]] = [{} for _ in rows]
        for number, row in enumerate(rows):
            column = 0
            for cell in list(row.iterchildren("td", "th")):
                while column in below[number]:
                    cell.addprevious(below[number].pop(column))
                    column += 1
                height, width = _span(cell, "rowspan"), _span(cell, "colspan")
                wanted = [(down, right) for down in range(min(height, len(rows) - number)) for right in range(width)][
                    1:
                ]
                for down, right in wanted[:room]:
                    added = deepcopy(cell) if right == 0 else cell.makeelement(cell.tag)
                    added.tail = None
                    below[number + down][column + right] = added
                room -= len(wanted[:room])
                column += 1
            for late in sorted(below[number]):
                row.append(below[number][late])


def _span(cell: Any, name: str) -> int:
    """How many rows or columns a cell takes; the attribute is taken away."""
    given = str(cell.attrib.pop(name, "1")).strip()
    return max(1, min(int(given), _MOST_SPANNED)) if given.isascii() and given.isdigit() else 1


def _rules(root: Any) -> _Rules:
    """Declarations by simple selector; what depends on the medium or on where an element stands is not looked at."""
    found: _Rules = {}
    for sheet in root.iter("style"):
        text = _AT_RULE.sub("", _STYLE_COMMENT.sub("", sheet.text or ""))
        for selectors, declarations in _RULE.findall(text):
            for selector in map(str.strip, selectors.split(",")):
                if selector and _SELECTOR.fullmatch(selector):
                    found.setdefault(selector.lower(), {}).update(_declarations(declarations))
    return found


def _declarations(text: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in text.split(";"))
    return {
        name.strip().lower(): value.replace("!important", "").strip().lower()
        for name, _, value in pairs
        if value.strip()
    }


def _style(element: Any, rules: _Rules) -> dict[str, str]:
    style: dict[str, str] = {}
    for name, attribute in (("color", "color"), ("color", "text"), ("background-color", "bgcolor")):
        if element.get(attribute):
            style[name] = element.get(attribute).strip().lower()
    for selector in _selectors(element) if rules else ():
        style.update(rules.get(selector, {}))
    style.update(_declarations(element.get("style") or ""))
    return style


def _selectors(element: Any) -> Iterator[str]:
    """Simple selectors that mean this element, the weakest first."""
    tag = str(element.tag).lower()
    names = [f".{name}" for name in (element.get("class") or "").lower().split()]
    names += [f"#{element.get('id').lower()}"] if element.get("id") else []
    yield tag
    for name in names:
        yield name
        yield f"{tag}{name}"


def _is_gone(element: Any, style: dict[str, str]) -> bool:
    """True when neither the element nor anything inside it is shown."""
    if element.tag == "del" or (element.tag == "dialog" and "open" not in element.attrib):
        return True
    if style.get("display") == "none" or style.get("opacity") in ("0", "0.0", "0%"):
        return True
    if "hidden" in element.attrib and "display" not in style:
        return True
    moved = ("text-indent", *(("left", "top", "right") if style.get("position") in ("absolute", "fixed") else ()))
    return any(_pixels(style.get(name, "")) < _OUTSIDE_PX for name in moved)


def _look(style: dict[str, str], outer: _Look) -> _Look:
    look = outer
    if style.get("visibility"):
        look = replace(look, visible=style["visibility"] not in ("hidden", "collapse"))
    if style.get("color") not in (None, "inherit", "currentcolor"):
        look = replace(look, colour=_colour(style["color"]))
    ground = style.get("background-color") or style.get("background")
    if style.get("background-image") not in (None, "none"):
        ground = "an image"
    if ground not in (None, "transparent", "inherit", "none", "initial"):
        look = replace(look, background=_colour(ground))
    if _LENGTH.fullmatch(style.get("font-size", "")):
        look = replace(look, tiny=_pixels(style["font-size"]) <= _TINY_PX)
    return look


def _pixels(length: str) -> float:
    match = _LENGTH.fullmatch(length.strip())
    if match is None:
        return 0.0
    factor = {"pt": 4 / 3, "em": 16.0, "rem": 16.0, "%": 0.16}.get(match[2].lower(), 1.0)
    return float(match[1]) * factor


def _colour(value: str) -> str:
    """A colour in one spelling, so that equal ones compare equal; anything else as it stands."""
    value = _COLOURS.get(value, value)
    channels = _RGB.fullmatch(value)
    if channels:
        see_through = channels[4] is not None and float(channels[4]) == 0
        return "transparent" if see_through else "#" + "".join(f"{min(255, int(channels[n])):02x}" for n in (1, 2, 3))
    short = _SHORT_HEX.fullmatch(value)
    return "#" + "".join(digit * 2 for digit in short.groups()) if short else value


def _letters(element: Any) -> int:
    """How many characters of text stand inside, without what is never shown anyway."""
    count = 0
    for child in element.iter():
        if isinstance(child.tag, str) and child.tag not in _NEVER_SHOWN:
            count += len((child.text or "").strip())
        if child is not element:
            count += len((child.tail or "").strip())
    return count


def _silence(element: Any) -> int:
    """Take away the text that stands directly in the element; what is inside its children is theirs."""
    count = len((element.text or "").strip())
    element.text = None
    if element.tag == "input":
        count += sum(len(element.attrib.pop(name, "")) for name in ("value", "placeholder"))
    for child in element:
        count += len((child.tail or "").strip())
        child.tail = None
    return count


def _remove(element: Any) -> None:
    """Take the element away and leave the text behind it."""
    parent = element.getparent()
    if parent is None:
        return
    before = element.getprevious()
    if before is not None:
        before.tail = (before.tail or "") + (element.tail or "")
    else:
        parent.text = (parent.text or "") + (element.tail or "")
    parent.remove(element)
