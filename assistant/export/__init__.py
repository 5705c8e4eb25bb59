"""A conversation or one answer as Markdown, Word or PDF: numbered footnotes, its label, and that a machine wrote it.

Promise: what is in the file is what the reader may see at this moment; text is text, whatever a document or a model wrote; no
file names the reader. `docx` is imported by `word` only; PDF is made of the Word file by LibreOffice, which shapes Arabic and
sets footnotes as a text processor does. Libraries that draw PDF directly (reportlab) set Arabic letter by letter, unjoined.
"""

from assistant.export.sheet import FORMATS, ExportedFile, Format, Sheet, sheet_of

__all__ = ["FORMATS", "ExportedFile", "Format", "Sheet", "exported", "sheet_of"]


def exported(sheet: Sheet, format_: Format) -> ExportedFile:
    """The sheet as a file. Raises ServiceUnavailable when PDF cannot be made properly on this machine."""
    if format_ == "md":
        from assistant.export.markdown import markdown

        return sheet.file("md", markdown(sheet).encode())
    from assistant.export.word import word

    made = word(sheet)
    if format_ == "docx":
        return sheet.file("docx", made)
    from assistant.export.office import pdf_of

    return sheet.file("pdf", pdf_of(made, needs_arabic=sheet.needs_arabic))
