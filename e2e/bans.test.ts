/** A ban, seen from everywhere: sockets, boards, PostgreSQL, and the points of all sessions. */
import { connect, type NatsConnection } from "@nats-io/transport-node";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import WebSocket from "ws";
import { readLog } from "./ledgers.js";
import {
  Book,
  closeRound,
  joinPlayers,
  nextRound,
  openSession,
  type Stage,
  startStage,
  until,
} from "./stage.js";

let stage: Stage;
let nc: NatsConnection;
const sockets: WebSocket[] = [];

beforeAll(async () => {
  stage = await startStage({ gateways: 2, quiz: 2 });
  nc = await connect({ servers: stage.stack.natsUrl });
});

afterAll(async () => {
  for (const socket of sockets) socket.terminate();
  await nc?.close();
  await stage?.[Symbol.asyncDispose]();
});

/** Names of the rows that people see at /livescore, best first. */
async function liveScore(sessionId: string): Promise<() => string[]> {
  const url = `${stage.stack.gatewayUrls[1]?.replace("http", "ws")}/livescore/${sessionId}`;
  const socket = new WebSocket(url);
  sockets.push(socket);
  let last = "[]";
  socket.on("message", (data) => {
    last = String(data);
  });
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  return () => (JSON.parse(last) as { PlayerID: string }[]).map((row) => row.PlayerID);
}

/** A watcher's frames, as the big screen gets them. */
async function bigScreen(
  sessionId: string,
): Promise<() => { podium?: string[]; board?: string[] }> {
  const socket = new WebSocket(`${stage.stack.gatewayUrls[0]?.replace("http", "ws")}/v1/socket`);
  sockets.push(socket);
  const seen: { podium?: string[]; board?: string[] } = {};
  const names = (rows: { nickname: string }[]) => rows.map(({ nickname }) => nickname);
  socket.on("message", (data) => {
    const frame = JSON.parse(String(data));
    if (frame.board) seen.board = names(frame.board.standings);
    if (frame.ended) seen.podium = names(frame.ended.podium);
  });
  await new Promise((resolve) => socket.once("open", resolve));
  socket.send(JSON.stringify({ hello: { protocolVersion: 1, watch: sessionId } }));
  return () => seen;
}

async function boardOf(sessionId: string): Promise<string[]> {
  const { standings } = await stage.leaderboard.getLeaderboard({ sessionId });
  return standings.map(({ nickname }) => nickname);
}

const globalUsers = async () =>
  (await stage.leaderboard.getGlobalLeaderboard({})).standings.map(({ user }) => user);

test("takes the player and the name off whatever is shown within a second, before and after the end", async () => {
  const sessionId = "bans";
  await openSession(stage, sessionId, 2);
  const [p0, p1, p2, p3] = await joinPlayers(stage, sessionId, 4);
  if (!p0 || !p1 || !p2 || !p3) throw new Error("four players");
  const book = new Book();
  const live = await liveScore(sessionId);
  const screen = await bigScreen(sessionId);
  await stage.quiz.startSession({ sessionId });
  for (const player of [p0, p1, p2, p3]) await book.play(player, 1, true);
  // While the scores are hidden; an outsider of that name comes before and after.
  nc.publish(`QUIZ.${sessionId}.1.P1`, "900");
  await stage.quiz.banPlayer({ sessionId, player: { case: "playerId", value: p1.playerId } });
  nc.publish(`QUIZ.${sessionId}.2.p1`, "900");
  await closeRound(stage, sessionId, 1);
  await until(() => live().length === 3 && screen().board?.length === 3, 3_000);
  expect(live()).not.toContain("p1");
  // While the scores are seen.
  await stage.quiz.banPlayer({ sessionId, player: { case: "playerId", value: p2.playerId } });
  await until(() => live().length === 2 && screen().board?.length === 2, 1_000);
  await nextRound(stage, sessionId, 1);
  for (const player of [p0, p3]) await book.play(player, 2, true);
  await closeRound(stage, sessionId, 2);
  await stage.quiz.endSession({ sessionId });
  await until(() => screen().podium?.length === 2);
  await until(async () => (await globalUsers()).length === 2);
  // After the end.
  await stage.quiz.banPlayer({ sessionId, player: { case: "playerId", value: p0.playerId } });
  await until(() => live().length === 1 && screen().podium?.length === 1, 1_000);
  await until(async () => (await globalUsers()).length === 1, 1_500);
  expect([live(), screen().podium, await boardOf(sessionId), await globalUsers()]).toEqual([
    ["p3"],
    ["p3"],
    ["p3"],
    ["p3"],
  ]);
  const sql = postgres(stage.stack.postgresUrl, { max: 1, onnotice: () => {} });
  const final = await sql`SELECT place, nickname FROM quiz.final_standings`;
  await sql.end();
  expect([...final]).toEqual([{ place: 1, nickname: "p3" }]);
  // The log keeps the truth: every acknowledged answer, and no audit differs.
  expect((await readLog(stage, sessionId)).answers).toEqual(book.accepted);
  for (const name of ["leaderboard-1", "history-1"]) {
    const { adminUrl } = stage.stack.process(name);
    const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
    expect(metrics).toMatch(/^quiz_audit_mismatches_total\S* 0$/m);
  }
});
