/** What a crowd does for a benchmark: many plain sockets that connect, watch and answer when told to. */

import { RawSocket } from "@fanfare/common/raw-socket";
import { settlesWithin } from "@fanfare/common/servers/wait";
import { actAt, nowMs } from "./clock.js";
import { Histogram } from "./histogram.js";

export type Drill =
  /**
   * `count` more sockets, each in once a frame holds `until`; `%i` in `hello` is its number. With
   * `groupSize`, `%g` is the number of its group, and every frame that names another one (`group-7`)
   * is counted.
   */
  | {
      do: "connect";
      url: string;
      count: number;
      perSecond: number;
      hello?: string;
      until: string;
      groupSize?: number;
    }
  /** Notes frames with this text from now on, by the number behind it. */
  | { do: "watch"; marker: string }
  | { do: "watched" }
  /** Every socket answers once, evenly spread over this time. */
  | { do: "answer"; round: number; overMs: number };

export interface DrillReport {
  /** In ms from when each was due, of what succeeded: a crowd that is late itself hides nothing. */
  latencies: number[];
  failures: number;
  /** 99th percentile of how much later than due the crowd acted, in ms. */
  lateMs: number;
  /** Frames so far that named another group than their socket's. */
  strangers: number;
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
let seen: DrillReport["seen"] = [];
let sample = "";
let strangers = 0;
let watchedSince = usage();

/** Resolves when the drill is done or its time is up. */
export async function drill(order: Drill): Promise<DrillReport> {
  const before = order.do === "watched" ? watchedSince : usage();
  const part = await obey(order);
  const after = usage();
  return {
    latencies: [],
    failures: 0,
    lateMs: 0,
    acknowledged: [],
    seen: [],
    sample: "",
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    wallSeconds: (after.at - before.at) / 1_000,
    strangers,
    ...part,
  };
}

async function obey(order: Drill): Promise<Partial<DrillReport>> {
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

function usage() {
  const { user, system } = process.cpuUsage();
  return { cpuSeconds: (user + system) / 1e6, at: nowMs() };
}

function submissionId(round: number, player: number): string {
  return `r${round}-${player}`;
}

/** `count` acts, `perMs` in a ms. Returns how late they were. */
async function paced(
  count: number,
  perMs: number,
  act: (i: number, due: number) => void,
): Promise<Histogram> {
  const late = new Histogram();
  const begun = nowMs();
  const times = Array.from({ length: count }, (_, i) => begun + i / perMs);
  await actAt(times, (i, due) => {
    late.add(nowMs() - due);
    act(i, due);
  });
  return late;
}

/** Resolves once `countDown` was called `count` times. */
function countdown(count: number) {
  let left = count;
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const countDown = () => {
    if (--left === 0) end();
  };
  return { ended, countDown };
}

async function join(order: Extract<Drill, { do: "connect" }>): Promise<Partial<DrillReport>> {
  const latencies: number[] = [];
  const { ended, countDown } = countdown(order.count);
  const from = sockets.length;
  const url = new URL(order.url);
  const late = await paced(order.count, order.perSecond / 1_000, (i, due) => {
    const index = from + i;
    let isIn = false;
    const group = Math.floor(index / (order.groupSize ?? Number.POSITIVE_INFINITY));
    const socket = new RawSocket(url, {
      open() {
        if (order.hello)
          socket.send(order.hello.replaceAll("%i", String(index)).replaceAll("%g", String(group)));
      },
      text(payload) {
        if (order.groupSize !== undefined && namesAnother(payload, group)) strangers++;
        if (isIn) return onFrame(index, payload);
        if (!payload.includes(order.until)) return;
        isIn = true;
        latencies.push(nowMs() - due);
        countDown();
      },
      close() {
        if (!isIn) countDown();
      },
    });
    sockets.push(socket);
  });
  await settlesWithin(CONNECT_LIMIT_MS, ended);
  return { latencies, failures: order.count - latencies.length, lateMs: late.at(0.99) };
}

const GROUP = Buffer.from("group-");

function namesAnother(payload: Buffer, group: number): boolean {
  for (let at = payload.indexOf(GROUP); at >= 0; at = payload.indexOf(GROUP, at + 1)) {
    const from = at + GROUP.length;
    if (Number.parseInt(payload.toString("latin1", from, from + DIGITS_MAX), 10) !== group)
      return true;
  }
  return false;
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
}: Extract<Drill, { do: "answer" }>): Promise<Partial<DrillReport>> {
  const dueAt = new Float64Array(sockets.length);
  const latencies: number[] = [];
  const acknowledged: string[] = [];
  const { ended, countDown } = countdown(sockets.length);
  onFrame = (index, payload) => {
    const id = submissionId(round, index);
    if (!payload.includes(`"${id}"`)) return;
    const isAccepted = payload.includes('"accepted"');
    if (isAccepted) {
      acknowledged.push(id);
      latencies.push(nowMs() - (dueAt[index] ?? 0));
    }
    if (isAccepted || payload.includes('"refused"')) countDown();
  };
  const late = await paced(sockets.length, sockets.length / overMs, (i, due) => {
    dueAt[i] = due;
    const choice = CHOICES[i % CHOICES.length];
    sockets[i]?.send(
      `{"answer":{"round":${round},"choices":["${choice}"],"submissionId":"${submissionId(round, i)}"}}`,
    );
  });
  await settlesWithin(ANSWER_LIMIT_MS, ended);
  const failures = sockets.length - latencies.length;
  return { latencies, failures, lateMs: late.at(0.99), acknowledged };
}
