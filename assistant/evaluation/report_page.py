"""A report as one HTML page that needs nothing else: no script, no outside resource, light and dark, usable by keyboard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

_LOST_SHOWN = 25
_LOST_TITLES = {
    "retrieval": "Where the best baseline does better",
    "answers": "Questions that failed",
    "grounding": "Where the best baseline does better",
}
_LOST_BY = {
    "retrieval": ("ndcg@10",),
    "answers": ("span_found", "abstained_unanswerable"),
    "grounding": ("caught", "rightly_shown"),
}
"""What a question is lost by: the first of these that applies to it."""
LOWER_IS_BETTER = frozenset({"abstained_answerable"})
_NAMES = {
    "hybrid": "this assistant",
    "assistant": "this assistant",
    "dense": "its dense part alone",
    "bm25": "its word part alone",
    "baseline:bm25s": "BM25 (bm25s, stemmer and stop words)",
    "baseline:dense": "dense only (cosine)",
    "baseline:rrf": "RRF of both, k = 60, no weights",
    "baseline:llamaindex": "LlamaIndex default",
    "baseline:words": "share of the sentence's words",
    "baseline:cosine": "cosine of the encoder",
    "language:fr": "of it, French questions",
    "language:ar": "of it, Arabic questions",
    "language:en": "of it, English questions",
    "against": "compared with (--against)",
}
_WIDTH, _LABELS, _BAR, _GAP, _TOP = 800, 290, 20, 8, 26

_STYLE = """
:root{color-scheme:light dark;--back:#fff;--text:#1c1c1e;--soft:#56565c;--line:#d3d3d8;--ours:#1f5fae;--other:#8a8f98;
--whisker:#1c1c1e;--good:#176b35;--bad:#a3231d;--panel:#f5f5f7}
@media (prefers-color-scheme:dark){:root{--back:#17181b;--text:#ececef;--soft:#b0b2b9;--line:#3d3f46;--ours:#6aa8f0;
--other:#7b808a;--whisker:#ececef;--good:#75d096;--bad:#ff8f87;--panel:#212329}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem;max-width:64rem;background:var(--back);color:var(--text);font:1rem/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;margin:.2rem 0}h2{font-size:1.2rem;margin:2rem 0 .5rem}
p.soft,caption,td.soft{color:var(--soft)}caption{text-align:start;padding-bottom:.4rem}
nav a{margin-inline-end:1rem}a{color:var(--ours)}
:focus-visible{outline:3px solid var(--ours);outline-offset:2px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.35rem .6rem;border-bottom:1px solid var(--line);text-align:start;vertical-align:top}
th[scope=row]{font-weight:400}td.number,th.number{text-align:end}td.number{white-space:nowrap}
tr.ours>*{font-weight:600;background:var(--panel)}
.better{color:var(--good)}.worse{color:var(--bad)}small{color:var(--soft);font-weight:400}
figure{margin:1rem 0}svg{max-width:100%;height:auto}svg text{fill:var(--text);font:13px system-ui,sans-serif}
svg .value{fill:var(--soft)}svg .ours{fill:var(--ours)}svg .other{fill:var(--other)}
svg .whisker{stroke:var(--whisker);stroke-width:1.5;fill:none}svg .axis{stroke:var(--line)}
details{margin:.5rem 0;padding:.5rem .8rem;background:var(--panel)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}
dd{margin:0;overflow-wrap:anywhere}@media print{details>*{display:block}}
"""


def page(report: Mapping[str, Any]) -> str:
    """The whole page as HTML."""
    title = f"Evaluation of {report['kind']}: {report['name']}"
    sections = [
        ("figures", "Figures", _figures_table(report)),
        ("differences", "Differences", _differences_table(report)),
        ("plots", "Plots", "".join(_plot(report, measure) for measure in report["measures"])),
        ("lost", _LOST_TITLES[report["kind"]], _lost_table(report)),
        ("made", "How this was made", _made(report)),
    ]
    links = "".join(f'<a href="#{key}">{escape(name)}</a>' for key, name, content in sections if content)
    body = "".join(
        f'<section id="{key}"><h2>{escape(name)}</h2>{content}</section>' for key, name, content in sections if content
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        f"<header><h1>{escape(title)}</h1><p class=soft>{len(report['questions'])} questions, {escape(report['at'])}, "
        f"configuration {escape(report['fingerprint'])}</p><nav aria-label=Sections>{links}</nav></header>"
        f"<main>{body}</main></body></html>\n"
    )


def shown_name(system: str) -> str:
    """What people call a system."""
    return _NAMES.get(system, system)


def _figures_table(report: Mapping[str, Any]) -> str:
    times = list(dict.fromkeys(n for s in report["systems"].values() for n in s["figures"] if n.endswith("_ms")))
    columns = [*report["measures"], *times]
    head = "".join(f"<th scope=col class=number>{escape(name.replace('_', ' '))}</th>" for name in columns)
    rows = []
    for name, system in report["systems"].items():
        cells = "".join(_figure(system, column) for column in columns)
        ours = ' class="ours"' if name == report["ours"] else ""
        rows.append(f"<tr{ours}><th scope=row>{escape(shown_name(name))}</th>{cells}</tr>")
    caption = "Means over the questions; in brackets the 95 % interval; p50 and p95 are times from question to result."
    return _table("Figures of each system", caption, f"<th scope=col>system</th>{head}", rows)


def _figure(system: Mapping[str, Any], column: str) -> str:
    value = system["figures"].get(column)
    if value is None:
        return '<td class="number soft">–</td>'
    interval = system["intervals"].get(column)
    shown = f"{value:.1f}" if column.endswith("_ms") else f"{value:.3f}"
    beside = f"<br><small>[{interval[0]:.3f}, {interval[1]:.3f}]</small>" if interval else ""
    return f"<td class=number>{shown}{beside}</td>"


def _differences_table(report: Mapping[str, Any]) -> str:
    rows = []
    for rival, by_measure in report["comparisons"].items():
        for measure, found in by_measure.items():
            significant = found["p"] < 0.05 and found["difference"] != 0
            word = "better" if (found["difference"] > 0) != (measure in LOWER_IS_BETTER) else "worse"
            verdict = f"<td class={word}>{word}</td>" if significant else "<td class=soft>not distinguishable</td>"
            rows.append(
                f"<tr><th scope=row>{escape(shown_name(rival))}</th><td>{escape(measure.replace('_', ' '))}</td>"
                f"<td class=number>{found['queries']}</td><td class=number>{found['difference']:+.3f}</td>"
                f"<td class=number>[{found['low']:+.3f}, {found['high']:+.3f}]</td>"
                f"<td class=number>{_chance(found['p'])}</td>{verdict}</tr>"
            )
    if not rows:
        return ""
    head = "".join(f"<th scope=col>{name}</th>" for name in ("than", "measure")) + "".join(
        f"<th scope=col class=number>{name}</th>" for name in ("questions", "difference", "95 % interval", "p")
    )
    caption = (
        "This assistant less the other system, by paired bootstrap over the questions (10,000 resamples). p is how often chance "
        "alone makes a difference this large; it is not corrected for the number of comparisons."
    )
    return _table("Differences", caption, f"{head}<th scope=col>this assistant is</th>", rows)


def _chance(p: float) -> str:
    return "&lt; 0.001" if p < 0.001 else f"{p:.3f}"


def _plot(report: Mapping[str, Any], measure: str) -> str:
    """Horizontal bars with whiskers for the 95 % interval, all on a scale from 0 to 1."""
    found = [
        (name, system["figures"][measure], system["intervals"].get(measure))
        for name, system in report["systems"].items()
        if system["figures"].get(measure) is not None
    ]
    if not found:
        return ""
    height = _TOP + len(found) * (_BAR + _GAP) + 6
    scale = _WIDTH - _LABELS - 70
    parts = [_axis(scale, height)]
    for row, (name, value, interval) in enumerate(found):
        y = _TOP + row * (_BAR + _GAP)
        kind = "ours" if name == report["ours"] else "other"
        parts.append(f'<text x="{_LABELS - 8}" y="{y + 15}" text-anchor="end">{escape(shown_name(name))}</text>')
        parts.append(f'<rect class="{kind}" x="{_LABELS}" y="{y}" width="{value * scale:.1f}" height="{_BAR}"/>')
        end = value
        if interval:
            end = interval[1]
            low, high, middle = _LABELS + interval[0] * scale, _LABELS + interval[1] * scale, y + _BAR / 2
            parts.append(
                f'<path class="whisker" d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {y + 5}v{_BAR - 10}'
                f'M{high:.1f} {y + 5}v{_BAR - 10}"/>'
            )
        parts.append(f'<text class="value" x="{_LABELS + end * scale + 8:.1f}" y="{y + 15}">{value:.3f}</text>')
    name = escape(measure.replace("_", " "))
    spoken = escape("; ".join(f"{shown_name(system)} {value:.3f}" for system, value, _ in found))
    return (
        f"<figure><figcaption>{name}</figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" role="img" aria-label="{name}: {spoken}">'
        f"{''.join(parts)}</svg></figure>"
    )


def _axis(scale: float, height: int) -> str:
    lines = []
    for tenth in (0, 0.25, 0.5, 0.75, 1):
        x = _LABELS + tenth * scale
        lines.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="18" y2="{height}"/>')
        lines.append(f'<text class="value" x="{x:.1f}" y="12" text-anchor="middle">{tenth:g}</text>')
    return "".join(lines)


def _lost_table(report: Mapping[str, Any]) -> str:
    """The questions on which the best rival is furthest ahead; without rivals, those that failed."""
    systems = report["systems"]
    measures = [name for name in _LOST_BY[report["kind"]] if name in report["measures"]] or report["measures"][:1]
    known = [name for name in report["rivals"] if systems[name]["figures"].get(measures[0]) is not None]
    best = max(known, key=lambda name: systems[name]["figures"][measures[0]], default=None)
    both = list(_both_scores(report, measures, best))
    lost = sorted((entry for entry in both if entry[0] < 0), key=lambda entry: entry[:2])
    if not lost:
        return "<p>None.</p>"
    rows = [_lost_row(report["questions"][n], measure, a, b) for _, n, measure, a, b in lost[:_LOST_SHOWN]]
    against = escape(shown_name(best)) if best else "wanted"
    head = (
        "<th scope=col>question</th><th scope=col>measure</th><th scope=col class=number>this assistant</th>"
        f"<th scope=col class=number>{against}</th>"
    )
    caption = f"{len(lost)} of {len(both)} questions; the furthest {len(rows)} of them."
    return _table("Lost questions", caption, head, rows)


def _both_scores(
    report: Mapping[str, Any], measures: list[str], rival: str | None
) -> Iterator[tuple[float, int, str, float, float]]:
    """(difference, number, measure, ours, theirs) of every question that both have a score for; without a rival it is 1."""
    ours = report["systems"][report["ours"]]["scores"]
    theirs = report["systems"][rival]["scores"] if rival else {}
    for number in range(len(report["questions"])):
        measure = next((name for name in measures if ours[name][number] is not None), None)
        if measure is None:
            continue
        ours_here, theirs_here = ours[measure][number], theirs[measure][number] if rival else 1.0
        if theirs_here is not None:
            yield ours_here - theirs_here, number, measure, ours_here, theirs_here


def _lost_row(question: Mapping[str, str], measure: str, ours: float, theirs: float) -> str:
    text = f'<span lang="{escape(question["language"])}" dir="auto">{escape(question["text"])}</span>'
    return (
        f"<tr><td>{text}<br><small>{escape(question['id'])}</small></td><td>{escape(measure.replace('_', ' '))}</td>"
        f"<td class=number>{ours:.3f}</td><td class=number>{theirs:.3f}</td></tr>"
    )


def _made(report: Mapping[str, Any]) -> str:
    parts = [
        ("Configuration", report["configuration"]),
        ("Versions", report["versions"]),
        ("Machine", report["machine"]),
    ]
    return f"<p>Questions and labels: SHA-256 {escape(report['set'])}</p>" + "".join(
        f"<details><summary>{name}</summary><dl>{_facts(content)}</dl></details>" for name, content in parts
    )


def _facts(content: Mapping[str, Any]) -> str:
    return "".join(f"<dt>{escape(str(name))}</dt><dd>{escape(str(value))}</dd>" for name, value in content.items())


def _table(label: str, caption: str, head: str, rows: Iterable[str]) -> str:
    return (
        f'<div class=scroll role=region aria-label="{escape(label)}" tabindex=0><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )
