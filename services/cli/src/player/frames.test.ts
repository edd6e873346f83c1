import { describe, expect, test } from "vitest";
import { FrameFeed } from "./frame-feed.js";
import { decodeServerFrame, encodeClientFrame } from "./frames.js";

const lobby = (players: number) => decodeServerFrame(`{"lobby":{"players":${players}}}`);

describe("frames", () => {
  test("are decoded whatever a later version adds", () => {
    const { frame } = decodeServerFrame('{"lobby":{"players":3,"colour":"red"}}');
    expect(frame).toMatchObject({ case: "lobby", value: { players: 3 } });
  });

  test("of the same text are decoded once", () => {
    const text = '{"reveal":{"round":7}}';
    expect(decodeServerFrame(text)).toBe(decodeServerFrame(text));
  });

  test("that were long ago are decoded anew, and alike", () => {
    const first = lobby(1);
    for (let players = 100; players < 200; players++) lobby(players);
    expect(lobby(1)).not.toBe(first);
    expect(lobby(1)).toEqual(first);
  });

  test("of a client are the text that the contract says", () => {
    const text = encodeClientFrame({ case: "ping", value: { id: 4 } });
    expect(JSON.parse(text)).toEqual({ ping: { id: 4 } });
  });
});

describe("a feed", () => {
  test("gives the last frame that fits at once", async () => {
    const feed = new FrameFeed();
    feed.push(lobby(3));
    expect(await feed.until("lobby", ({ players }) => players === 3)).toMatchObject({ players: 3 });
  });

  test("waits for the frame that fits", async () => {
    const feed = new FrameFeed();
    const waiting = feed.until("lobby", ({ players }) => players === 2);
    feed.push(lobby(1));
    feed.push(lobby(2));
    expect(await waiting).toMatchObject({ players: 2 });
  });

  test("says what came instead when its time is up", async () => {
    const feed = new FrameFeed();
    feed.push(lobby(1));
    const waiting = feed.until("lobby", ({ players }) => players === 2, 20);
    await expect(waiting).rejects.toThrow(/none within 20 ms.*"players":1/);
  });

  test("lets nobody wait after its end", async () => {
    const feed = new FrameFeed();
    const waiting = feed.until("lobby");
    feed.end("the socket closed (4501)");
    await expect(waiting).rejects.toThrow("4501");
    await expect(feed.until("lobby")).rejects.toThrow("4501");
  });
});
