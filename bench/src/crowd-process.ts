/** A crowd: many sockets in a process of its own, told what to do by messages of the bench. */
import { nowMs, sleep } from "./numbers.js";
import { RawSocket } from "./raw-socket.js";

export type Order =
  | {
      do: "connect";
      port: number;
      path: string;
      count: number;
      perSecond: number;
      hello?: string;
      until: string;
    }
  | { do: "watch"; marker: string }
  | { do: "watched" }
  | { do: "answer"; round: number; overMs: number; doubled: boolean }
  | { do: "leave" };

export interface Report {
  /** Milliseconds each, of what succeeded. */
  latencies: number[];
  failures: number;
  /** Frames by marker value, and when each came, for `watched`. */
  frames: { marker: number; at: number }[];
  bytes: number;
  cpuSeconds: number;
}

const ANSWER_LIMIT_MS = 20_000;
const CONNECT_LIMIT_MS = 30_000;

const sockets: RawSocket[] = [];
let bytes = 0;
let frames: Report["frames"] = [];
let marker: Buffer | undefined;
let accepted: ((index: number) => void) | undefined;

async function join(
  order: Extract<Order, { do: "connect" }>,
): Promise<Pick<Report, "latencies" | "failures">> {
  const latencies: number[] = [];
  let settled = 0;
  const begun = nowMs();
  const from = sockets.length;
  for (let i = 0; i < order.count; i++) {
    const wait = begun + (i * 1_000) / order.perSecond - nowMs();
    if (wait > 1) await sleep(wait);
    const index = from + i;
    const started = nowMs();
    let isIn = false;
    const socket = new RawSocket(order.port, order.path, {
      open() {
        if (order.hello) socket.send(order.hello.replaceAll("%i", String(index)));
      },
      text(payload) {
        bytes += payload.length;
        if (!isIn && payload.includes(order.until)) {
          isIn = true;
          settled++;
          latencies.push(nowMs() - started);
        }
        hear(index, payload);
      },
      close() {
        if (!isIn) settled++;
      },
    });
    sockets.push(socket);
  }
  const limit = nowMs() + CONNECT_LIMIT_MS;
  while (settled < order.count && nowMs() < limit) await sleep(5);
  return { latencies, failures: order.count - latencies.length };
}

function hear(index: number, payload: Buffer): void {
  if (marker) {
    const at = payload.indexOf(marker);
    if (at >= 0)
      frames.push({
        marker: Number.parseInt(
          payload.toString("latin1", at + marker.length, at + marker.length + 12),
          10,
        ),
        at: nowMs(),
      });
  }
  if (accepted && payload.includes('"accepted"')) accepted(index);
}

/** Open loop: everybody at their own time, whatever the server does meanwhile. */
async function answer(
  order: Extract<Order, { do: "answer" }>,
): Promise<Pick<Report, "latencies" | "failures">> {
  const sentAt = new Float64Array(sockets.length);
  const latencies: number[] = [];
  const done = new Uint8Array(sockets.length);
  accepted = (index) => {
    if (done[index]) return;
    done[index] = 1;
    latencies.push(nowMs() - (sentAt[index] ?? 0));
  };
  const begun = nowMs();
  for (let i = 0; i < sockets.length; i++) {
    const wait = begun + (i * order.overMs) / sockets.length - nowMs();
    if (wait > 1) await sleep(wait);
    sentAt[i] = nowMs();
    const frame = `{"answer":{"round":${order.round},"choices":["A"],"submissionId":"s${i}"}}`;
    sockets[i]?.send(frame);
    if (order.doubled) sockets[i]?.send(frame);
  }
  const limit = nowMs() + ANSWER_LIMIT_MS;
  while (latencies.length < sockets.length && nowMs() < limit) await sleep(2);
  accepted = undefined;
  return { latencies, failures: sockets.length - latencies.length };
}

async function obey(order: Order): Promise<Partial<Report>> {
  switch (order.do) {
    case "connect":
      return join(order);
    case "watch":
      marker = Buffer.from(order.marker);
      frames = [];
      bytes = 0;
      return {};
    case "watched":
      return { frames };
    case "answer":
      return answer(order);
    case "leave":
      for (const socket of sockets) socket.end();
      sockets.length = 0;
      return {};
  }
}

process.on("message", async ({ id, order }: { id: number; order: Order }) => {
  const before = process.cpuUsage();
  const part = await obey(order);
  const used = process.cpuUsage(before);
  const report: Report = {
    latencies: [],
    failures: 0,
    frames: [],
    bytes,
    cpuSeconds: (used.user + used.system) / 1e6,
    ...part,
  };
  process.send?.({ id, report });
});
process.on("disconnect", () => process.exit());
