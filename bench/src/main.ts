/**
 * `make bench`: what the product costs, as ratios to a bare server in the same run, CPU time beside
 * wall time. Exits with 1 where an acknowledged answer is missing or doubled.
 */
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { benchAnswers } from "./answers.js";
import { benchConnects } from "./connects.js";
import { benchFanout } from "./fanout.js";

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    players: { type: "string", default: "5000" },
    rounds: { type: "string", default: "4" },
    quick: { type: "boolean", default: false },
  },
});
const wants = (name: string) => !values.only || values.only.includes(name);
const players = Number(values.players);

console.log(
  `load average ${loadavg()
    .map((each) => each.toFixed(1))
    .join(" ")}; machines are noisy, trust the ratios`,
);
if (wants("fanout"))
  await benchFanout(
    values.quick ? [1_000] : [1_000, 5_000, 10_000],
    values.quick ? 6 : 12,
    values.quick ? 2 : 3,
  );
if (wants("answers")) {
  const { lost, doubled } = await benchAnswers(
    values.quick ? Math.min(players, 1_000) : players,
    values.quick ? 2 : Number(values.rounds),
  );
  if (lost !== 0 || doubled !== 0) process.exitCode = 1;
}
if (wants("connect")) {
  const { failures } = await benchConnects(values.quick ? 1_000 : 4_000, 2_000);
  if (failures > 0) process.exitCode = 1;
}
