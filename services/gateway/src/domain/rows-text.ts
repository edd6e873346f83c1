/**
 * The rows of a board at /livescore, encoded once: what any number of rows looks like is the beginning of
 * the same bytes, closed at the border of a row. So a change costs one encoding, however many sockets ask
 * for however many different lengths.
 */
import type { Standing } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { liveScoreRow } from "./room-frames.js";

const COMMA = 0x2c;
const CLOSE = 0x5d;
const EMPTY = new Uint8Array(Buffer.from("[]"));

let made = 0;

export class RowsText {
  readonly id = ++made;
  /** `[row,row,…]`, UTF-8. */
  readonly #bytes: Uint8Array;
  /** Behind each row: where a comma, or the end, stands. */
  readonly #ends: readonly number[];

  constructor(rows: readonly Standing[]) {
    const texts = rows.map(liveScoreRow);
    const ends: number[] = [];
    let at = 0;
    for (const text of texts) {
      at += 1 + Buffer.byteLength(text);
      ends.push(at);
    }
    this.#bytes = rows.length === 0 ? EMPTY : Buffer.from(`[${texts.join(",")}]`);
    this.#ends = ends;
  }

  get rows(): number {
    return this.#ends.length;
  }

  /** Gives `use` the bytes of the first rows, which are good until it returns: none are copied. */
  withFirst<T>(count: number, use: (bytes: Uint8Array) => T): T {
    const end = this.#ends[Math.min(count, this.rows) - 1];
    if (end === undefined) return use(EMPTY);
    if (count >= this.rows) return use(this.#bytes);
    this.#bytes[end] = CLOSE;
    try {
      return use(this.#bytes.subarray(0, end + 1));
    } finally {
      this.#bytes[end] = COMMA;
    }
  }

  /** The first rows as text. */
  first(count: number): string {
    return this.withFirst(count, (bytes) => Buffer.from(bytes).toString());
  }

  /** How many rows at the beginning are the same; Infinity where all are, and there are no others. */
  sameAs(other: RowsText): number {
    if (this === other) return Number.POSITIVE_INFINITY;
    const rows = Math.min(this.rows, other.rows);
    for (let row = 0; row < rows; row++) if (!this.#sameRow(other, row)) return row;
    return this.rows === other.rows ? Number.POSITIVE_INFINITY : rows;
  }

  #sameRow(other: RowsText, row: number): boolean {
    const [from, to] = [this.#ends[row - 1] ?? 0, this.#ends[row] ?? 0];
    if (other.#ends[row] !== to) return false;
    // Before the first differing row all borders are the same.
    for (let at = from + 1; at < to; at++) if (this.#bytes[at] !== other.#bytes[at]) return false;
    return true;
  }
}
