/**
 * Names of player connections that can be compared: of two connections of a player, wherever they
 * are, the greater name is the newer one, and all gateways agree on it.
 */
import type { Clock } from "./ports.js";

const TIME_DIGITS = 9;
const COUNT_DIGITS = 4;
const COUNT_MAX = 36 ** COUNT_DIGITS;

/** Makes names that rise within this process, and follow the common clock between processes. */
export function connectionNames(clock: Clock, pod: string): () => string {
  let lastMs = 0;
  let count = 0;
  return () => {
    const now = Math.max(Math.floor(clock.now()), lastMs);
    count = now === lastMs ? (count + 1) % COUNT_MAX : 0;
    lastMs = now;
    const time = now.toString(36).padStart(TIME_DIGITS, "0");
    return `${time}-${count.toString(36).padStart(COUNT_DIGITS, "0")}-${pod}`;
  };
}
