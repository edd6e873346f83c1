/**
 * After a reveal: each player of this gateway is told what the round brought, from one call for all
 * of them, in slices, so that the event loop turns meanwhile.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { inSampledSpan, type Span } from "@fanfare/common/tracing";
import type { Client, Verdict } from "../domain/client.js";
import type { Room } from "../domain/room.js";
import type { Standings } from "../domain/service-ports.js";
import type { Gateway } from "./gateway.js";
import { ownResult, standingsAfter } from "./own-result.js";

const SLICE = 500;

/** Never rejects: without the leaderboard, players are told what is known here. */
export async function tellResults(gateway: Gateway, room: Room, round: number): Promise<void> {
  const { sessionId } = room;
  const attributes = { "fanfare.session.id": sessionId, "fanfare.round": round };
  await inSampledSpan("tell results", { attributes }, (span) =>
    tellAll(gateway, room, round, span),
  );
}

async function tellAll(
  gateway: Gateway,
  room: Room,
  round: number,
  span: Span | undefined,
): Promise<void> {
  const startedAt = performance.now();
  // Who is here and what they have answered, before the next round changes it.
  const players = [...room.players.values()].map((client) => ({ client, verdict: client.verdict }));
  if (players.length === 0) return;
  const ids = players.map(({ client }) => client.playerId);
  const [response, lookedUp] = await Promise.all([
    readStandings(gateway, room, { ids, round, span }),
    lookUpDoubtful(gateway, room, players, round),
    // The reveal itself goes out in the turn in which it came.
    nextTurn(),
  ]);
  const standings = standingsAfter(round, response);
  if (!standings) room.markStale();
  for (let at = 0; at < players.length; at += SLICE) {
    for (const { client, verdict } of players.slice(at, at + SLICE)) {
      const known = lookedUp.get(client) ?? verdict;
      client.send(gateway.encoder.ownResult(ownResult(round, known, standings, client.playerId)));
    }
    await nextTurn();
  }
  gateway.metrics.results.observe((performance.now() - startedAt) / 1_000);
}

async function readStandings(
  gateway: Gateway,
  room: Room,
  { ids, round, span }: { ids: string[]; round: number; span: Span | undefined },
): Promise<Standings | undefined> {
  try {
    return await gateway.boards.standings(room.sessionId, ids, round, { span });
  } catch (error) {
    gateway.onFault(error, "standings not read; results are told without them");
    return undefined;
  }
}

/**
 * Whose answer may be in the log without a verdict here: it was sent through another gateway just
 * before the player came here, or its verdict got lost. The log is closed, so it can be asked.
 */
async function lookUpDoubtful(
  gateway: Gateway,
  room: Room,
  players: readonly { client: Client; verdict: Verdict | undefined }[],
  round: number,
): Promise<Map<Client, Verdict>> {
  const found = new Map<Client, Verdict>();
  const doubtful = players.filter(
    ({ client, verdict }) =>
      verdict?.round !== round &&
      (client.resumedInRound === round || client.attempt?.round === round),
  );
  if (doubtful.length === 0) return found;
  try {
    const ids = doubtful.map(({ client }) => client.playerId);
    const results = await gateway.admissions.lookUp(room.sessionId, ids);
    for (const [index, { answer }] of results.entries()) {
      const client = doubtful[index]?.client;
      if (!client || answer?.round !== round) continue;
      const { submissionId, points, correct, streak } = answer;
      found.set(client, { round, submissionId, points, correct, streak });
    }
  } catch (error) {
    gateway.onFault(error, "answers not looked up");
  }
  return found;
}
