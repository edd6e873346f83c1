/**
 * Gives back PINs whose session does not have them: a pod died, or NATS was away, between a session's end
 * and the giving back. Safe to repeat.
 */
import { fromJsonString } from "@bufbuild/protobuf";
import { type Bus, openBucket } from "@fanfare/common/bus";
import { STREAMS } from "@fanfare/proto/addresses";
import { SessionSchema } from "@fanfare/proto/quiz/v1/session";
import type { KV } from "@nats-io/kv";
import { forgetPin } from "./pins.js";

/** A PIN is drawn before its session's record is made. */
const YOUNG_MS = 600_000;

export class PinSweep {
  #buckets: { pins: KV; sessions: KV } | undefined;

  constructor(
    private readonly bus: Bus,
    private readonly onLeft: () => void,
  ) {}

  /** Looks at all PINs. Rejects while NATS is away. */
  async turn(youngMs = YOUNG_MS): Promise<void> {
    this.#buckets ??= {
      pins: await openBucket(this.bus, "pins"),
      sessions: await openBucket(this.bus, "sessions"),
    };
    const { pins, sessions } = this.#buckets;
    const info = await this.bus.jsm.streams.info(STREAMS.log);
    const now = Date.parse((info as unknown as { ts: string }).ts);
    for await (const pin of await pins.keys()) {
      const entry = await pins.get(pin);
      if (entry?.operation !== "PUT" || now - entry.created.getTime() < youngMs) continue;
      const record = await sessions.get(entry.string());
      const isHeld = record?.operation === "PUT" && pinOf(record.string()) === pin;
      if (isHeld) continue;
      await forgetPin(pins, pin, entry.string());
      this.onLeft();
    }
  }
}

function pinOf(json: string): string {
  return fromJsonString(SessionSchema, json, { ignoreUnknownFields: true }).pin;
}
