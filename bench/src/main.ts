/**
 * `make bench`: what the product costs, as ratios to a bare server in the same run, CPU time beside
 * wall time; also in .fanfare/bench.json. Exits with 1 where an acknowledged answer is missing or
 * doubled, or a connect failed.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { benchAnswers } from "./answers.js";
import type { AnswersResult } from "./answers-report.js";
import { benchBeside } from "./beside.js";
import { benchConnects } from "./connects.js";
import { benchFanout, type FanoutCase } from "./fanout.js";
import { benchClasses, benchGrowth } from "./growth.js";
import { benchKill } from "./kill.js";
import { benchMemory } from "./memory.js";
import { benchMetrics } from "./metrics.js";
import { readOptions } from "./options.js";
import { benchOverload } from "./overload.js";
import { Profiler } from "./profiler.js";
import { benchRanks } from "./ranks.js";
import { isWrong } from "./stored.js";

const RESULTS = fileURLToPath(new URL("../../.fanfare/bench.json", import.meta.url));
const FULL_FANOUT: FanoutCase[] = [
  { path: "liveScore", sockets: 1_000 },
  { path: "liveScore", sockets: 5_000 },
  { path: "liveScore", sockets: 10_000 },
  { path: "player", sockets: 5_000 },
];
const QUICK_FANOUT: FanoutCase[] = [{ path: "liveScore", sockets: 2_000 }];

const options = readOptions(process.argv.slice(2));
const { quick, players, rounds } = options;
const load = () => loadavg().map((each) => Math.round(each * 10) / 10);
const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
const begun = { at: new Date().toISOString(), load: load() };
console.log(
  `${machine.cores} cores, ${machine.cpu}, Node ${machine.node}; load average ${begun.load.join(" ")}`,
);
if ((begun.load[0] ?? 0) > machine.cores)
  console.log("this machine is busy: trust only the ratios, and run it again");

const results: Record<string, unknown> & { answers?: AnswersResult } = {};
if (options.wants("fanout"))
  results.fanout = await (quick
    ? benchFanout(QUICK_FANOUT, 8, 2)
    : benchFanout(FULL_FANOUT, 10, 3));
if (options.wants("answers")) {
  const answers = await benchAnswers(players, rounds, options.profile ? new Profiler() : undefined);
  if (isWrong(answers)) process.exitCode = 1;
  results.answers = answers;
}
if (options.wants("connect")) {
  const connects = await (quick ? benchConnects(2_000, 2_000, 1) : benchConnects(10_000, 4_000, 3));
  if (connects.fresh.failures + connects.warm.failures > 0) process.exitCode = 1;
  results.connects = connects;
}
if (options.wants("ranks")) results.ranks = await benchRanks(quick ? 20_000 : 100_000, 3);
if (options.wants("kill")) {
  const kill = await benchKill(quick ? 500 : 2_000);
  if (isWrong(kill) || kill.acknowledgedTwice < kill.players) process.exitCode = 1;
  results.kill = kill;
}
if (options.wants("metrics")) {
  const metrics = await benchMetrics(quick ? 2_000 : 10_000);
  const { cpuUs } = gatewayOf(results.answers) ?? {};
  if (cpuUs !== undefined)
    console.log(
      `of the gateway's ${cpuUs.toFixed(1)} µs an answer that is ` +
        `${((metrics.answerNs / 1_000 / cpuUs) * 100).toFixed(1)} %`,
    );
  results.metrics = metrics;
}
if (options.wants("memory")) results.memory = await benchMemory(quick ? 2_000 : 10_000);
if (options.wants("overload")) results.overload = await benchOverload(quick ? 1_000 : 5_000);
if (options.wants("growth"))
  results.growth = await benchGrowth(
    quick ? [1_000, 2_000] : [1_250, 2_500, 5_000, 10_000, 20_000],
  );
if (options.wants("classes")) {
  const classes = await benchClasses(quick ? 50 : 1_000, 20);
  if (classes.strangers > 0) process.exitCode = 1;
  results.classes = classes;
}
if (options.wants("beside")) {
  const beside = await (quick ? benchBeside(1_000, 2) : benchBeside(10_000, 3));
  if (beside.failures > 0) process.exitCode = 1;
  results.beside = beside;
}
mkdirSync(fileURLToPath(new URL(".", `file://${RESULTS}`)), { recursive: true });
writeFileSync(
  RESULTS,
  `${JSON.stringify({ machine, begun, loadAfter: load(), ...results }, null, 2)}\n`,
);
console.log(`\nload average afterwards ${load().join(" ")}; all figures: ${RESULTS}`);

function gatewayOf(answers: AnswersResult | undefined) {
  return answers?.processes.find(({ name }) => name.startsWith("gateway"));
}
