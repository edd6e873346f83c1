/** Room frames to all of a topic's sockets: encoded once, written once a turn for each socket. */
import type { TemplatedApp } from "uWebSockets.js";
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
    this.app.publish(topic, text);
    this.metrics.framesSent.inc({ type }, sockets);
  }
}
