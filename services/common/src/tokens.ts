/**
 * Signed tokens (JWT, HS256): who may do what. One algorithm, an audience of our own, and secrets
 * that can rotate: the first signs, all verify.
 */
import { ROLES, type Role } from "@fanfare/proto/access";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { createSigner, createVerifier } from "fast-jwt";
import { ServiceError } from "./errors.js";

export { ROLES, type Role };

/** What a token says. */
export interface Identity {
  role: Role;
  /** Who: a user, a host, a player id, a pod. */
  subject: string;
  /** The only session that the token is good for. */
  sessionId?: string;
  /** Its log_start: an id may be used again, and the next session's host is somebody else. */
  sessionStart?: bigint;
}

const AUDIENCE = "fanfare";
const TOLERANCE_MS = 5_000;
const KNOWN_MAX = 1_000;

/** Signs and verifies tokens. */
export class Tokens {
  readonly #sign: (payload: Record<string, unknown>) => string;
  readonly #verifiers: ((token: string) => Record<string, unknown>)[];
  /** Tokens that were good before: a signature costs more than a small call. */
  readonly #known = new Map<string, { identity: Identity; untilMs: number }>();

  constructor(secrets: readonly string[]) {
    const [first] = secrets;
    if (!first) throw new Error("tokens need at least one secret");
    this.#sign = createSigner({ key: first, algorithm: "HS256", noTimestamp: false });
    this.#verifiers = secrets.map((key) =>
      createVerifier({
        key,
        algorithms: ["HS256"],
        allowedAud: AUDIENCE,
        requiredClaims: ["aud", "exp", "sub"],
        clockTolerance: TOLERANCE_MS,
      }),
    );
  }

  /** A token that lasts `seconds`. */
  issue(identity: Identity, seconds: number): string {
    return this.#sign({
      aud: AUDIENCE,
      sub: identity.subject,
      role: identity.role,
      ...(identity.sessionId === undefined ? {} : { sid: identity.sessionId }),
      ...(identity.sessionStart === undefined ? {} : { log: String(identity.sessionStart) }),
      exp: Math.floor(Date.now() / 1_000) + seconds,
    });
  }

  /** Throws UNAUTHENTICATED for whatever is not a valid token of ours. */
  verify(token: string): Identity {
    const known = this.#known.get(token);
    if (known && Date.now() < known.untilMs) return known.identity;
    this.#known.delete(token);
    for (const verify of this.#verifiers) {
      try {
        return this.#remember(token, verify(token));
      } catch {
        // The next secret may fit.
      }
    }
    throw new ServiceError(
      ErrorReason.UNAUTHENTICATED,
      "the token is expired or not one of this installation; get a new one",
    );
  }

  #remember(token: string, claims: Record<string, unknown>): Identity {
    const identity = toIdentity(claims);
    if (this.#known.size >= KNOWN_MAX)
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    this.#known.set(token, { identity, untilMs: Number(claims.exp) * 1_000 + TOLERANCE_MS });
    return identity;
  }
}

function toIdentity(claims: Record<string, unknown>): Identity {
  const { sub, role, sid, log } = claims;
  if (typeof sub !== "string" || !ROLES.includes(role as Role)) throw new Error("not our claims");
  return {
    role: role as Role,
    subject: sub,
    ...(typeof sid === "string" ? { sessionId: sid } : {}),
    ...(typeof log === "string" ? { sessionStart: BigInt(log) } : {}),
  };
}

/** Whether a token that names a session names this one. */
export function isFor(
  { sessionId, sessionStart }: Pick<Identity, "sessionId" | "sessionStart">,
  session: { sessionId: string; logStart: bigint },
): boolean {
  return (
    sessionId === session.sessionId &&
    (sessionStart === undefined || sessionStart === session.logStart)
  );
}

/** A service's own token, renewed before it ends. */
export class ServiceToken {
  #token = "";
  #renewAt = 0;

  constructor(
    private readonly tokens: Tokens,
    private readonly pod: string,
  ) {}

  get(): string {
    const now = performance.now();
    if (now >= this.#renewAt) {
      this.#token = this.tokens.issue({ role: "service", subject: this.pod }, 600);
      this.#renewAt = now + 300_000;
    }
    return this.#token;
  }
}
