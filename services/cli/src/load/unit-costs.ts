/** What one socket, frame, answer, row and player cost, as far as a load can tell. Pure. */
import type { Borders } from "./make-result.js";
import type { LoadResult, UnitCost } from "./result.js";

const KIB = 1_024;
const MIB = 1_024 * 1_024;

export function unitCosts(result: LoadResult, { sizesBefore, sizesAfter }: Borders): UnitCost[] {
  const { services, counts, players } = result;
  const all = () => true;
  const of = (pattern: RegExp) => (name: string) => pattern.test(name);
  const us = (those: (name: string) => boolean) =>
    sum(services.filter(({ name }) => those(name)).map((each) => each.cpuUsPerAnswer));
  const grown = (pattern: RegExp, from: "before" | "joined", to: "joined" | "after") => {
    const those = services.filter(({ name }) => pattern.test(name));
    if (those.length === 0) return undefined;
    return sum(those.map(({ mebibytes }) => (mebibytes[to] - mebibytes[from]) * MIB));
  };
  const frames = counts.frames + counts.liveFrames;
  const costs: (UnitCost | undefined)[] = [
    per(grown(/^gateway/, "before", "joined"), players.joined * KIB, {
      what: "gateway memory per player socket",
      unit: "KiB",
      how: "growth of the gateways' resident memory from before the first join until all were in",
    }),
    per(us(of(/^gateway/)) * counts.acked, frames, {
      what: "gateway CPU per frame to a client",
      unit: "µs",
      how: "all that the gateways used in the rounds, answers included, by all frames",
    }),
    per(us(all) * counts.acked, counts.acked, {
      what: "CPU per answer, all of these processes",
      unit: "µs",
      how: "from the first question to the end, without idling: questions, reveals, boards and results too",
    }),
    per(us(of(/^(history|postgres)/)) * counts.acked, counts.acked, {
      what: "CPU per row in PostgreSQL",
      unit: "µs",
      how: "history writer and PostgreSQL, without idling",
    }),
    per(us(of(/^(leaderboard|redis)/)) * counts.acked, counts.acked, {
      what: "CPU per answer on the board",
      unit: "µs",
      how: "leaderboard and Redis, without idling",
    }),
    per(difference(sizesBefore.redisBytes, sizesAfter.redisBytes), players.joined, {
      what: "Redis memory per player",
      unit: "bytes",
      how: "growth of used_memory over the load; other sessions count too",
    }),
    per(difference(sizesBefore.logBytes, sizesAfter.logBytes), counts.acked, {
      what: "JetStream file bytes per answer",
      unit: "bytes",
      how: "growth of the log over the load, joins included; other sessions count too",
    }),
    per(grown(/^nats/, "joined", "after"), counts.acked, {
      what: "NATS memory per answer",
      unit: "bytes",
      how: "growth of its resident memory from the first question to the end",
    }),
  ];
  return costs.filter((cost) => cost !== undefined);
}

function per(
  total: number | undefined,
  count: number,
  of: Pick<UnitCost, "what" | "unit" | "how">,
): UnitCost | undefined {
  // A process that has been larger before takes new sockets into memory that it has.
  if (total === undefined || total <= 0 || count <= 0) return undefined;
  return { ...of, value: total / count };
}

function difference(before: number | undefined, after: number | undefined): number | undefined {
  return before === undefined || after === undefined ? undefined : after - before;
}

function sum(values: readonly number[]): number {
  return values.reduce((all, each) => all + each, 0);
}
