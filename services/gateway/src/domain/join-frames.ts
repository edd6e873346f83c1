/**
 * The short way through the frames of a join, as a crowd comes at once: its hello, and the two frames
 * that are made for each player alone. Tested to be the same as the generated codec's.
 */
import type { JsonValue } from "@bufbuild/protobuf";
import {
  AnswerStateSchema,
  type ClientHello,
  type Joined,
  type OwnAnswer,
} from "@fanfare/proto/gateway/v1/frames";
import { PhaseSchema } from "@fanfare/proto/quiz/v1/session";

export type JoinedInit = Omit<Joined, "$typeName" | "answer"> & {
  answer?: Omit<OwnAnswer, "$typeName"> | undefined;
};

const WISHES = new Set(["pin", "sessionId", "nickname", "submissionId"]);

/** The plain spelling of a hello that joins; else undefined. */
export function readJoin(json: JsonValue): ClientHello | undefined {
  const outer = objectOf(json);
  const hello = outer && Object.keys(outer).length === 1 ? objectOf(outer.hello) : undefined;
  const join = hello && Object.keys(hello).length === 2 ? objectOf(hello.join) : undefined;
  if (!hello || !join || !isUint32(hello.protocolVersion)) return undefined;
  for (const name in join) if (!WISHES.has(name) || !isText(join[name])) return undefined;
  const { pin = "", sessionId = "", nickname = "", submissionId = "" } = join;
  return {
    $typeName: "gateway.v1.ClientHello",
    protocolVersion: hello.protocolVersion,
    identity: {
      case: "join",
      value: {
        $typeName: "gateway.v1.JoinWish",
        pin: pin as string,
        sessionId: sessionId as string,
        nickname: nickname as string,
        submissionId: submissionId as string,
      },
    },
    sessionId: "",
  };
}

function objectOf(json: JsonValue | undefined): Record<string, JsonValue> | undefined {
  return typeof json === "object" && json !== null && !Array.isArray(json) ? json : undefined;
}

function isUint32(json: JsonValue | undefined): json is number {
  return Number.isInteger(json) && (json as number) >= 0 && (json as number) <= 0xffff_ffff;
}

/** Half of a surrogate pair is no text: the generated codec says so. */
function isText(json: JsonValue | undefined): json is string {
  return typeof json === "string" && !/\p{Cs}/u.test(json);
}

export function helloText(
  protocolVersion: number,
  nowMs: number,
  heartbeatSeconds: number,
): string {
  const time = new Date(nowMs).toISOString();
  const serverTime = time.endsWith(".000Z") ? `${time.slice(0, -5)}Z` : time;
  return `{"hello":{"protocolVersion":${protocolVersion},"serverTime":"${serverTime}","heartbeatSeconds":${heartbeatSeconds}}}`;
}

export function joinedText(joined: JoinedInit): string {
  const { sessionId, playerId, nickname, resumeToken, phase, round, rounds } = joined;
  const { title, pin, role, answer, points, rank, answerState } = joined;
  return JSON.stringify({
    joined: {
      sessionId,
      playerId,
      nickname,
      resumeToken,
      phase: PhaseSchema.value[phase]?.name ?? phase,
      round,
      rounds,
      title,
      pin,
      role,
      answer: answer && {
        round: answer.round,
        choices: answer.choices,
        submissionId: answer.submissionId,
      },
      points,
      rank,
      answerState: AnswerStateSchema.value[answerState]?.name ?? answerState,
    },
  });
}
