/** Holds a caller's token against a row of proto/access.ts. What the row does not allow is refused. */
import type { AccessRow, Relation } from "@fanfare/proto/access";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";
import { ServiceError } from "./errors.js";
import type { Identity } from "./tokens.js";

/** A caller whose token has been read, and what the row asks of it. */
export interface Caller {
  identity: Identity;
  relation: Relation;
}

/** Relations that only the owner of the thing can tell. */
export type Ownership = "owner" | "historyOwner" | "quizOwner";

/** Whether the caller owns what the request names; throws where there is no such thing. */
export type OwnerCheck = (identity: Identity, request: never) => Promise<boolean>;

const OWNERSHIPS: ReadonlySet<Relation> = new Set(["owner", "historyOwner", "quizOwner"]);
/** Relations of calls that name no session: a token that is bound to one is no use there. */
const UNBOUND: ReadonlySet<Relation> = new Set(["unbound", "self", "quizOwner"]);

const NOT_YOURS: Record<Ownership, string> = {
  owner: "only the session's own host may do this",
  historyOwner: "only the session's own host may do this",
  quizOwner: "only the quiz's author may do this",
};

export function isOwnership(relation: Relation): relation is Ownership {
  return OWNERSHIPS.has(relation);
}

/** What can be said before the request is read. Throws FORBIDDEN. */
export function enterAs(identity: Identity, row: AccessRow): Caller {
  const relation = Object.hasOwn(row, identity.role) ? row[identity.role] : undefined;
  if (relation === undefined) {
    const roles = Object.keys(row);
    throw forbidden(`this call is for: ${roles.join(", ")}`, { roles: roles.join(",") });
  }
  if (identity.sessionId !== undefined && UNBOUND.has(relation))
    throw forbidden(
      `the token is for session ${identity.sessionId} alone; use one that is bound to none`,
      { relation },
    );
  return { identity, relation };
}

/** A token that is bound to a session acts on that one alone. Throws FORBIDDEN. */
export function checkBinding({ identity, relation }: Caller, request: unknown): void {
  const { sessionId } = identity;
  if (sessionId === undefined || relation === "any") return;
  if ((request as { sessionId?: unknown }).sessionId === sessionId) return;
  throw forbidden(`the token is for session ${sessionId} alone`, { relation });
}

/** Throws FORBIDDEN where the row asks for an owner and the caller is none. */
export async function checkOwner(
  { identity, relation }: Caller,
  request: unknown,
  owners: Partial<Record<Ownership, OwnerCheck>>,
): Promise<void> {
  if (!isOwnership(relation)) return;
  const isOwner = owners[relation];
  if (isOwner && (await isOwner(identity, request as never))) return;
  throw forbidden(NOT_YOURS[relation], { relation });
}

export function forbidden(message: string, metadata: Record<string, string> = {}): ServiceError {
  return new ServiceError(ErrorReason.FORBIDDEN, message, { metadata });
}
