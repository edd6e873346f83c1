/**
 * Before a process is ready it has run its hot paths, on made-up work that never leaves it: V8 interprets
 * new code and compiles it while it runs, so that the first crowd at a process that was just started would
 * wait several times as long as the next one (docs/adr/0016). What it is played on is its own, down to
 * sockets and metrics, and gone at the end; nothing of it is traced, counted or logged.
 */
import { randomBytes } from "node:crypto";
import type { DescService } from "@bufbuild/protobuf";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { ServiceError } from "./errors.js";
import { type Handlers, type ServedService, startGrpcServer } from "./grpc-server.js";
import { Health } from "./health.js";
import { Lifecycle, within } from "./lifecycle.js";
import type { Metrics } from "./metrics.js";
import { ServiceToken, Tokens } from "./tokens.js";
import { untraced } from "./tracing.js";

export interface Rehearsal {
  /** Longest time; 0 rehearses nothing. */
  limitMs: number;
  /** Where its length is shown. */
  metrics: Metrics;
  /** Sets the stage, whose parts close with the lifecycle; returns the scenes, each to be played once. */
  open(stage: Lifecycle): Promise<AsyncIterable<unknown>>;
}

/**
 * How often all is played, each time on a stage of its own. While V8 has met only one closure of a
 * function, it compiles for that one, and would compile anew for the next: that of the real work.
 */
const STAGES = 2;

/** Never rejects: a process that could not rehearse is slow at first, and works. Ends early at a stop. */
export async function rehearse(rehearsal: Rehearsal, lifecycle: Lifecycle): Promise<void> {
  const { limitMs, metrics } = rehearsal;
  const startedAt = performance.now();
  const left = () => (lifecycle.signal.aborted ? 0 : startedAt + limitMs - performance.now());
  try {
    for (let stage = 1; stage <= STAGES && left() > 0; stage++)
      await untraced(() => playOnce(rehearsal, left, lifecycle));
  } catch (err) {
    // A slow machine plays less than all of it.
    if (left() > 0)
      lifecycle.log.warn({ err }, "rehearsal failed; the first crowd is served slowly");
  }
  if (limitMs > 0) metrics.warmUpSeconds.set((performance.now() - startedAt) / 1_000);
}

async function playOnce(
  { open }: Rehearsal,
  left: () => number,
  lifecycle: Lifecycle,
): Promise<void> {
  const stage = new Lifecycle(lifecycle.log.child({}, { level: "silent" }));
  const play = async () => {
    for await (const _ of await open(stage)) if (left() <= 0) return;
  };
  try {
    await within(Math.ceil(left()), play());
  } finally {
    await stage.close();
  }
}

/** Serves on a free port of the loopback until the stage closes, to whoever has the token of this rehearsal. */
export async function serveOnStage(
  // biome-ignore lint/suspicious/noExplicitAny: a list of differently typed services
  services: readonly ServedService<any>[],
  metrics: Metrics,
  stage: Lifecycle,
): Promise<{ address: string; token: () => string }> {
  const tokens = new Tokens([randomBytes(32).toString("hex")]);
  const service = new ServiceToken(tokens, "rehearsal");
  const options = { host: "127.0.0.1", port: 0, tokens, health: new Health(), drainMs: 0, metrics };
  const port = await startGrpcServer(services, options, stage);
  return { address: `127.0.0.1:${port}`, token: () => service.get() };
}

/** A service of which the rehearsal needs some methods only. */
export function partOf<S extends DescService>(
  service: S,
  handlers: Partial<Handlers<S>>,
): ServedService<S> {
  const each = <T>(of: T) =>
    Object.fromEntries(service.methods.map(({ localName }) => [localName, of]));
  const none = async () => {
    throw new ServiceError(ErrorReason.INTERNAL, "not in this rehearsal");
  };
  return {
    service,
    handlers: { ...each(none), ...handlers } as Handlers<S>,
    access: each({ service: "any" }) as ServedService<S>["access"],
  };
}
