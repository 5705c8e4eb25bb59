"""The page that a browser without a session sees. Plain HTML, no script, three languages at once."""

from __future__ import annotations

from html import escape

_STYLE = """
:root{color-scheme:light dark;--bg:#f6f5f1;--card:#fff;--ink:#1b1f24;--quiet:#545b64;--accent:#0b5d52;--line:#d5d3cb}
@media(prefers-color-scheme:dark){:root{--bg:#14181b;--card:#1d2327;--ink:#eceff1;--quiet:#a9b3ba;--accent:#6fd0c0;--line:#39424a}}
*{box-sizing:border-box}body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--bg);
color:var(--ink);font:1rem/1.55 system-ui,"Segoe UI","Noto Sans","Noto Sans Arabic",sans-serif}
main{max-width:30rem;width:100%;background:var(--card);border:1px solid var(--line);border-radius:12px;padding:2rem}
h1{font-size:1.35rem;margin:0 0 1rem}p{margin:.4rem 0;color:var(--quiet)}label{display:block;margin:1.4rem 0 .4rem;font-weight:600}
input{width:100%;font:inherit;padding:.7rem;border:1px solid var(--quiet);border-radius:8px;background:transparent;color:inherit}
button{margin-top:1rem;font:inherit;font-weight:600;padding:.7rem 1.4rem;border:0;border-radius:8px;background:var(--accent);color:var(--card)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}.refused{color:#b3261e;font-weight:600}
@media(prefers-color-scheme:dark){.refused{color:#ffb4ab}}
"""

_HOW = (
    ("fr", "ltr", "Ouvrez l’adresse affichée par <code>assistant up</code>, ou saisissez la clé de cette instance."),
    ("ar", "rtl", "افتحوا العنوان الذي عرضه <code>assistant up</code>، أو أدخلوا مفتاح هذه المنصة."),
    ("en", "ltr", "Open the address that <code>assistant up</code> printed, or enter this instance’s key."),
)
_REFUSED = "Cette clé n’est pas valable. · هذا المفتاح غير صالح. · This key is not valid."


_REFERRER = '<meta name="referrer" content="strict-origin">'
"""Under `no-referrer`, which every response is sent with, browsers post a form as coming from nowhere (`Origin: null`, Fetch
standard, "append a request Origin header"), and what does not come from our own origin is refused."""


def sign_in_page(instance: str, *, refused: bool) -> str:
    """HTML of the sign-in page; with `refused`, it says that the key was not accepted."""
    how = "".join(f'<p lang="{language}" dir="{way}">{text}</p>' for language, way, text in _HOW)
    alarm = f'<p class="refused" role="alert">{_REFUSED}</p>' if refused else ""
    return (
        f'<!doctype html><html lang="fr"><head><meta charset="utf-8">{_REFERRER}<title>{escape(instance)}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style></head><body><main>'
        f"<h1>{escape(instance)}</h1>{how}{alarm}"
        '<form method="post" action="/enter"><label for="key">Clé · المفتاح · Key</label>'
        '<input id="key" name="key" type="password" autocomplete="current-password" required autofocus>'
        "<button>Entrer · دخول · Enter</button></form></main></body></html>"
    )
