/**
 * After a reveal: each player of this gateway is told what the round brought, from one call for all
 * of them, in slices, so that the event loop turns meanwhile.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { inSampledSpan, type Span } from "@fanfare/common/tracing";
import type { Client } from "../domain/client.js";
import type { Room } from "../domain/room.js";
import type { Standings } from "../domain/service-ports.js";
import type { Gateway } from "./gateway.js";
import { type Outcome, ownResult, standingsAfter } from "./own-result.js";

const SLICE = 500;

/** Never rejects: what can't be read is told as not known, and told when it is. */
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
  const players = [...room.players.values()].map((client) => ({
    client,
    outcome: verdictFor(client, round),
  }));
  if (players.length === 0) return;
  const ids = players.map(({ client }) => client.playerId);
  const unknown = players.filter(({ outcome }) => !outcome).map(({ client }) => client);
  const [response, found] = await Promise.all([
    readStandings(gateway, room, { ids, round, span }),
    findOutcomes(gateway, room, round, unknown),
    // The reveal itself goes out in the turn in which it came.
    nextTurn(),
  ]);
  const standings = standingsAfter(round, response);
  if (!standings) room.markStale();
  for (let at = 0; at < players.length; at += SLICE) {
    for (const { client, outcome } of players.slice(at, at + SLICE)) {
      const known = outcome ?? found(client);
      client.send(gateway.encoder.ownResult(ownResult(round, known, standings, client.playerId)));
      if (!known) gateway.owed.add(room, round, client);
    }
    await nextTurn();
  }
  gateway.metrics.results.observe((performance.now() - startedAt) / 1_000);
}

export function verdictFor({ verdict }: Client, round: number): Outcome {
  return verdict?.round === round ? verdict : undefined;
}

export async function readStandings(
  gateway: Gateway,
  room: Room,
  { ids, round, span }: { ids: string[]; round: number; span?: Span | undefined },
): Promise<Standings | undefined> {
  try {
    return await gateway.boards.standings(room.sessionId, ids, round, { span });
  } catch (error) {
    gateway.onFault(error, "standings not read; results are told without them");
    return undefined;
  }
}

/**
 * What the log says of players whose verdict is not known here: an answer may have come through another
 * gateway, or its verdict got lost. The round is closed, so its word is final. Never rejects.
 */
export async function findOutcomes(
  gateway: Gateway,
  room: Room,
  round: number,
  clients: readonly Client[],
): Promise<(client: Client) => Outcome> {
  if (clients.length === 0) return () => undefined;
  try {
    const ids = clients.map(({ playerId }) => playerId);
    const { byPlayer, final } = await gateway.admissions.findAnswers(room.sessionId, round, ids);
    return ({ playerId }) => byPlayer.get(playerId) ?? (final ? "none" : undefined);
  } catch (error) {
    gateway.onFault(error, "answers not looked up; results without them are told again");
    return () => undefined;
  }
}
