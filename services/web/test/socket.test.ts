/** The pages' socket while the device's wall clock is set, with clocks and sockets that the test moves. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FanfareSocket } from "../public/assets/socket.js";
import { StagedSocket, stagePage, strikePage } from "./staged-page.js";

const HEARTBEAT_S = 16;
const PONG_WAIT_MS = 5_000;
/** Full jitter: the first try to come back is within half a second. */
const BACK_WITHIN_MS = 500;

beforeEach(() => {
  stagePage();
});
afterEach(strikePage);

/** A player who is in, whose first pings are answered. */
function joined() {
  const socket = new FanfareSocket({ resumeToken: "ticket" });
  socket.connect();
  const [line] = StagedSocket.all as [StagedSocket];
  line.dispatchEvent(new Event("open"));
  const serverTime = () => new Date().toISOString();
  line.says({
    hello: { protocolVersion: 1, serverTime: serverTime(), heartbeatSeconds: HEARTBEAT_S },
  });
  line.says({ joined: { sessionId: "quiz_1", phase: "PHASE_LOBBY" } });
  vi.advanceTimersByTime(1_000);
  for (const { id } of line.pings) line.says({ pong: { id, serverTime: serverTime() } });
  line.sent.length = 0;
  return { socket, line };
}

const setClock = (byMs: number) => vi.setSystemTime(Date.now() + byMs);

test.each([0, 60_000, -60_000, -3_600_000])(
  "a line that died is noticed where the wall clock was set by %s ms",
  (step) => {
    const { line } = joined();
    setClock(step);
    vi.advanceTimersByTime(2 * HEARTBEAT_S * 1_000);
    expect(line.pings.length).toBeGreaterThan(0);
    vi.advanceTimersByTime(PONG_WAIT_MS + BACK_WITHIN_MS);
    expect(StagedSocket.all.length).toBeGreaterThan(1);
    expect(line.readyState).toBe(3);
  },
);

test("a line that lives is kept where the wall clock was set", () => {
  const { line } = joined();
  for (const step of [60_000, -3_600_000, 3_600_000]) {
    setClock(step);
    for (let second = 0; second < 60; second++) {
      vi.advanceTimersByTime(1_000);
      for (const { id } of line.pings.splice(0))
        line.says({ pong: { id, serverTime: new Date().toISOString() } });
      line.sent.length = 0;
    }
  }
  expect(StagedSocket.all).toHaveLength(1);
});

test("the server's clock is read anew after a step, without waiting for silence", () => {
  const { socket, line } = joined();
  const before = socket.clock.now();
  setClock(-3_600_000);
  vi.advanceTimersByTime(2_000);
  expect(line.pings).toHaveLength(3);
  expect(socket.clock.now() - before).toBe(2_000);
});

test("an order to stay away a while holds, however the wall clock is set", () => {
  const { line } = joined();
  line.says({ reconnect: { delayMs: 4_000 } });
  setClock(60_000);
  line.dispatchEvent(Object.assign(new Event("close"), { code: 4001, reason: "restarting" }));
  vi.advanceTimersByTime(3_900);
  expect(StagedSocket.all).toHaveLength(1);
  vi.advanceTimersByTime(200);
  expect(StagedSocket.all).toHaveLength(2);
});
