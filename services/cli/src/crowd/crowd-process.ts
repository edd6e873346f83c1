/** A process that is many clients: it takes orders from its parent, and ends when that has gone. */
import { play } from "../load/play.js";
import { drill } from "./drills.js";
import type { FromCrowd, Order, ToCrowd } from "./orders.js";

const stops = new Map<number, AbortController>();

function tell(message: FromCrowd): void {
  process.send?.(message);
}

function obey(id: number, order: Order) {
  if (order.do !== "play") return drill(order);
  const stop = new AbortController();
  stops.set(id, stop);
  return play(order.plan, (progress) => tell({ id, progress }), stop.signal);
}

process.on("message", async (message: ToCrowd) => {
  const { id } = message;
  if ("stop" in message) return stops.get(id)?.abort();
  try {
    tell({ id, report: await obey(id, message.order) });
  } catch (error) {
    tell({ id, fault: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
process.on("disconnect", () => process.exit());
// Ctrl-C reaches the whole group; the parent ends the games first, and then this.
process.on("SIGINT", () => {});
tell({ ready: true });
