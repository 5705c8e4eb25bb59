"""The interface described on one page, made from its OpenAPI description, without outside resources."""

from __future__ import annotations

from html import escape
from typing import Any

_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}"
    "code{font-family:ui-monospace,monospace}section{border-top:1px solid #8888;padding:.6rem 0}h2{font-size:1.05rem}"
    "li{margin:.2rem 0}"
)


def reference_page(description: dict[str, Any]) -> str:
    """HTML that lists every route with its purpose and parameters."""
    sections = "".join(
        _section(method, path, operation)
        for path, operations in description["paths"].items()
        for method, operation in operations.items()
    )
    title = escape(description["info"]["title"])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style></head>'
        f"<body><h1>{title} {escape(description['info']['version'])}</h1>"
        "<p>Send the key or a session as <code>Authorization: Bearer …</code>. The machine-readable description is at "
        f'<a href="/v1/openapi.json">/v1/openapi.json</a>.</p>{sections}</body></html>'
    )


def _section(method: str, path: str, operation: dict[str, Any]) -> str:
    parameters = "".join(
        f"<li><code>{escape(p['name'])}</code> ({escape(p['in'])}{', required' if p.get('required') else ''})</li>"
        for p in operation.get("parameters", [])
    )
    bodies = "".join(
        f"<li>body: <code>{escape(kind)}</code></li>" for kind in operation.get("requestBody", {}).get("content", {})
    )
    return (
        f"<section><h2><code>{method.upper()} {escape(path)}</code></h2>"
        f"<p>{escape(operation.get('description', ''))}</p><ul>{parameters}{bodies}</ul></section>"
    )
