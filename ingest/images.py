"""Pictures of pages: PNG, JPEG, JPEG 2000, TIFF, BMP, GIF and WebP, read by OCR. Each frame of a TIFF is a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assistant.language import detect_language
from assistant.rendering import PICTURE_FORMATS, as_shown
from assistant.types import TextOrigin
from ingest import ocr
from ingest.ink import with_colour_where_inked
from ingest.layout import PageLines, compose
from ingest.parsing import (
    BMP,
    GIF,
    JPEG,
    JPEG_2000,
    PNG,
    TIFF,
    WEBP,
    Parsed,
    ParsingSettings,
    Rejected,
    RejectionCategory,
)
from ingest.scans import DamagedPage, read_pages

if TYPE_CHECKING:
    from PIL import Image

_TYPES = {"PNG": PNG, "JPEG": JPEG, "JPEG2000": JPEG_2000, "TIFF": TIFF, "BMP": BMP, "GIF": GIF, "WEBP": WEBP}
"""By Pillow's name of the format."""
IMAGE_TYPES = frozenset(_TYPES.values())

_USUAL_DPI = 150.0
_MOST_PIXELS = 80_000_000
"""Of one frame: 80 MB in grey. An A3 page at 600 dpi has 70 million."""
_TOO_MANY_PIXELS = f"the picture has more than {_MOST_PIXELS // 1_000_000} million pixels; hand in a smaller copy"


class ImageParser:
    """Reads pictures by OCR."""

    name = "tesseract"
    media_types = IMAGE_TYPES

    def parse(self, path: Path, *, settings: ParsingSettings) -> Parsed | Rejected:
        """Text and word boxes; Rejected when OCR is not to be had or finds nothing."""
        from PIL import Image, UnidentifiedImageError

        reason = ocr.refusal(settings)
        if reason is not None:
            return Rejected(RejectionCategory.NEEDS_OCR, reason, 1)
        Image.MAX_IMAGE_PIXELS = _MOST_PIXELS
        try:
            with Image.open(path, formats=PICTURE_FORMATS) as image:
                return self._parsed(_Frames(image), settings)
        except (_TooManyPixels, Image.DecompressionBombError, Image.DecompressionBombWarning):
            return Rejected(RejectionCategory.TOO_LARGE, _TOO_MANY_PIXELS)
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
            return Rejected(RejectionCategory.DAMAGED, f"the picture cannot be opened ({type(error).__name__})")

    def _parsed(self, frames: _Frames, settings: ParsingSettings) -> Parsed | Rejected:
        if len(frames) > settings.max_pages:
            return Rejected(RejectionCategory.TOO_LARGE, f"{len(frames)} pages; the limit is {settings.max_pages}")
        pages, warnings = read_pages(frames, settings)
        composition = compose(pages)
        if not composition.text.strip():
            return _without_text(pages, warnings)
        return Parsed(
            title=composition.title,
            language=detect_language(composition.text, among=settings.languages, default=settings.languages[0]),
            date=None,
            media_type=frames.media_type,
            text=composition.text,
            pages=composition.pages,
            blocks=composition.blocks,
            parser=self.name,
            warnings=(*warnings, *(f"page {page.number}: {note}" for page in pages for note in page.notes)),
        )


def _without_text(pages: list[PageLines], warnings: list[str]) -> Rejected:
    _, _, reason = warnings[0].partition(": ") if warnings else ("", "", "")
    if reason and not reason.startswith("OCR found"):
        category = RejectionCategory.DAMAGED if "damaged" in reason else RejectionCategory.NEEDS_OCR
        return Rejected(category, reason, pages[0].number)
    return Rejected(RejectionCategory.NO_TEXT, "OCR found no words in the picture")


class _TooManyPixels(Exception):
    """A frame is larger than a page can be."""


class _Frames:
    """The frames of an open picture, as `ingest.scans` asks for them. Only a TIFF has pages: other frames move or preview."""

    def __init__(self, image: Image.Image) -> None:
        self._image = image
        self._count = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
        self._last: tuple[int, Image.Image] | None = None

    @property
    def media_type(self) -> str:
        return _TYPES.get(self._image.format or "", JPEG)

    def __len__(self) -> int:
        return int(self._count)

    def read(self, index: int) -> tuple[PageLines, bool]:
        """See `scans.PageSource.read`: a picture has no text layer."""
        image = self._picture(index)
        dpi = _dpi(self._image.info.get("dpi"))
        return PageLines(index + 1, image.width * 72 / dpi, image.height * 72 / dpi, (), TextOrigin.NONE, 0.0), True

    def picture(self, index: int) -> Image.Image:
        """See `scans.PageSource.picture`."""
        return with_colour_where_inked(self._picture(index))

    def _picture(self, index: int) -> Image.Image:
        if self._last is not None and self._last[0] == index:
            return self._last[1]
        try:
            self._image.seek(index)
            if self._image.width * self._image.height > _MOST_PIXELS:
                raise _TooManyPixels
            self._last = (index, as_shown(self._image))
            return self._last[1]
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            raise DamagedPage("the page is damaged and could not be read") from error


def _dpi(given: object) -> float:
    value = given[0] if isinstance(given, tuple) and given else None
    try:
        dpi = float(value)  # type: ignore[arg-type] # whatever the file says
    except (TypeError, ValueError, ZeroDivisionError):
        return _USUAL_DPI
    return dpi if 50 <= dpi <= 1200 else _USUAL_DPI
