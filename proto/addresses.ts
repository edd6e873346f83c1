/**
 * Where messages travel: every NATS subject, stream, bucket and Redis key of Fanfare is spelled
 * here and nowhere else. Pure functions; those that take ids refuse what is not a token, so that no
 * id can ever widen a subject or reach another key.
 */

/** What may stand for a session, player or submission: safe in subjects, buckets, keys and URLs. */
const TOKEN = /^[A-Za-z0-9_-]{1,64}$/;

/** Partitions of the log: the unit of order, of work and of the Redis hash tag. Fixed per stream. */
export const PARTITIONS = 16;

/** Highest round number; rounds are questions and a quiz has at most 500. */
export const ROUND_MAX = 100_000;

/** Lanes of a session and round, at most: lanes are numbered from 0 to one less. */
export const LANES_MAX = 100;

export const STREAMS = {
  /** The log: scores, players, rounds. */
  log: "QUIZ",
  /** The last board of each session. */
  leaderboard: "LEADERBOARD",
  /** Entries that nobody can read. */
  deadLetters: "DEADLETTER",
} as const;

export const BUCKETS = {
  /** `quiz.v1.Session` by session id. */
  sessions: "sessions",
  /** `quiz.v1.FrozenQuiz` by session id; holds right answers. */
  frozenQuizzes: "frozen-quizzes",
  /** Session id by PIN. */
  pins: "pins",
} as const;

/**
 * What the log takes: what outsiders publish and services append to, and all that is meant for it and is
 * neither, so that its publisher gets an acknowledgement, and a letter says what was wrong.
 */
export const LOG_SUBJECTS = "QUIZ.>";

/** Whether what is published there is for the log. */
export function isLogSubject(subject: string): boolean {
  return subject.startsWith("QUIZ.");
}

/** What it is about, as people read it; also the name of all such subjects in traces. */
export const LOG_TEMPLATE = "QUIZ.{session}.{round}.{token}";

/**
 * Subject transform of the log stream: stored subjects begin with the session's partition, however many
 * words follow. What has no second word behind `QUIZ`, or a wildcard for a word, is stored as it is.
 */
export const LOG_TRANSFORM = {
  src: "QUIZ.*.>",
  dest: `LOG.{{partition(${PARTITIONS},1)}}.{{wildcard(1)}}.>`,
} as const;

/** Reads what was stored as it is: those subjects belong to no session, and can't be scores. */
const ODD_SUBJECTS_PARTITION = 0;

/** Which subjects outsiders may publish to, for those who published to another. */
const SCORES_GO_TO =
  "scores go to QUIZ.<session>.<round>.<user>: session and user 1 to 64 of A-Z a-z 0-9 _ - (the user not beginning with _), round 0 to 100000";

export const LEADERBOARD_SUBJECTS = "LEADERBOARD.*";
export const LEADERBOARD_TEMPLATE = "LEADERBOARD.{session}";
export const DEAD_LETTER_SUBJECTS = "DEADLETTER.*";

/** A subject that no stream holds: to purge it changes nothing, and tells whether a stream takes writes. */
export const NOTHING_STORED = "FANFARE.nothing";

/** Name of the stream that holds a bucket; a key's subject in it is `$KV.<bucket>.<key>`. */
export function streamOfBucket(bucket: string): string {
  return `KV_${bucket}`;
}

/** The session bucket's changes, as they were stored, for whoever is there to hear them. */
export const SESSION_REPUBLISH = {
  src: `$KV.${BUCKETS.sessions}.*`,
  dest: "SESSION.{{wildcard(1)}}",
} as const;

/** Thrown where an id is not a token, or a number is outside its bounds. */
export class TokenError extends Error {
  override name = "TokenError";
  constructor(what: string, bounds = "1 to 64 of the characters A-Z a-z 0-9 _ -") {
    super(`${what} must be ${bounds}`);
  }
}

export function isToken(value: string): boolean {
  return TOKEN.test(value);
}

/** An outsider's name: a token that does not begin with `_`, as those fourth tokens are ours. */
export function isOutsider(value: string): boolean {
  return TOKEN.test(value) && !value.startsWith("_");
}

/** Who has points: a player, or an outsider, whose name may well be some player's id. */
export interface Scorer {
  id: string;
  outside: boolean;
}

/** No token begins so, and no outsider's name. */
const OUTSIDE = "@";

/**
 * The key of a scorer wherever the two stand together: in Redis, PostgreSQL, page tokens, and in the
 * order of a board. Outsiders have a space of their own, so that neither can take what is the other's.
 * Also of users across sessions, who may be nicknames, with any signs.
 */
export function scorerKey({ id, outside }: Scorer): string {
  return outside || id.startsWith(OUTSIDE) ? OUTSIDE + id : id;
}

/** Reads what `scorerKey` made. */
export function readScorerKey(key: string): Scorer {
  if (!key.startsWith(OUTSIDE)) return { id: key, outside: false };
  const id = key.slice(OUTSIDE.length);
  return { id, outside: !id.startsWith(OUTSIDE) };
}

/** Whether it is the key of a player, or of an outsider, of one session. */
export function isScorerKey(value: string): boolean {
  return isToken(readScorerKey(value).id);
}

function token(value: string, what: string): string {
  if (!TOKEN.test(value)) throw new TokenError(what);
  return value;
}

function wholeRound(round: number): number {
  if (!Number.isInteger(round) || round < 0 || round > ROUND_MAX)
    throw new TokenError("round", `a whole number from 0 to ${ROUND_MAX}`);
  return round;
}

function wholeLane(lane: number): number {
  if (!Number.isInteger(lane) || lane < 0 || lane >= LANES_MAX)
    throw new TokenError("lane", `a whole number from 0 to ${LANES_MAX - 1}`);
  return lane;
}

// --- subjects of the log -------------------------------------------------------------------------

/** An outside score: `QUIZ.quiz_1.1.someusername`. */
export function subjectForScore(of: {
  sessionId: string;
  round: number;
  outsider: string;
}): string {
  if (!isOutsider(of.outsider))
    throw new TokenError("outsider", "a token that does not begin with _");
  return `QUIZ.${token(of.sessionId, "session id")}.${wholeRound(of.round)}.${of.outsider}`;
}

/** `events.v1.AnswerBatch` of one lane. */
export function subjectForAnswers(sessionId: string, round: number, lane: number): string {
  return `QUIZ.${token(sessionId, "session id")}.${wholeRound(round)}._${wholeLane(lane)}`;
}

/** `events.v1.PlayerBatch` of one lane. */
export function subjectForPlayers(sessionId: string, lane: number): string {
  return `QUIZ.${token(sessionId, "session id")}.0._p${wholeLane(lane)}`;
}

/** `events.v1.RoundClosed`. */
export function subjectForRoundClosed(sessionId: string, round: number): string {
  return `QUIZ.${token(sessionId, "session id")}.${wholeRound(round)}._closed`;
}

/** `events.v1.SessionCreated`. */
export function subjectForSessionCreated(sessionId: string): string {
  return `QUIZ.${token(sessionId, "session id")}.0._session`;
}

/** `events.v1.SessionEnded`. */
export function subjectForSessionEnded(sessionId: string): string {
  return `QUIZ.${token(sessionId, "session id")}.0._ended`;
}

/** The subject under which the log stores what was published to `published`, as LOG_TRANSFORM says. */
export function storedSubject(published: string): string {
  const [root, ...words] = published.split(".");
  if (root !== "QUIZ" || words.length === 0 || words.includes(""))
    throw new TokenError("published subject", "QUIZ and one or more words");
  const [sessionId = "", ...more] = words;
  if (more.length === 0 || words.includes("*") || words.includes(">")) return published;
  return `LOG.${fnv1a(sessionId) % PARTITIONS}.${words.join(".")}`;
}

/** The subject to which a stored entry was published. */
export function publishedSubject(stored: string): string {
  const [root, , ...words] = stored.split(".");
  return root === "LOG" ? `QUIZ.${words.join(".")}` : stored;
}

/** Stored subjects of one partition: the first are those of its sessions. */
export function storedPartitionSubjects(
  partition: number,
): [ofSessions: string, ...others: string[]] {
  const ofSessions = `LOG.${partition}.>`;
  return partition === ODD_SUBJECTS_PARTITION ? [ofSessions, LOG_SUBJECTS] : [ofSessions];
}

/** Stored subjects of one session. */
export function storedSessionSubjects(sessionId: string): string {
  return `LOG.${partitionOf(sessionId)}.${sessionId}.>`;
}

/** Stored subjects of what is no round's: the session's beginning and end, and its players. */
export function storedPlayerSubjects(sessionId: string): string {
  return `LOG.${partitionOf(sessionId)}.${sessionId}.0.*`;
}

/** What a stored subject says. */
export type LogAddress = { sessionId: string; round: number } & (
  | { kind: "score"; outsider: string }
  | { kind: "answers"; lane: number }
  | { kind: "players"; lane: number }
  | { kind: "roundClosed" | "sessionCreated" | "sessionEnded" }
);

/** Reads a stored subject; a string says why it is none, and which are possible. */
export function readStoredSubject(subject: string): LogAddress | string {
  const [, ...words] = publishedSubject(subject).split(".");
  const [sessionId = "", roundText = "", last = ""] = words;
  if (words.length !== 3) return `${words.length} words behind QUIZ, not 3: ${SCORES_GO_TO}`;
  if (!isToken(sessionId)) return `no session is called so: ${SCORES_GO_TO}`;
  if (!/^\d{1,6}$/.test(roundText) || Number(roundText) > ROUND_MAX)
    return `no round is called so: ${SCORES_GO_TO}`;
  const place = { sessionId, round: Number(roundText) };
  if (!isToken(last)) return `no user is called so: ${SCORES_GO_TO}`;
  if (!last.startsWith("_")) return { ...place, kind: "score", outsider: last };
  if (last === "_closed") return { ...place, kind: "roundClosed" };
  if (last === "_session") return { ...place, kind: "sessionCreated" };
  if (last === "_ended") return { ...place, kind: "sessionEnded" };
  const lane = /^_(p?)(\d{1,2})$/.exec(last);
  if (!lane) return `${last} is not an entry kind that this version knows: ${SCORES_GO_TO}`;
  return { ...place, kind: lane[1] ? "players" : "answers", lane: Number(lane[2]) };
}

// --- other subjects ------------------------------------------------------------------------------

/** `events.v1.LeaderboardChanged`. */
export function subjectForLeaderboard(sessionId: string): string {
  return `LEADERBOARD.${token(sessionId, "session id")}`;
}

/** `quiz.v1.Session`, each stored change of its record. */
export function subjectForSession(sessionId: string): string {
  return `SESSION.${token(sessionId, "session id")}`;
}

/** Removals of every session. */
export const ALL_REMOVALS = "SESSION.*.removed";

/** Every session's record changes. */
export const ALL_SESSIONS = "SESSION.*";

/** Key of a frozen quiz: one per session, however often its id is used. */
export function frozenQuizKey(sessionId: string, logStart: bigint): string {
  return `${token(sessionId, "session id")}.${logStart}`;
}

/** `events.v1.PlayerRemoved`, not stored. */
export function subjectForRemovals(sessionId: string): string {
  return `SESSION.${token(sessionId, "session id")}.removed`;
}

/** Players' newest connections, a line `<player id> <connection>` each as plain text, not stored. */
export function subjectForTakeovers(sessionId: string): string {
  return `SESSION.${token(sessionId, "session id")}.takeover`;
}

/** `events.v1.Attendance` of every gateway, not stored. */
export const ATTENDANCE_SUBJECT = "ATTENDANCE";

/** From where hosts come, for the gateways: a line `<address prefix> <PIN>`, plain text, not stored. */
export const HOSTED_PINS = "GATEWAY.pins";

/** `events.v1.DeadLetter` of one reader: `leaderboard`, `history`. */
export function subjectForDeadLetter(reader: string): string {
  return `DEADLETTER.${token(reader, "reader")}`;
}

/** Signs of life of the pods that share the work of one kind; the payload is the pod's name. */
export function subjectForPresence(kind: string): string {
  return `PRESENCE.${token(kind, "kind")}`;
}

// --- what people type ----------------------------------------------------------------------------

const PIN_TYPED_MAX = 64;
/** Minus and the long vowel mark of Japanese keyboards are no punctuation to Unicode, and typed as dashes. */
const NO_PART_OF_A_PIN = /[\s\p{Z}\p{P}\p{M}\p{Cf}\u2212\u30fc]/gu;

/**
 * A PIN as it is stored, from what people typed: digits of every script (Unicode Nd), with spaces,
 * punctuation and marks between them. Undefined where that is no PIN, of however many digits.
 */
export function plainPin(typed: string): string | undefined {
  if (typed.length > PIN_TYPED_MAX) return undefined;
  const plain = typed
    .normalize("NFKC")
    .replace(/\p{Nd}/gu, digitValue)
    .replace(NO_PART_OF_A_PIN, "");
  return /^[0-9]{4,12}$/.test(plain) ? plain : undefined;
}

/** Unicode has the digits of a script in a row from 0 to 9, and rows may follow each other. */
function digitValue(digit: string): string {
  const at = digit.codePointAt(0) ?? 0;
  let zero = at;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(zero - 1))) zero--;
  return String((at - zero) % 10);
}

// --- hashing -------------------------------------------------------------------------------------

const utf8 = new TextEncoder();

/** FNV-1a, 32 bits (isthe.com/chongo/tech/comp/fnv): what nats-server's partition() uses. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of utf8.encode(text)) {
    hash ^= byte;
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

/** The partition that the log's subject transform gives a session. */
export function partitionOf(sessionId: string): number {
  return fnv1a(token(sessionId, "session id")) % PARTITIONS;
}

/** The lane of a player (by id) or of a join (by nickname key) among `lanes`. */
export function laneOf(key: string, lanes: number): number {
  return lanes <= 1 ? 0 : fnv1a(key) % lanes;
}

export { nicknameKey } from "./nickname-key.js";

/** Who a player is across sessions that names no user: by the name, whatever its case and spaces. */
export function userOfNickname(nickname: string): string {
  return nickname.normalize("NFKC").toLowerCase().replace(/\s+/g, " ").trim();
}

// --- Redis ---------------------------------------------------------------------------------------

/**
 * Keys of the standings projection. All keys of a partition share its hash tag, so that one script
 * may touch them all on a cluster. `generation` names the stream that the positions belong to.
 */
export const redisKeys = {
  /** Hash: generation, sequence: how far this partition has been applied; dropping; last epoch. */
  position: (partition: number) => `fanfare:{p${partition}}:position`,
  /** Set of the session ids that have keys in this partition. */
  sessions: (partition: number) => `fanfare:{p${partition}}:sessions`,
  /**
   * Hash: epoch, version, scored, created, live, round, finalRound, joined, ended, closing, stale, bans, and
   * `answers:<round>`, `points:<round>`, `removed:<player>`.
   */
  board: (sessionId: string) => `fanfare:{p${partitionOf(sessionId)}}:${sessionId}:board`,
  /** Sorted set, ascending: `elapsed - points * 2^29` by scorer key. What everybody may see. */
  scores: (sessionId: string) => `fanfare:{p${partitionOf(sessionId)}}:${sessionId}:scores`,
  /** Hash: nickname by player id. */
  names: (sessionId: string) => `fanfare:{p${partitionOf(sessionId)}}:${sessionId}:names`,
  /**
   * Hash: scorer keys, with spaces between, by nickname key; of outsiders, and of those who share a name
   * with somebody who had to go.
   */
  namesakes: (sessionId: string) => `fanfare:{p${partitionOf(sessionId)}}:${sessionId}:namesakes`,
  /** Set: scorer keys that no board shows any more, and `name:<nickname key>` of banned names. */
  banned: (sessionId: string) => `fanfare:{p${partitionOf(sessionId)}}:${sessionId}:banned`,
  /** Set: who has a score in this round. */
  answered: (sessionId: string, round: number) =>
    `fanfare:{p${partitionOf(sessionId)}}:${sessionId}:answered:${wholeRound(round)}`,
  /** List: scorer key, packed score, total with it, scorer key, … of a round that is still hidden. */
  hidden: (sessionId: string, round: number) =>
    `fanfare:{p${partitionOf(sessionId)}}:${sessionId}:hidden:${wholeRound(round)}`,
} as const;
