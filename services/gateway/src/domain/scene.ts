/**
 * What everybody in a room sees of the session's record: question, pause, reveal. Each is encoded
 * once for each change of it; who comes late gets the same frames.
 */
import { Phase, type Session } from "@fanfare/proto/quiz/v1/session";
import type { Frame, FrameEncoder } from "./frame-codec.js";
import { pausedFrame, questionFrame, revealFrame } from "./room-frames.js";

export class Scene {
  #round = 0;
  #question: Frame | undefined;
  #reveal: Frame | undefined;
  #paused: Frame | undefined;

  constructor(private readonly encoder: FrameEncoder) {}

  /** Takes the next record; returns what everybody has to be told now. */
  show(session: Session | undefined): Frame[] {
    const went = this.#paused !== undefined && !session?.paused;
    const said = [
      this.#showQuestion(session, went),
      this.#showReveal(session, went),
      this.#showPause(session),
    ];
    this.#round = session?.round ?? 0;
    return said.filter((frame) => frame !== undefined);
  }

  /** What somebody who comes now has to be told, in order. */
  frames(): Frame[] {
    return [this.#question, this.#reveal, this.#paused].filter((frame) => frame !== undefined);
  }

  #showQuestion(session: Session | undefined, went: boolean): Frame | undefined {
    // From CLOSING on it stands as it was when it was open.
    const stands = session?.phase === Phase.CLOSING || session?.phase === Phase.REVEAL;
    if (session && stands && this.#question && this.#round === session.round) return undefined;
    const before = this.#question?.text;
    const content = session && questionFrame(session);
    this.#question = content && this.encoder.encode(content);
    if (!session || session.paused || stands) return undefined;
    return went || this.#question?.text !== before ? this.#question : undefined;
  }

  #showReveal(session: Session | undefined, went: boolean): Frame | undefined {
    const before = this.#reveal?.text;
    const content = session?.phase === Phase.REVEAL ? revealFrame(session) : undefined;
    this.#reveal = content && this.encoder.encode(content);
    if (session?.paused && before !== undefined) return undefined;
    return went || this.#reveal?.text !== before ? this.#reveal : undefined;
  }

  #showPause(session: Session | undefined): Frame | undefined {
    const before = this.#paused?.text;
    this.#paused = session?.paused ? this.encoder.encode(pausedFrame(session)) : undefined;
    return this.#paused?.text === before ? undefined : this.#paused;
  }
}
