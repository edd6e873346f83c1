/** NATS, reached as services reach it: NATS_USER and its like are read as theirs are. */
import { dial, natsAccess } from "@fanfare/common/bus-connection";
import { natsSettings, readEnv } from "@fanfare/common/config";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Env } from "./home.js";

/** Rejects where NATS is away or does not let us in; `name` is what it lists the connection by. */
export function dialNats(env: Env, url: string, name: string): Promise<NatsConnection> {
  return dial({ ...natsAccess(readEnv(env, natsSettings)), url }, name);
}
