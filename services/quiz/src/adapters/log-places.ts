/**
 * Places in the log as PostgreSQL knows them: one number that also tells logs apart. A NATS store that
 * was made anew begins again at sequence 1, while PostgreSQL keeps what the log before it held.
 */
import type { Sql } from "@fanfare/common/postgres";

export type Tx = Parameters<Parameters<Sql["begin"]>[1]>[0];

/** Places of one log (migrations/0001_history.sql): from the first up to, not including, the end. */
export interface LogPlaces {
  first: number;
  end: number;
}

/** Entries that a log may ever have. */
export const PLACES_PER_LOG = 2 ** 42;

function placesOf(number: number): LogPlaces {
  return { first: number * PLACES_PER_LOG, end: (number + 1) * PLACES_PER_LOG };
}

/** The sequence in its own log of what stands at a place. */
export function sequenceOf(place: number): number {
  return place % PLACES_PER_LOG;
}

/** Undefined for a log that this database has not seen. */
export async function findPlaces(sql: Sql, generation: string): Promise<LogPlaces | undefined> {
  const [log] = await sql`SELECT number FROM quiz.logs WHERE generation = ${generation}`;
  return log && placesOf(log.number);
}

/** How far a partition of a log has been written, for as long as the transaction lives. */
export async function lockPosition(
  tx: Tx,
  partition: number,
  generation: string,
): Promise<{ sequence: number; places: LogPlaces }> {
  const find = async () => {
    const [row] = await tx`
      SELECT sequence, number FROM quiz.positions p JOIN quiz.logs USING (generation)
      WHERE generation = ${generation} AND partition = ${partition} FOR UPDATE OF p`;
    return row && { sequence: Number(row.sequence), places: placesOf(row.number) };
  };
  const known = await find();
  if (known) return known;
  await tx`INSERT INTO quiz.logs (generation) VALUES (${generation}) ON CONFLICT DO NOTHING`;
  await tx`
    INSERT INTO quiz.positions VALUES (${generation}, ${partition}, 0) ON CONFLICT DO NOTHING`;
  const made = await find();
  if (!made) throw new Error("the position of a partition can't be read");
  return made;
}

/** Moves a place that is locked. */
export async function movePosition(
  tx: Tx,
  partition: number,
  generation: string,
  sequence: number,
): Promise<void> {
  await tx`
    UPDATE quiz.positions SET sequence = ${sequence}
    WHERE generation = ${generation} AND partition = ${partition}`;
}
