/** A load as a terminal shows it: the line while it runs, and the tables at its end. Pure. */

import type { Comparison } from "../ledgers/compare.js";
import { textTable } from "../text-table.js";
import type { LoadResult, Times } from "./result.js";
import type { Second } from "./timeline.js";
import { TITLES } from "./titles.js";

export function progressLine(second: Second, total: { drops: number }): string {
  const { sockets, counts, ackP50Ms, ackP99Ms } = second;
  const clock = `${String(Math.floor(second.second / 60)).padStart(2, "0")}:${String(second.second % 60).padStart(2, "0")}`;
  return [
    clock,
    `${sockets} sockets`,
    `connects ${counts.admitted}/${counts.offered} per s`,
    `answers ${counts.acked}/s`,
    `ack p50 ${ackP50Ms.toFixed(1)} p99 ${ackP99Ms.toFixed(1)} ms`,
    `${total.drops} drops`,
  ].join("  ");
}

export function textReport(result: LoadResult): string {
  return [
    playersLines(result),
    timesTable(result),
    trafficLines(result),
    ...(result.services.length > 0 ? [servicesTable(result)] : []),
    ...(result.unitCosts.length > 0 ? [costsTable(result)] : []),
    ledgerLines(result),
    result.generator.sentence,
    endLines(result),
  ].join("\n\n");
}

function playersLines({ players, counts, options, seconds }: LoadResult): string {
  const missing = Object.entries(players.missing).map(([why, n]) => `${n} ${why}`);
  return [
    `${players.joined} of ${players.asked} players joined${missing.length > 0 ? ` (missing: ${missing.join(", ")})` : ""}; ${options.rounds} rounds in ${options.sessions} session${options.sessions === 1 ? "" : "s"}, ${Math.round(seconds)} s`,
    `${counts.acked} answers acknowledged of ${counts.sent} sent and ${counts.due} due; ${counts.refused} refused, ${counts.resent} sent again`,
    `${counts.leaves} players left and ${counts.returns} came back; ${counts.drops} sockets were dropped by the server; told to slow down ${counts.slowDowns} times`,
  ].join("\n");
}

function timesTable({ times }: LoadResult): string {
  const rows = (Object.keys(TITLES) as (keyof typeof TITLES)[])
    .filter((name) => times[name].count > 0)
    .map((name) => [TITLES[name], ...numbersOf(times[name])]);
  return textTable(["ms", "count", "p50", "p90", "p99", "p99.9", "max"], rows);
}

function numbersOf({ count, p50, p90, p99, p999, max }: Times): number[] {
  return [count, p50, p90, p99, p999, max];
}

function trafficLines({ perClientAndRound, kinds, counts }: LoadResult): string {
  const { frames, bytes } = perClientAndRound;
  const byKind = Object.entries(kinds)
    .sort(([, a], [, b]) => b.bytes - a.bytes)
    .map(([kind, each]) => `${kind} ${Math.round(each.bytes / each.frames)} B`);
  return [
    `to each player and round ${frames.toFixed(1)} frames, ${Math.round(bytes)} bytes (${byKind.join(", ")})`,
    `to spectators and watchers ${counts.liveFrames} frames`,
  ].join("\n");
}

function servicesTable({ services }: LoadResult): string {
  return textTable(
    ["process", "CPU s", "CPU µs/answer", "MiB before", "joined", "after"],
    services.map(({ name, cpuSeconds, cpuUsPerAnswer, mebibytes }) => [
      name,
      cpuSeconds,
      cpuUsPerAnswer,
      mebibytes.before,
      mebibytes.joined,
      mebibytes.after,
    ]),
  );
}

function costsTable({ unitCosts }: LoadResult): string {
  return textTable(
    ["unit cost", "", ""],
    unitCosts.map(({ what, value, unit }) => [what, value, unit]),
  );
}

function ledgerLines({ ledgers }: LoadResult): string {
  return ledgers
    .map(({ session, acknowledged, answers, log, logNotChecked, postgres, board }) =>
      [
        `${session}: ${acknowledged} acknowledged`,
        `  log         ${log ? told(log) : `not checked: ${logNotChecked}`}`,
        `  PostgreSQL  ${told(postgres)}; ${answers} rows`,
        `  board       ${board.players} players from ${board.store}, ${board.differences} differ from the sum of the rows`,
      ].join("\n"),
    )
    .join("\n");
}

function told({ lost, doubled, refused, differing, unacknowledged }: Comparison): string {
  const more = unacknowledged > 0 ? `, ${unacknowledged} of others or without a reply` : "";
  return `${lost} lost, ${doubled} doubled, ${differing} differ, ${refused} refused and there${more}`;
}

function endLines({ broken, slos, counts, ledgers }: LoadResult): string {
  const kept = slos
    .filter((slo) => slo.kept)
    .map(
      ({ time, share, limitMs, valueMs }) =>
        `${time} ${share} ${valueMs.toFixed(1)} ms of ${limitMs} ms`,
    );
  return [
    ...(ledgers.every(({ broken }) => broken.length === 0) ? [agreement(counts, ledgers)] : []),
    ...(kept.length > 0 ? [`kept: ${kept.join(", ")}`] : []),
    ...(broken.length > 0 ? ["BROKEN:", ...broken.map((what) => `  ${what}`)] : []),
  ].join("\n");
}

/** What agrees on how much. */
export function agreement(
  { acked }: Pick<LoadResult["counts"], "acked">,
  ledgers: LoadResult["ledgers"],
): string {
  const isWhole = ledgers.every(({ log }) => log);
  return isWhole
    ? `All ledgers agree on ${acked} acknowledged answers.`
    : `Players, PostgreSQL and board agree on ${acked} acknowledged answers; the log was not checked.`;
}
