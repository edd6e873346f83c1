/** Room frames to all of a topic's sockets: encoded once, written once a turn for each socket. */

import type { TemplatedApp } from "uWebSockets.js";
import { endSpan, isSampled, startSpan } from "@fanfare/common/tracing";
import type { Broadcaster } from "../domain/announcer.js";
import type { Frame } from "../domain/frame-codec.js";
import type { GatewayMetrics } from "../metrics.js";

export class UwsBroadcaster implements Broadcaster {
  constructor(
    private readonly app: TemplatedApp,
    private readonly metrics: GatewayMetrics,
  ) {}

  publish(topic: string, { type, text, bytes }: Frame): void {
    const sockets = this.app.numSubscribers(topic);
    if (sockets === 0) return;
    if (type === "question") this.#timeQuestion(sockets);
    this.app.publish(topic, bytes ?? text, false);
    this.metrics.framesSent.add(type, sockets);
    this.metrics.sentBytes.add((bytes?.length ?? Buffer.byteLength(text)) * sockets);
  }

  /**
   * publish() only queues: uWebSockets.js writes to all sockets at the end of this turn of the event
   * loop, so the beginning of the next turn is when the kernel has the last one's bytes (tried: of
   * 2,000 sockets' 40 ms, 0.2 are the call). What other rooms said in the same turn is in it, and
   * what arrived meanwhile; what a slow socket's full buffer held back is not, nor is the network.
   */
  #timeQuestion(sockets: number): void {
    const startedAt = performance.now();
    const attributes = { "fanfare.sockets": sockets };
    const span = isSampled() ? startSpan("broadcast question", { attributes }) : undefined;
    setImmediate(() => {
      this.metrics.questionBroadcast.observe((performance.now() - startedAt) / 1_000);
      endSpan(span);
    });
  }
}
