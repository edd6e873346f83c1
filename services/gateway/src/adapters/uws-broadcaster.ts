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

  publish(topic: string, { type, text }: Frame): void {
    const sockets = this.app.numSubscribers(topic);
    if (sockets === 0) return;
    const isTraced = type === "question" && isSampled();
    const span = isTraced
      ? startSpan("broadcast question", { attributes: { "fanfare.sockets": sockets } })
      : undefined;
    this.app.publish(topic, text);
    endSpan(span);
    this.metrics.framesSent.inc({ type }, sockets);
  }
}
