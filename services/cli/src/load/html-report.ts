/** A load's result as one page that needs nothing else: for a browser, in light or dark, at any width. Pure. */

import { holds } from "../ledgers/compare.js";
import { reportPlots } from "./report-plots.js";
import type { LoadResult } from "./result.js";
import { escaped } from "./svg-plot.js";
import { agreement } from "./text-report.js";
import { TITLES } from "./titles.js";

const STYLE = `
:root{color-scheme:light dark;--ink:#1c2330;--soft:#5b6575;--paper:#fff;--card:#f5f6f8;--line:#d9dde3;--good:#1a7f4b;--bad:#c0262d;
--c0:#2563eb;--c1:#d9480f;--c2:#2b8a3e;--c3:#9c36b5;--c4:#0b7285;--c5:#e67700;--c6:#5f3dc4;--c7:#868e96}
@media(prefers-color-scheme:dark){:root{--ink:#e8ebf0;--soft:#9aa4b2;--paper:#12161d;--card:#1b212b;--line:#323b48;--good:#4ade80;--bad:#ff7b7b;
--c0:#6ea8fe;--c1:#ff922b;--c2:#69db7c;--c3:#da77f2;--c4:#3bc9db;--c5:#ffd43b;--c6:#9775fa;--c7:#adb5bd}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:76rem;margin:0 auto;padding:1.25rem}h1{font-size:1.5rem;margin:0 0 .25rem}h2{font-size:1.15rem;margin:2rem 0 .5rem}
.soft{color:var(--soft)}.verdict{border-left:4px solid var(--good);background:var(--card);padding:.75rem 1rem;margin:1rem 0;border-radius:0 6px 6px 0}
.verdict.bad{border-color:var(--bad)}.verdict p{margin:.15rem 0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.6rem;margin:1rem 0}
.tiles div{background:var(--card);border-radius:6px;padding:.6rem .8rem}.tiles b{display:block;font-size:1.35rem}.tiles span{color:var(--soft);font-size:.85rem}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:1rem}
figure{margin:0;background:var(--card);border-radius:6px;padding:.75rem}figcaption{font-weight:600}figcaption small,.legend{color:var(--soft);font-weight:400;font-size:.85rem}
.legend{margin:.3rem 0 0;display:flex;flex-wrap:wrap;gap:.2rem .9rem}.legend i{display:inline-block;width:.7em;height:.7em;border-radius:2px;margin-right:.35em}
svg{width:100%;height:auto;display:block}.grid{stroke:var(--line)}.tick,.label{fill:var(--soft);font-size:12px}.line{fill:none;stroke-width:2;stroke-linejoin:round}.bar{fill:var(--c0)}
${Array.from({ length: 8 }, (_, i) => `.line.c${i}{stroke:var(--c${i})}i.c${i}{background:var(--c${i})}`).join("")}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.92rem}
th,td{padding:.35rem .6rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}th:first-child,td:first-child{text-align:left}th{color:var(--soft);font-weight:600}
@media(max-width:36rem){.tick,.label{font-size:19px}.line{stroke-width:3}}
.how{white-space:normal;text-align:left;color:var(--soft);min-width:14rem}.good{color:var(--good)}.badtext{color:var(--bad)}`;

export function htmlReport(result: LoadResult): string {
  const { name, at, machine } = result;
  const on = `${machine.cores} cores, ${machine.cpu}, Node ${machine.node}, load average before ${numberText(machine.loadBefore[0] ?? 0)}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Load ${escaped(name)}</title><style>${STYLE}</style></head><body><main>
<h1>Load ${escaped(name)}</h1>
<p class="soft">${escaped(at)}, from ${escaped(on)}</p>
${verdicts(result)}
${tiles(result)}
<h2>Times</h2>${timesTable(result)}
<h2>Over time</h2><div class="plots">${reportPlots(result)}</div>
<h2>Ledgers</h2>${ledgersTable(result)}
${result.services.length > 0 ? `<h2>Services</h2>${servicesTable(result)}` : ""}
${result.unitCosts.length > 0 ? `<h2>Unit costs</h2>${costsTable(result)}` : ""}
<h2>What was asked for</h2>${optionsTable(result)}
</main></body></html>
`;
}

function verdicts({ broken, counts, ledgers, generator }: LoadResult): string {
  const kept = broken.length === 0;
  const lines = kept ? [`${agreement(counts, ledgers)} Every limit was kept.`] : broken;
  const box = (isBad: boolean, texts: readonly string[]) =>
    `<div class="verdict${isBad ? " bad" : ""}">${texts.map((text) => `<p>${escaped(text)}</p>`).join("")}</div>`;
  return box(!kept, lines) + box(generator.wasBottleneck, [generator.sentence]);
}

function tiles({ players, counts, times, seconds, perClientAndRound }: LoadResult): string {
  const tile = (value: string, what: string) =>
    `<div><b>${escaped(value)}</b><span>${escaped(what)}</span></div>`;
  return `<div class="tiles">${[
    tile(`${whole(players.joined)} / ${whole(players.asked)}`, "players joined"),
    tile(whole(counts.acked), `answers acknowledged in ${Math.round(seconds)} s`),
    tile(`${numberText(times.ack.p99)} ms`, "answer acknowledged, p99"),
    tile(`${numberText(times.connect.p99)} ms`, "connect to joined, p99"),
    tile(`${numberText(times.skew.max)} ms`, "question, first to last socket"),
    tile(`${numberText(perClientAndRound.bytes / 1_024)} KiB`, "to each player and round"),
    tile(`${whole(counts.returns)} / ${whole(counts.leaves)}`, "came back / left"),
    tile(whole(counts.drops), "sockets dropped by the server"),
  ].join("")}</div>`;
}

function timesTable({ times }: LoadResult): string {
  const rows = (Object.keys(TITLES) as (keyof typeof TITLES)[])
    .filter((name) => times[name].count > 0)
    .map((name) => {
      const { count, p50, p90, p99, p999, max } = times[name];
      return [TITLES[name], whole(count), ...[p50, p90, p99, p999, max].map(numberText)];
    });
  return table(["ms", "count", "p50", "p90", "p99", "p99.9", "max"], rows);
}

function ledgersTable({ ledgers }: LoadResult): string {
  const mark = (ok: boolean, text: string) =>
    `<span class="${ok ? "good" : "badtext"}">${ok ? "✓" : "✗"}</span> ${escaped(text)}`;
  const told = (of: { lost: number; doubled: number; differing: number }) =>
    `${of.lost} lost, ${of.doubled} doubled, ${of.differing} differ`;
  const head = ["session", "acknowledged", "log", "PostgreSQL", "board"];
  const rows = ledgers.map(({ session, acknowledged, log, logNotChecked, postgres, board }) => [
    escaped(session),
    whole(acknowledged),
    log ? mark(holds(log), told(log)) : escaped(`not checked: ${logNotChecked}`),
    mark(holds(postgres), told(postgres)),
    mark(
      board.differences === 0,
      `${board.players} players from ${board.store}, ${board.differences} differ`,
    ),
  ]);
  return markupTable(head, rows);
}

function servicesTable({ services }: LoadResult): string {
  return table(
    ["process", "CPU s", "CPU µs per answer", "MiB before", "joined", "after"],
    services.map(({ name, cpuSeconds, cpuUsPerAnswer, mebibytes }) => [
      name,
      ...[cpuSeconds, cpuUsPerAnswer, mebibytes.before, mebibytes.joined, mebibytes.after].map(
        numberText,
      ),
    ]),
  );
}

function costsTable({ unitCosts }: LoadResult): string {
  return markupTable(
    ["what", "", "", "how"],
    unitCosts.map(({ what, value, unit, how }) => [
      escaped(what),
      numberText(value),
      escaped(unit),
      `<div class="how">${escaped(how)}</div>`,
    ]),
  );
}

function optionsTable({ options }: LoadResult): string {
  const rows = Object.entries(options)
    .filter(([, value]) => value !== undefined && JSON.stringify(value) !== "[]")
    .map(([name, value]) => [
      name,
      typeof value === "object" ? JSON.stringify(value) : String(value),
    ]);
  return `<details><summary>Every option</summary>${table(["option", "value"], rows)}</details>`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return markupTable(
    head,
    rows.map((row) => row.map(escaped)),
  );
}

/** Cells are markup already. */
function markupTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (tag: string, cells: readonly string[]) =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join("")}</tr>`;
  return `<div class="scroll"><table><thead>${row("th", head.map(escaped))}</thead><tbody>${rows.map((cells) => row("td", cells)).join("")}</tbody></table></div>`;
}

const whole = (value: number) => value.toLocaleString("en");

function numberText(value: number): string {
  return Math.abs(value) >= 100 ? whole(Math.round(value)) : String(Math.round(value * 100) / 100);
}
