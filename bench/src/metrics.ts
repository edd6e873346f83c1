/** (f) What metrics cost: counting at an answer and at a delivery, and a page read with many sockets. */
import { nowMs } from "@fanfare/cli/crowd/clock";
import { Crowd, ONE_ADDRESS } from "@fanfare/cli/crowd/crowd";
import { cpuSeconds } from "@fanfare/cli/crowd/process-usage";
import { type Stack, startStack } from "@fanfare/cli/stack/start-stack";
import { textTable } from "@fanfare/cli/text-table";
import { median, percentile, sleep } from "./numbers.js";
import { gatewayOf } from "./sessions.js";

const CONNECT_PER_SECOND = 2_500;
const PAGES = 40;
const IDLE_MS = 2_000;
const SECONDS_BETWEEN_PAGES = 15;
const COUNTED = 400_000;
const TURNS = 7;
/** Answers that travel as one call where a crowd answers (ADR 7: some 50 to 100). */
const BATCH = 50;
/** Sockets of the room whose deliveries are counted. */
const ROOM = 1_000;
const OPEN_METRICS = "application/openmetrics-text;version=1.0.0";

/** The gateway's definitions, of which the bench knows what it calls. */
interface GatewayMetrics {
  framesReceived: Labelled;
  framesEncoded: Labelled;
  framesSent: Labelled;
  answers: Labelled;
  sentBytes: { add(count: number): void };
  answerBatch: { observe(value: number): void };
  answerAck: { observe(seconds: number): void };
  called(method: string, seconds: number): void;
}
interface Labelled {
  add(value: string, count?: number): void;
}

export interface MetricsResult {
  answerNs: number;
  deliveryNs: number;
  sockets: number;
  pages: { form: string; kib: number; p50Ms: number; maxMs: number; cpuMs: number }[];
}

export async function benchMetrics(sockets: number): Promise<MetricsResult> {
  const { answerNs, deliveryNs } = await countingCosts();
  await using stack = await startStack({
    quiz: 1,
    leaderboards: 0,
    histories: 0,
    quizMasters: 0,
    env: { gateway: ONE_ADDRESS },
  });
  await using crowd = new Crowd();
  const url = `${gatewayOf(stack)}/livescore/metrics`;
  const of = { count: sockets, perSecond: CONNECT_PER_SECOND, url };
  const { failures } = await crowd.order({ do: "connect", ...of, until: "[" });
  if (failures > 0) throw new Error(`${failures} sockets did not open`);
  const pages = [await readPages(stack, "text/plain"), await readPages(stack, OPEN_METRICS)];
  const result = { answerNs, deliveryNs, sockets, pages };
  print(result);
  return result;
}

/** What the handlers count for one answer, and the broadcaster for one socket, in nanoseconds. */
async function countingCosts(): Promise<{ answerNs: number; deliveryNs: number }> {
  const file = new URL("../../services/gateway/dist/metrics.js", import.meta.url).href;
  const module = (await import(file)) as { GatewayMetrics: new () => GatewayMetrics };
  const metrics = new module.GatewayMetrics();
  const accepted = JSON.stringify({ accepted: { round: 12, submissionId: "s".repeat(20) } });
  const board = "x".repeat(600);
  const answer = (i: number) => {
    metrics.framesReceived.add("answer");
    metrics.answers.add("accepted");
    metrics.answerAck.observe((i % 100) / 1_000);
    metrics.framesEncoded.add("accepted");
    metrics.framesSent.add("accepted");
    metrics.sentBytes.add(Buffer.byteLength(accepted));
    if (i % BATCH > 0) return;
    metrics.answerBatch.observe(BATCH);
    metrics.called("SubmitAnswers", 0.01);
  };
  const deliver = () => {
    metrics.framesSent.add("board", ROOM);
    metrics.sentBytes.add(Buffer.byteLength(board) * ROOM);
  };
  return { answerNs: nsOf(answer), deliveryNs: nsOf(deliver) / ROOM };
}

/** CPU time: the median of some turns, of which the first ones warm the code up. */
function nsOf(work: (i: number) => void): number {
  const turns = Array.from({ length: TURNS }, () => {
    const before = process.cpuUsage();
    for (let i = 0; i < COUNTED; i++) work(i);
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1_000) / COUNTED;
  });
  return median(turns.slice(2));
}

async function readPages(stack: Stack, accept: string) {
  const { adminUrl, pid = 0 } = stack.process("gateway-1");
  const read = async () => (await fetch(`${adminUrl}/metrics`, { headers: { accept } })).text();
  const kib = Buffer.byteLength(await read()) / 1_024;
  const idle = await cpuOver(pid, () => sleep(IDLE_MS));
  const times: number[] = [];
  const used = await cpuOver(pid, async () => {
    for (let i = 0; i < PAGES; i++) {
      const begun = nowMs();
      await read();
      times.push(nowMs() - begun);
    }
  });
  const cpuMs = (used.cpuMs - (idle.cpuMs * used.wallMs) / idle.wallMs) / PAGES;
  const form = accept === OPEN_METRICS ? "OpenMetrics" : "text";
  return { form, kib, p50Ms: percentile(times, 0.5), maxMs: percentile(times, 1), cpuMs };
}

async function cpuOver(pid: number, work: () => Promise<void>) {
  const [cpu, begun] = [cpuSeconds(pid), nowMs()];
  await work();
  return { cpuMs: (cpuSeconds(pid) - cpu) * 1_000, wallMs: nowMs() - begun };
}

function print({ answerNs, deliveryNs, sockets, pages }: MetricsResult): void {
  console.log(`\n(f) metrics, at a gateway with ${sockets} sockets`);
  console.log(
    `counting takes ${(answerNs / 1_000).toFixed(2)} µs an answer (a batch of ${BATCH}), ` +
      `${deliveryNs.toFixed(2)} ns a delivery (a room of ${ROOM})`,
  );
  console.log(
    textTable(
      ["page", "KiB", "p50 ms", "max", "CPU ms", `% of a core, every ${SECONDS_BETWEEN_PAGES} s`],
      pages.map(({ form, kib, p50Ms, maxMs, cpuMs }) => [
        ...[form, kib, p50Ms, maxMs, cpuMs],
        (cpuMs / 1_000 / SECONDS_BETWEEN_PAGES) * 100,
      ]),
    ),
  );
}
