"""How the page of a run looks: light, quiet, and legible in print."""

from __future__ import annotations

from typing import Final

from screenalytics_core.report.html_resources import resource

_CSS: Final = """
:root { --soft: #5b6875; --panel: #f7f8fa; --ok: #2f7d5b; --bad: #b83a32; --run: #2f6fb3;
  --warn: #a56a12; --idle: #98a2ad; }
.head { display: flex; gap: 14px; align-items: baseline; flex-wrap: wrap; }
.pill { display: inline-block; padding: 1px 10px 2px; border-radius: 99px; font-size: 13px;
  font-weight: 600; white-space: nowrap; color: var(--soft); background: #eceff2; }
.pill.success, .pill.completed { color: var(--ok); background: #e4f2eb; }
.pill.failed { color: var(--bad); background: #fbe9e7; }
.pill.running { color: var(--run); background: #e5f0fa; }
.pill.canceled { color: var(--warn); background: #fbf1de; }
dl.facts { margin-bottom: 0; }
.error { margin: 16px 0 0; padding: 12px 16px; border-left: 4px solid var(--bad);
  background: #fdf3f2; border-radius: 0 6px 6px 0; }
.error b { color: var(--bad); }
.error p { margin: 4px 0 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.people td:nth-child(2) { width: 34%; }
td.name { white-space: nowrap; }
.share { display: block; height: 9px; min-width: 1px; border-radius: 3px; background: var(--run);
  margin-top: 6px; }
.timeline { width: 100%; height: auto; display: block; font-size: 12.5px; }
.timeline text { fill: var(--ink); }
.timeline .lane { font-weight: 700; font-size: 14px; }
.timeline .stage, .timeline .about, .timeline .note, .timeline .tick { fill: var(--soft); }
.timeline .tick { text-anchor: middle; font-size: 11.5px; }
.timeline .grid { stroke: var(--line); stroke-width: 1; }
.timeline .word { font-weight: 600; fill: var(--soft); }
.timeline .word.completed { fill: var(--ok); }
.timeline .word.failed { fill: var(--bad); }
.timeline .word.running { fill: var(--run); }
.timeline .word.canceled { fill: var(--warn); }
.timeline .bar { fill: var(--idle); }
.timeline .bar.success { fill: var(--ok); }
.timeline .bar.failed { fill: var(--bad); }
.timeline .bar.running { fill: var(--run); }
.timeline .bar.canceled { fill: var(--warn); }
.timeline .veil { fill: #fff; opacity: .62; }
.timeline g:hover > .bar { filter: brightness(1.12); }
.legend i { display: inline-block; width: 22px; height: 11px; border-radius: 3px;
  margin-right: 6px; vertical-align: -1px; background: var(--ok); }
.legend .failed { background: var(--bad); }
.legend .running { background: var(--run); }
.legend .canceled { background: var(--warn); }
.legend .checkpoint { background: repeating-linear-gradient(135deg, var(--ok) 0 3px,
  #b1d0c3 3px 6px); }
.legend .inherited { background: radial-gradient(#dbe9e3 35%, transparent 40%) 0 0 / 6px 6px,
  var(--ok); }
@media print { .timeline { break-inside: avoid; } }
""".strip()


def style_sheet() -> str:
    """Return the style of every page, and after it that of this one."""
    return f"{resource('html_base.css')}\n{_CSS}"
