/**
 * (g) Memory of idle players at one gateway: as the resident set grows, and after a collection. The
 * nursery fills up once, whoever comes: the last half of the players shows what one of them costs.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Crowd, ONE_ADDRESS } from "@fanfare/cli/crowd/crowd";
import { type Stack, startStack } from "@fanfare/cli/stack/start-stack";
import { textTable } from "@fanfare/cli/text-table";
import { holdsWithin, sleep } from "./numbers.js";
import { createSession, gatewayOf, JOINED, joinHello, openQuiz } from "./sessions.js";

const SESSION = "memory";
const JOIN_PER_SECOND = 1_500;
const SETTLE_MS = 1_000;
const COLLECT_LIMIT_MS = 10_000;
const FILE = join(tmpdir(), `fanfare-memory-${process.pid}.json`);

/** In bytes. */
interface Memory {
  /** Resident before the collection. */
  before: number;
  rss: number;
  heapUsed: number;
}

interface Step {
  players: number;
  /** KiB for each player that came since the step before. */
  residentKib: number;
  collectedKib: number;
  heapKib: number;
  /** Resident megabytes of the whole process. */
  processMb: number;
}

export interface MemoryResult {
  failures: number;
  steps: Step[];
}

export async function benchMemory(players: number): Promise<MemoryResult> {
  const preload = `--import ${new URL("./collected.js", import.meta.url)}`;
  await using stack = await startStack({
    histories: 0,
    quizMasters: 0,
    env: { gateway: { ...ONE_ADDRESS, NODE_OPTIONS: preload, COLLECTED_FILE: FILE } },
  });
  await using crowd = new Crowd();
  await createSession(openQuiz(stack), SESSION, 1);
  const result: MemoryResult = { failures: 0, steps: [] };
  let last = await collect(stack);
  for (const half of [1, 2]) {
    const { failures } = await crowd.order({
      do: "connect",
      url: `${gatewayOf(stack)}/v1/socket`,
      count: players / 2,
      perSecond: JOIN_PER_SECOND,
      hello: joinHello(SESSION),
      until: JOINED,
    });
    await sleep(SETTLE_MS);
    const now = await collect(stack);
    const kib = (bytes: number) => bytes / 1_024 / (players / 2);
    result.failures += failures;
    result.steps.push({
      players: (players / 2) * half,
      residentKib: kib(now.before - last.rss),
      collectedKib: kib(now.rss - last.rss),
      heapKib: kib(now.heapUsed - last.heapUsed),
      processMb: now.before / 1e6,
    });
    last = now;
  }
  print(result);
  return result;
}

async function collect(stack: Stack): Promise<Memory> {
  rmSync(FILE, { force: true });
  await stack.process("gateway-1").kill("SIGUSR2");
  if (!(await holdsWithin(COLLECT_LIMIT_MS, () => existsSync(FILE))))
    throw new Error("the gateway did not collect its garbage");
  const memory = JSON.parse(readFileSync(FILE, "utf8")) as Memory;
  rmSync(FILE, { force: true });
  return memory;
}

function print({ steps, failures }: MemoryResult): void {
  console.log("\n(g) memory of an idle player at the gateway; target: at most 3 KiB");
  console.log(
    textTable(
      ["players", "KiB each, resident", "after collection", "of it heap", "process MB"],
      steps.map((of) => [
        String(of.players),
        ...[of.residentKib, of.collectedKib, of.heapKib, of.processMb],
      ]),
    ),
  );
  if (failures > 0) console.log(`${failures} could not join`);
}
