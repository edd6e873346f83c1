/** A client's frame: its size, its rate, its shape; then whoever deals with it. */

import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { Client } from "../domain/client.js";
import { type ClientSays, decodeClientFrame } from "../domain/frame-codec.js";
import type { Gateway } from "./gateway.js";
import { hostCommand } from "./host-command.js";
import { type Refusal, refuse, refuseBadFrame } from "./refuse.js";
import { requestBoard } from "./request-board.js";
import { sayHello } from "./say-hello.js";
import { submitAnswer } from "./submit-answer.js";

/** A client that floods is told so at most this often. */
const TELL_SLOW_EVERY_MS = 1_000;

/** Never throws. `content` is good for this call only. */
export function receiveFrame(
  gateway: Gateway,
  client: Client,
  content: ArrayBuffer,
  isBinary: boolean,
): void {
  const now = performance.now();
  if (!mayPass(gateway, client, now)) return;
  const frame = read(gateway, content, isBinary);
  if ("reason" in frame) {
    gateway.metrics.framesReceived.add("bad");
    refuseBadFrame(gateway, client, frame);
    return;
  }
  gateway.metrics.framesReceived.add(frame.case);
  if (frame.case === "answer") submitAnswer(gateway, client, frame, now);
  else if (frame.case === "hello") void sayHello(gateway, client, frame.value);
  else if (frame.case === "host") void hostCommand(gateway, client, frame.value);
  else if (frame.case === "board") void requestBoard(gateway, client, frame.value);
  else sayPong(gateway, client, frame.value.id);
}

function read(gateway: Gateway, content: ArrayBuffer, isBinary: boolean): ClientSays | Refusal {
  const { FRAME_BYTES_MAX } = gateway.config;
  if (content.byteLength > FRAME_BYTES_MAX) {
    gateway.metrics.limitHit("FRAME_BYTES_MAX");
    return { reason: ErrorReason.TOO_LARGE, message: `a frame may have ${FRAME_BYTES_MAX} bytes` };
  }
  if (isBinary) return malformed("send text frames: proto3 JSON of gateway.v1.ClientFrame");
  const frame = decodeClientFrame(Buffer.from(content).toString());
  return typeof frame === "string" ? malformed(frame) : frame;
}

function malformed(message: string): Refusal {
  return { reason: ErrorReason.MALFORMED, message };
}

function sayPong(gateway: Gateway, client: Client, id: number): void {
  const serverTime = timestampFromMs(Math.round(gateway.clock.now()));
  client.send(gateway.encoder.encode({ case: "pong", value: { id, serverTime } }));
}

/** What is over the rate is dropped unread. */
function mayPass(gateway: Gateway, client: Client, now: number): boolean {
  const next = gateway.rates.frames.take(client.frameRate, now);
  if (next !== undefined) {
    client.frameRate = next;
    return true;
  }
  gateway.metrics.limitHit("FRAMES_PER_SECOND_MAX");
  if (now - client.toldSlowAt >= TELL_SLOW_EVERY_MS) {
    client.toldSlowAt = now;
    const retryAfterMs = gateway.rates.frames.waitMs(client.frameRate, now);
    const message = "too many frames; those beyond the limit were dropped";
    refuse(gateway, client, { reason: ErrorReason.SLOW_DOWN, message, retryAfterMs });
  }
  return false;
}
