"""How the page of a run looks: light, quiet, and legible in print."""

from __future__ import annotations

from typing import Final

CSS: Final = """
:root { --ink: #1f2933; --soft: #5b6875; --line: #e3e7eb; --panel: #f7f8fa; --ok: #2f7d5b;
  --bad: #b83a32; --run: #2f6fb3; --warn: #a56a12; --idle: #98a2ad; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; }
main { max-width: 1140px; margin: 0 auto; padding: 32px 30px 60px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 2px; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 38px 0 10px; padding-bottom: 6px;
  border-bottom: 1px solid var(--line); }
h2 small, .soft { color: var(--soft); font-weight: normal; font-size: 13px; }
.over { color: var(--soft); font-size: 13px; letter-spacing: .02em; }
.head { display: flex; gap: 14px; align-items: baseline; flex-wrap: wrap; }
.pill { display: inline-block; padding: 1px 10px 2px; border-radius: 99px; font-size: 13px;
  font-weight: 600; white-space: nowrap; color: var(--soft); background: #eceff2; }
.pill.success, .pill.completed { color: var(--ok); background: #e4f2eb; }
.pill.failed { color: var(--bad); background: #fbe9e7; }
.pill.running { color: var(--run); background: #e5f0fa; }
.pill.canceled { color: var(--warn); background: #fbf1de; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(208px, 1fr));
  gap: 14px 26px; margin: 22px 0 0; padding: 16px 18px; background: var(--panel);
  border-radius: 8px; }
.facts div { min-width: 0; overflow-wrap: anywhere; }
.facts dt { color: var(--soft); font-size: 12px; }
.facts dd { margin: 0; font-variant-numeric: tabular-nums; }
dl.facts { margin-bottom: 0; }
.error { margin: 16px 0 0; padding: 12px 16px; border-left: 4px solid var(--bad);
  background: #fdf3f2; border-radius: 0 6px 6px 0; }
.error b { color: var(--bad); }
.error p { margin: 4px 0 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
th { text-align: left; color: var(--soft); font-weight: 600; font-size: 12px;
  border-bottom: 1px solid #cfd6dc; padding: 5px 12px 5px 0; white-space: nowrap; }
td { border-bottom: 1px solid var(--line); padding: 6px 12px 6px 0; vertical-align: top;
  overflow-wrap: anywhere; }
th:last-child, td:last-child { padding-right: 0; }
.num { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
code { font: 12.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.num + td:not(.num), .num + th:not(.num) { padding-left: 14px; }
.people td:nth-child(2) { width: 34%; }
td code { white-space: nowrap; }
td.name { white-space: nowrap; }
.share { display: block; height: 9px; min-width: 1px; border-radius: 3px; background: var(--run);
  margin-top: 6px; }
details { margin-top: 10px; }
summary { cursor: pointer; color: var(--run); font-size: 13.5px; }
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
.legend { display: flex; gap: 6px 20px; flex-wrap: wrap; margin: 8px 0 0; color: var(--soft);
  font-size: 12.5px; }
.legend i { display: inline-block; width: 22px; height: 11px; border-radius: 3px;
  margin-right: 6px; vertical-align: -1px; background: var(--ok); }
.legend .failed { background: var(--bad); }
.legend .running { background: var(--run); }
.legend .canceled { background: var(--warn); }
.legend .checkpoint { background: repeating-linear-gradient(135deg, var(--ok) 0 3px,
  #b1d0c3 3px 6px); }
.legend .inherited { background: radial-gradient(#dbe9e3 35%, transparent 40%) 0 0 / 6px 6px,
  var(--ok); }
footer { margin-top: 44px; color: var(--soft); font-size: 12.5px; }
@media print { main { padding: 0; max-width: none; } h2 { break-after: avoid; }
  tr, .timeline { break-inside: avoid; } }
""".strip()
