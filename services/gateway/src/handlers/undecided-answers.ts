/**
 * Players who came back in a round to which the log holds no answer of theirs yet: one may be on its way
 * through the gateway that they were at before, which may be gone. The log is asked again for as long as
 * such an answer can take, and who has one there is told that it is accepted. After the reveal
 * everybody is told what the log holds (tell-results.ts).
 */
import { setTimeout as pause } from "node:timers/promises";
import { Phase, type Session } from "@fanfare/proto/quiz/v1/session";
import type { Client } from "../domain/client.js";
import type { Room } from "../domain/room.js";
import type { Gateway } from "./gateway.js";

/** What waits within this time is asked for in one call. */
const TICK_MS = 60;
/** Pauses between the questions for one player: an answer and its retries take 4 s at most. */
const PAUSES_MS = [60, 120, 250, 500, 1_000, 2_000, 2_000];

interface Wait {
  round: number;
  /** How often the log was asked. */
  asked: number;
  dueAt: number;
}

export class UndecidedAnswers {
  readonly #rooms = new Map<Room, Map<Client, Wait>>();

  constructor(private readonly gateway: () => Gateway) {}

  /** Never throws. */
  add(room: Room, round: number, client: Client): void {
    const wait = { round, asked: 0, dueAt: performance.now() };
    const waits = this.#rooms.get(room);
    if (waits) {
      waits.set(client, wait);
      return;
    }
    const first = new Map([[client, wait]]);
    this.#rooms.set(room, first);
    void this.#follow(room, first);
  }

  async #follow(room: Room, waits: Map<Client, Wait>): Promise<void> {
    while (waits.size > 0) {
      await pause(TICK_MS, undefined, { ref: false });
      const now = performance.now();
      const due: Client[] = [];
      for (const [client, wait] of waits)
        if (!isWaiting(client, wait, room.session)) waits.delete(client);
        else if (wait.dueAt <= now) due.push(client);
      if (due.length > 0) await this.#ask(room, waits, due);
    }
    this.#rooms.delete(room);
  }

  async #ask(room: Room, waits: Map<Client, Wait>, due: readonly Client[]): Promise<void> {
    const { admissions, encoder, onFault } = this.gateway();
    const round = room.session?.round ?? 0;
    const ids = due.map(({ playerId }) => playerId);
    const found = await admissions.findAnswers(room.sessionId, round, ids).catch((error) => {
      onFault(error, "answers on their way not looked up; they are looked up again");
      return undefined;
    });
    const now = performance.now();
    for (const client of due) {
      const wait = waits.get(client);
      const verdict = found?.byPlayer.get(client.playerId);
      if (!wait || !isWaiting(client, wait, room.session)) continue;
      if (verdict) {
        client.verdict = verdict;
        client.send(encoder.accepted({ round, submissionId: verdict.submissionId }));
      }
      wait.dueAt = now + (PAUSES_MS[wait.asked++] ?? 0);
      if (verdict || found?.final || wait.asked > PAUSES_MS.length) waits.delete(client);
    }
  }
}

/** Whether the player is here, the round is not over, and no verdict has come on this connection. */
function isWaiting(client: Client, { round }: Wait, session: Session | undefined): boolean {
  if (client.closed || client.verdict?.round === round || session?.round !== round) return false;
  return session.phase !== Phase.REVEAL && session.phase !== Phase.ENDED;
}
