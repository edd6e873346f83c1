/** Countdowns while the device's wall clock is set, or the device sleeps. */
import { expect, test } from "vitest";
import { Deadline } from "../public/assets/deadline.js";
import { ServerClock } from "../public/assets/server-clock.js";

const SERVER_MS = Date.parse("2026-11-30T10:00:00Z");

/** A device whose clocks the test moves; its wall clock is wrong by a minute from the beginning. */
function device() {
  const at = { monotonic: 5_000, wall: SERVER_MS - 60_000, server: SERVER_MS };
  const clock = new ServerClock(
    () => at.monotonic,
    () => at.wall,
  );
  const pass = (ms: number) => {
    at.monotonic += ms;
    at.wall += ms;
    at.server += ms;
  };
  /** The wall clock and the server go on, the monotonic clock does not. */
  const sleep = (ms: number) => {
    at.wall += ms;
    at.server += ms;
  };
  /** A ping and its pong, with this much time each way. */
  const ping = (ms: number) => {
    const sentAt = at.monotonic;
    pass(ms);
    const said = new Date(at.server).toISOString();
    pass(ms);
    clock.sample(sentAt, said);
  };
  clock.restart(new Date(at.server).toISOString());
  return { at, clock, pass, sleep, ping };
}

test.each([60_000, -60_000, -3_600_000, 86_400_000])(
  "a wall clock that is set by %s ms changes nothing",
  (step) => {
    const { at, clock, pass, ping } = device();
    ping(20);
    const over: boolean[] = [];
    const deadline = new Deadline(clock, at.server + 20_000, (isOver) => over.push(isOver));
    expect(deadline.leftMs()).toBe(20_000);
    at.wall += step;
    expect(deadline.leftMs()).toBe(20_000);
    pass(19_000);
    expect(deadline.leftMs()).toBe(1_000);
    expect(over).toEqual([]);
    at.wall -= step;
    pass(1_000);
    expect(deadline.leftMs()).toBe(0);
    expect(over).toEqual([true]);
  },
);

test("a step asks for new samples, once, and what was measured before it is dropped", () => {
  const { at, clock, ping, pass } = device();
  let asked = 0;
  clock.onStep(() => asked++);
  for (let i = 0; i < 9; i++) ping(5);
  // The server's own clock jumps along, as after a fail-over: quick old samples must not outvote it.
  at.wall += 60_000;
  at.server += 30_000;
  clock.now();
  clock.now();
  expect(asked).toBe(1);
  ping(40);
  expect(clock.now()).toBe(at.server);
  pass(500);
  expect(asked).toBe(1);
});

test("a device that slept knows the time with its first pong", () => {
  const { at, clock, sleep, ping } = device();
  for (let i = 0; i < 9; i++) ping(5);
  let asked = 0;
  clock.onStep(() => asked++);
  sleep(15_000);
  expect(clock.checkStep()).toBe(true);
  expect(asked).toBe(1);
  ping(50);
  expect(clock.now()).toBe(at.server);
});

test("a pong from before a sleep says nothing", () => {
  const { at, clock, sleep, ping } = device();
  for (let i = 0; i < 3; i++) ping(5);
  const sentAt = at.monotonic;
  const said = new Date(at.server).toISOString();
  sleep(15_000);
  const before = clock.now();
  clock.sample(sentAt, said);
  expect(clock.now()).toBe(before);
});

test("an end that was called too early is taken back, and comes again", () => {
  const { at, clock, pass, sleep, ping } = device();
  const over: boolean[] = [];
  const endsAt = at.server + 10_000;
  // The first guess of a new connection on a bad line is far ahead.
  clock.restart(new Date(at.server + 12_000).toISOString());
  const deadline = new Deadline(clock, endsAt, (isOver) => over.push(isOver));
  deadline.leftMs();
  deadline.leftMs();
  expect(over).toEqual([true]);
  sleep(0);
  ping(10);
  expect(deadline.leftMs()).toBeCloseTo(10_000 - 20, 0);
  expect(over).toEqual([true, false]);
  pass(10_000);
  deadline.leftMs();
  expect(over).toEqual([true, false, true]);
});
