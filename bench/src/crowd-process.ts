/** A crowd: many sockets in a process of its own, told what to do by messages of the bench. */
import { holdsWithin, nowMs, percentile, sleep } from "./numbers.js";
import { RawSocket } from "./raw-socket.js";

export type Order =
  /** `count` more sockets, each in once a frame holds `until`; `%i` in `hello` is its number. */
  | {
      do: "connect";
      port: number;
      path: string;
      count: number;
      perSecond: number;
      hello?: string;
      until: string;
    }
  /** Notes frames with this text from now on, by the number behind it. */
  | { do: "watch"; marker: string }
  | { do: "watched" }
  /** Every socket answers once, evenly spread over this time. */
  | { do: "answer"; round: number; overMs: number };

export interface Report {
  /** In ms from when each was due, of what succeeded: a crowd that is late itself hides nothing. */
  latencies: number[];
  failures: number;
  /** 99th percentile of how much later than due the crowd acted, in ms. */
  lateMs: number;
  /** Submission ids of acknowledged answers. */
  acknowledged: string[];
  /** Noted frames and when each came, and one of them as text. */
  seen: { marker: number; at: number }[];
  sample: string;
  /** This process's CPU since the order (for `watched`: since `watch`), and the time that passed. */
  cpuSeconds: number;
  wallSeconds: number;
}

const ANSWER_LIMIT_MS = 10_000;
const CONNECT_LIMIT_MS = 20_000;
/** Digits of a marker's number, at most. */
const DIGITS_MAX = 12;
const CHOICES = "ABCD";

const sockets: RawSocket[] = [];
let onFrame: (index: number, payload: Buffer) => void = () => {};
let seen: Report["seen"] = [];
let sample = "";
let watchedSince = usage();

export function submissionId(round: number, player: number): string {
  return `r${round}-${player}`;
}

function usage() {
  const { user, system } = process.cpuUsage();
  return { cpuSeconds: (user + system) / 1e6, at: nowMs() };
}

/** Open loop: each at its own time, whatever the server does meanwhile. Returns how late each was. */
async function paced(
  count: number,
  perMs: number,
  act: (i: number, due: number) => void,
): Promise<number[]> {
  const late: number[] = [];
  const begun = nowMs();
  for (let i = 0; i < count; i++) {
    const due = begun + i / perMs;
    if (due > nowMs()) await sleep(due - nowMs());
    late.push(nowMs() - due);
    act(i, due);
  }
  return late;
}

async function join(order: Extract<Order, { do: "connect" }>): Promise<Partial<Report>> {
  const latencies: number[] = [];
  let failures = 0;
  const from = sockets.length;
  const late = await paced(order.count, order.perSecond / 1_000, (i, due) => {
    const index = from + i;
    let isIn = false;
    const socket = new RawSocket(order.port, order.path, {
      open() {
        if (order.hello) socket.send(order.hello.replaceAll("%i", String(index)));
      },
      text(payload) {
        if (isIn) return onFrame(index, payload);
        if (!payload.includes(order.until)) return;
        isIn = true;
        latencies.push(nowMs() - due);
      },
      close() {
        if (!isIn) failures++;
      },
    });
    sockets.push(socket);
  });
  await holdsWithin(CONNECT_LIMIT_MS, () => latencies.length + failures >= order.count);
  return {
    latencies,
    failures: order.count - latencies.length,
    lateMs: percentile(late, 0.99),
  };
}

function watch(marker: string): void {
  const text = Buffer.from(marker);
  seen = [];
  sample = "";
  watchedSince = usage();
  onFrame = (_, payload) => {
    const at = payload.indexOf(text);
    if (at < 0) return;
    const from = at + text.length;
    const number = Number.parseInt(payload.toString("latin1", from, from + DIGITS_MAX), 10);
    seen.push({ marker: number, at: nowMs() });
    if (sample === "") sample = payload.toString();
  };
}

async function answer({
  round,
  overMs,
}: Extract<Order, { do: "answer" }>): Promise<Partial<Report>> {
  const dueAt = new Float64Array(sockets.length);
  const latencies: number[] = [];
  const acknowledged: string[] = [];
  let failures = 0;
  onFrame = (index, payload) => {
    const id = submissionId(round, index);
    if (!payload.includes(`"${id}"`)) return;
    if (payload.includes('"accepted"')) {
      acknowledged.push(id);
      latencies.push(nowMs() - (dueAt[index] ?? 0));
    } else if (payload.includes('"refused"')) failures++;
  };
  const late = await paced(sockets.length, sockets.length / overMs, (i, due) => {
    dueAt[i] = due;
    const choice = CHOICES[i % CHOICES.length];
    sockets[i]?.send(
      `{"answer":{"round":${round},"choices":["${choice}"],"submissionId":"${submissionId(round, i)}"}}`,
    );
  });
  await holdsWithin(ANSWER_LIMIT_MS, () => latencies.length + failures >= sockets.length, 2);
  return {
    latencies,
    failures: sockets.length - latencies.length,
    lateMs: percentile(late, 0.99),
    acknowledged,
  };
}

async function obey(order: Order): Promise<Partial<Report>> {
  switch (order.do) {
    case "connect":
      return join(order);
    case "watch":
      watch(order.marker);
      return {};
    case "watched":
      return { seen, sample };
    case "answer":
      return answer(order);
  }
}

process.on("message", async ({ id, order }: { id: number; order: Order }) => {
  const before = order.do === "watched" ? watchedSince : usage();
  const part = await obey(order);
  const after = usage();
  const report: Report = {
    latencies: [],
    failures: 0,
    lateMs: 0,
    acknowledged: [],
    seen: [],
    sample: "",
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    wallSeconds: (after.at - before.at) / 1_000,
    ...part,
  };
  process.send?.({ id, report });
});
process.on("disconnect", () => process.exit());
