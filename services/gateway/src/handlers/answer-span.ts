/** The span of one answer, from its frame's arrival to its acknowledgement: the root of its trace. */
import { unavailable } from "@fanfare/common/errors";
import {
  endSpan,
  failSpan,
  fromTraceparent,
  isSampled,
  type Span,
  SpanKind,
  startSpan,
} from "@fanfare/common/tracing";
import type { AnswerVerdict } from "@fanfare/proto/answer-columns";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";

const NAME = "answer";

/** What a span says of an answer: nothing of the player, nothing that the player wrote. */
export interface TracedAnswer {
  sessionId: string;
  round: number;
  arrivedAt: number;
  /** The client's own span. */
  traceparent: string | undefined;
}

/** Draws whether an answer is traced, once and for all that follows from it. */
export function startAnswerSpan(answer: TracedAnswer): Span | undefined {
  return isSampled() ? startSpan(NAME, startOf(answer)) : undefined;
}

/** Without a verdict it is a fault, which is recorded in any case. */
export function endAnswerSpan(
  span: Span | undefined,
  answer: TracedAnswer,
  verdict: AnswerVerdict | undefined,
): void {
  if (!verdict) {
    failSpan(span, NAME, unavailable("the log"), startOf(answer));
  } else if (span) {
    const { refused } = verdict;
    span.setAttribute("fanfare.answer.result", refused ? ErrorReason[refused] : "accepted");
    endSpan(span);
  }
}

function startOf({ sessionId, round, arrivedAt, traceparent }: TracedAnswer) {
  const client = fromTraceparent(traceparent);
  return {
    kind: SpanKind.SERVER,
    startedAt: arrivedAt,
    attributes: { "fanfare.session.id": sessionId, "fanfare.round": round },
    links: client ? [client] : [],
  };
}
