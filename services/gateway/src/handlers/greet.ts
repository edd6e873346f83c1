/** The frames that a client gets unasked: the first one, and the last one before a stop. */
import type { Client } from "../domain/client.js";
import type { Gateway } from "./gateway.js";
import { PROTOCOL_VERSION } from "./say-hello.js";

/** First frame of every connection. */
export function greet(gateway: Gateway, client: Client): void {
  const nowMs = Math.round(gateway.clock.now());
  const heartbeatSeconds = Math.ceil(gateway.config.IDLE_TIMEOUT_SECONDS / 2);
  client.send(gateway.encoder.hello(PROTOCOL_VERSION, nowMs, heartbeatSeconds));
}

/** This gateway is going away; the socket closes after the delay. */
export function sayReconnect(gateway: Gateway, client: Client, delayMs: number): void {
  // At /livescore only arrays are understood: the close has to do.
  if (client.role === "liveScore") return;
  client.send(gateway.encoder.encode({ case: "reconnect", value: { delayMs } }));
}
