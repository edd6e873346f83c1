/** Frames of the socket as text and as typed messages (proto/gateway/v1/frames.proto). */
import { create, fromJsonString, type MessageInitShape, toJsonString } from "@bufbuild/protobuf";
import {
  ClientFrameSchema,
  type ServerFrame,
  ServerFrameSchema,
} from "@fanfare/proto/gateway/v1/frames";

type Frame = Exclude<ServerFrame["frame"], { case: undefined }>;

/** The messages that a server sends, by kind: `question`, `accepted`, … */
export type Frames = { [F in Frame as F["case"]]: F["value"] };
export type FrameKind = keyof Frames;

export type ClientFrameInit = NonNullable<MessageInitShape<typeof ClientFrameSchema>["frame"]>;

/** How many texts are remembered with their frames. */
const RECENT_MAX = 64;
const recent = new Map<string, ServerFrame>();

/**
 * Decodes what a server sent; passes over fields that this version does not know. A room's frames
 * come to every socket of this process as the same text: it is decoded once, and the frame is
 * shared, so treat it as read-only.
 */
export function decodeServerFrame(text: string): ServerFrame {
  const known = recent.get(text);
  if (known) return known;
  const frame = fromJsonString(ServerFrameSchema, text, { ignoreUnknownFields: true });
  recent.set(text, frame);
  const [oldest] = recent.size > RECENT_MAX ? recent.keys() : [];
  if (oldest !== undefined) recent.delete(oldest);
  return frame;
}

export function encodeClientFrame(frame: ClientFrameInit): string {
  return toJsonString(ClientFrameSchema, create(ClientFrameSchema, { frame }));
}
