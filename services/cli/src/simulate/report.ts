/** What a simulation prints: a line for each round, and the final table. Pure. */
import type { LivescoreRow } from "../player/livescore-socket.js";
import type { Comebacks } from "./comebacks.js";
import type { RoundReport } from "./game.js";

const QUESTION_LENGTH_MAX = 40;
const TABLE_ROWS_MAX = 100;

export function roundLine(report: RoundReport): string {
  const { round, rounds, question, sent, accepted, leader, p50Ms, p99Ms } = report;
  const place = `${String(round).padStart(String(rounds).length)}/${rounds}`;
  return [
    `round ${place}`,
    clip(question).padEnd(QUESTION_LENGTH_MAX),
    `${accepted}/${sent} accepted`,
    `leader ${leader}`,
    `ack p50 ${p50Ms.toFixed(1)} ms p99 ${p99Ms.toFixed(1)} ms`,
  ].join("  ");
}

/** Who lost the connection and came back; undefined where nobody did. */
export function comebackLine(comebacks: Comebacks): string | undefined {
  if (comebacks.count === 0) return undefined;
  const seconds = [50, 99, 100].map((each) => (comebacks.awayMs(each) / 1_000).toFixed(2));
  return `${comebacks.count} comebacks  away p50 ${seconds[0]} s p99 ${seconds[1]} s max ${seconds[2]} s  at most ${comebacks.peakPerSecond()} in a second`;
}

/** Rank, PlayerID, Score; of large boards the first hundred. */
export function finalTable(rows: readonly LivescoreRow[]): string {
  const shown = rows.slice(0, TABLE_ROWS_MAX);
  const width = Math.max("PlayerID".length, ...shown.map(({ PlayerID }) => PlayerID.length));
  const line = (rank: string, player: string, score: string) =>
    `${rank.padStart(5)}  ${player.padEnd(width)}  ${score.padStart(8)}`;
  const lines = shown.map(({ Rank, PlayerID, Score }) => line(`${Rank}`, PlayerID, `${Score}`));
  const more = rows.length - shown.length;
  return [
    line("Rank", "PlayerID", "Score"),
    ...lines,
    ...(more > 0 ? [`… and ${more} more`] : []),
  ].join("\n");
}

function clip(text: string): string {
  const letters = [...text];
  return letters.length <= QUESTION_LENGTH_MAX
    ? text
    : `${letters.slice(0, QUESTION_LENGTH_MAX - 1).join("")}…`;
}
