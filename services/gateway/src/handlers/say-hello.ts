/** The first frame of a client: who it is, and into which session. Joined follows, or a close. */
import { addressKey, addressPrefix } from "@fanfare/common/address-prefix";
import { invalidField, ServiceError, toServiceError, unavailable } from "@fanfare/common/errors";
import { isFor } from "@fanfare/common/tokens";
import { isToken } from "@fanfare/proto/addresses";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import type { ClientHello, JoinWish } from "@fanfare/proto/gateway/v1/frames";
import type { Session } from "@fanfare/proto/quiz/v1/session";
import { closeCodeFor } from "../close-codes.js";
import type { Client, ClientRole } from "../domain/client.js";
import type { Room } from "../domain/room.js";
import type { Identity } from "../domain/service-ports.js";
import { joinAsPlayer, resumeAsPlayer } from "./enter-player.js";
import type { Gateway } from "./gateway.js";
import { advice, refuseBadFrame, refuseError, slowDown } from "./refuse.js";

export const PROTOCOL_VERSION = 1;
const ROOMS_FULL_RETRY_MS = 5_000;
/** Of a name, as a key for guesses. */
const NAME_CHARS_KEPT = 64;

/** Never rejects. */
export async function sayHello(
  gateway: Gateway,
  client: Client,
  hello: ClientHello,
): Promise<void> {
  if (client.role !== "new" || client.greeting)
    return refuseBadFrame(gateway, client, {
      reason: ErrorReason.MALFORMED,
      message: "hello was said before; open another socket to be somebody else",
    });
  client.greeting = true;
  try {
    checkVersion(hello);
    await identify(gateway, client, hello);
  } catch (thrown) {
    const error = toServiceError(thrown);
    count(gateway, hello, error);
    refuseError(gateway, client, error, "");
    client.end(closeCodeFor(error.reason, error.retryable), ErrorReason[error.reason]);
  } finally {
    client.greeting = false;
  }
}

/** Players who are turned away, for whatever reason. */
function count({ metrics }: Gateway, { identity }: ClientHello, { reason }: ServiceError): void {
  if (identity.case === "join") metrics.joins.inc({ result: ErrorReason[reason] });
  if (identity.case === "resumeToken") metrics.resumes.inc({ recovered: "false" });
}

function checkVersion({ protocolVersion }: ClientHello): void {
  if (protocolVersion === PROTOCOL_VERSION) return;
  throw new ServiceError(
    ErrorReason.UNSUPPORTED_VERSION,
    `this server speaks protocol version ${PROTOCOL_VERSION}; reload the page`,
    { metadata: { supported: String(PROTOCOL_VERSION) } },
  );
}

/** Joins, returns, hosts and lookers-on have rates of their own: none of them locks the others out. */
function checkRate(gateway: Gateway, of: string): void {
  const waitMs = gateway.rates.joins.take(of, performance.now());
  if (waitMs > 0) throw slowDown(gateway, "JOINS_PER_SECOND_PER_IP", waitMs);
}

async function identify(gateway: Gateway, client: Client, hello: ClientHello): Promise<void> {
  const { identity } = hello;
  switch (identity.case) {
    case "join": {
      const wish = identity.value;
      const sessionId = wish.sessionId || (await pinOfWish(gateway, client, wish));
      const by = wish.sessionId ? client : "trusted";
      return inRoom(gateway, sessionId, by, async (room, session) => {
        // Only now: a flood of names and PINs that lead nowhere takes nothing from those who know.
        checkRate(gateway, `join ${addressKey(client.ip)}`);
        await joinAsPlayer(gateway, client, room, session, wish);
        gateway.knownPins.note(addressPrefix(client.ip), session.pin, performance.now());
      });
    }
    case "resumeToken": {
      const who = gateway.identities.verify(identity.value);
      const { role, subject, sessionId } = who;
      if (role !== "player" || !sessionId) throw forbidden("this is not a player's resume token");
      checkRate(gateway, `player ${subject}`);
      return inRoom(gateway, sessionId, "trusted", async (room, session) => {
        if (!isFor(who, session)) throw notOfThisSession(who, session);
        await resumeAsPlayer(gateway, client, room, subject, identity.value);
        gateway.knownPins.note(addressPrefix(client.ip), session.pin, performance.now());
      });
    }
    case "token": {
      const who = gateway.identities.verify(identity.value);
      const sessionId = sessionOfToken(who, hello.sessionId);
      checkRate(gateway, `${who.role} ${who.subject}`);
      return inRoom(gateway, sessionId, "trusted", (room, session) => {
        const role = roleOf(who, session);
        const prefix = addressPrefix(client.ip);
        if (role !== "spectator")
          gateway.knownPins.hostSeen(prefix, session.pin, performance.now());
        letWatcherIn(gateway, client, room, session, role);
        client.token = identity.value;
      });
    }
    case "watch":
      checkRate(gateway, `watch ${addressKey(client.ip)}`);
      return inRoom(gateway, identity.value, client, (room, session) =>
        letWatcherIn(gateway, client, room, session, "spectator"),
      );
    default:
      throw new ServiceError(
        ErrorReason.MALFORMED,
        "hello needs one of join, resume_token, token, watch",
        { metadata: { field: "hello" } },
      );
  }
}

function pinOfWish(gateway: Gateway, client: Client, { pin, nickname }: JoinWish): Promise<string> {
  const prefix = addressPrefix(client.ip);
  const caller = `${prefix} ${nickname.slice(0, NAME_CHARS_KEPT)}`;
  return gateway.finder.find(pin, { prefix, caller });
}

/**
 * Does something in the room of a session that exists. The room lives at least as long as that. Who
 * comes without a token may try only so many ids: a guess is taken first, and given back where the
 * session is there.
 */
async function inRoom(
  gateway: Gateway,
  sessionId: string,
  by: Client | "trusted",
  enter: (room: Room, session: Session) => Promise<void> | void,
): Promise<void> {
  if (!isToken(sessionId)) throw invalidField("hello.session_id", "1 to 64 of A-Z a-z 0-9 _ -");
  const guesser =
    by === "trusted" || gateway.rooms.has(sessionId) ? undefined : addressPrefix(by.ip);
  if (guesser !== undefined) {
    const waitMs = gateway.rates.wrongIds.take(guesser, performance.now());
    if (waitMs > 0) throw slowDown(gateway, "IDS_PER_MINUTE_PER_IP", waitMs);
  }
  const room = gateway.rooms.hold(sessionId);
  if (!room) throw slowDown(gateway, "ROOMS_MAX", ROOMS_FULL_RETRY_MS);
  try {
    await room.ready();
    // Half made, as it was heard of first: it is whole by now, or nothing.
    if (room.session?.logStart === 0n) await room.read();
    if (!room.session)
      throw new ServiceError(ErrorReason.SESSION_NOT_FOUND, "no session has this id; check it");
    if (guesser !== undefined) gateway.rates.wrongIds.giveBack(guesser);
    if (room.session.logStart === 0n) throw unavailable("the session");
    await enter(room, room.session);
  } finally {
    gateway.rooms.release(room);
  }
}

function sessionOfToken(who: Identity, wanted: string): string {
  if (who.sessionId && wanted && who.sessionId !== wanted)
    throw forbidden("the token is for another session");
  const sessionId = who.sessionId ?? wanted;
  if (!sessionId) throw invalidField("hello.session_id", "given, as the token names none");
  return sessionId;
}

/** What the token lets its owner be here. */
function roleOf(who: Identity, session: Session): "host" | "admin" | "spectator" {
  switch (who.role) {
    case "admin":
    case "spectator":
      return who.role;
    case "host":
    case "author":
      if (who.sessionId ? isFor(who, session) : session.host === who.subject) return "host";
      throw forbidden("the session has another host");
    default:
      throw forbidden("players come with join or resume_token");
  }
}

function letWatcherIn(
  gateway: Gateway,
  client: Client,
  room: Room,
  session: Session,
  role: ClientRole & ("host" | "admin" | "spectator"),
): void {
  if (client.closed) return;
  client.role = role;
  const { sessionId, phase, round, rounds, title } = session;
  // Whoever knows an id may watch; the way in is the host's to give away.
  const pin = role === "spectator" ? "" : session.pin;
  const value = { sessionId, phase, round, rounds, title, pin, role };
  client.send(gateway.encoder.encode({ case: "joined", value }), ...room.catchUp("watcher"));
  gateway.metrics.handshake.observe((performance.now() - client.openedAt) / 1_000);
  if (role === "spectator") room.enterSpectator(client);
  else room.enterHost(client);
}

/** A player of another session of this id: an earlier one, or one that this gateway has yet to hear of. */
function notOfThisSession({ sessionStart = 0n }: Identity, { logStart }: Session): ServiceError {
  return sessionStart > logStart
    ? unavailable("the session's record")
    : new ServiceError(ErrorReason.PLAYER_NOT_FOUND, advice(ErrorReason.PLAYER_NOT_FOUND));
}

function forbidden(message: string): ServiceError {
  return new ServiceError(ErrorReason.FORBIDDEN, message);
}
