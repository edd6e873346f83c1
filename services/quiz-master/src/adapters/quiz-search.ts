/**
 * The statements that list quizzes. A search gives those with the words in their title first, then those
 * that have them anywhere, each newest first. What many quizzes hold is found among the newest of them;
 * for the rest an index on pieces of three characters narrows. The text itself decides.
 */
import type { PagePosition } from "../domain/page-token.js";
import type { Alternative, Needle } from "../domain/search-query.js";

/** Where a search looks. */
export type Tier = "title" | "text";

export const TIERS: readonly Tier[] = ["title", "text"];

/** Quizzes that are looked at, newest first, before an index is asked. */
const NEWEST_LOOKED_AT = 1_000;

export interface Listing {
  tags: readonly string[];
  after: PagePosition | undefined;
  limit: number;
}

export interface Statement {
  text: string;
  parameters: unknown[];
}

/** A statement's parameters, as they are collected. */
class Parameters {
  readonly values: unknown[] = [];

  /** The placeholder of one more parameter. */
  add(value: unknown, type: string): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}

const HEAD = "quiz_id, version, author, created_at, updated_at, title, tags, question_count";
const NEWEST_FIRST = "ORDER BY updated_at DESC, quiz_id DESC";

/** The next heads of all quizzes. */
export function listAll({ tags, after, limit }: Listing): Statement {
  const parameters = new Parameters();
  const text = `
    SELECT ${HEAD} FROM quiz_master.quizzes ${where(within({ tags, after }, parameters))}
    ${NEWEST_FIRST} LIMIT ${parameters.add(limit, "integer")}`;
  return { text, parameters: parameters.values };
}

/**
 * The next heads of a tier among the newest quizzes: all of them where there are as many as the limit,
 * else perhaps not.
 */
export function searchNewest(
  { tags, after, limit }: Listing,
  search: readonly Alternative[],
  tier: Tier,
): Statement {
  const parameters = new Parameters();
  const text = `
    SELECT ${HEAD} FROM (
      SELECT ${HEAD}, search_title, search_text
      FROM quiz_master.quizzes ${where(within({ tags, after }, parameters))}
      ${NEWEST_FIRST} LIMIT ${NEWEST_LOOKED_AT}
    ) AS newest
    WHERE ${belongs(search, tier, parameters)}
    ${NEWEST_FIRST} LIMIT ${parameters.add(limit, "integer")}`;
  return { text, parameters: parameters.values };
}

/** The next heads of a tier, by its index. */
export function searchAll(
  { tags, after, limit }: Listing,
  search: readonly Alternative[],
  tier: Tier,
): Statement {
  const parameters = new Parameters();
  const narrowing = narrowed(search, tier, parameters);
  const conditions = [
    ...within({ tags, after }, parameters),
    ...narrowing,
    belongs(search, tier, parameters),
  ];
  const page = `${NEWEST_FIRST} LIMIT ${parameters.add(limit, "integer")}`;
  const found = `SELECT ${HEAD} FROM quiz_master.quizzes ${where(conditions)}`;
  // What most quizzes have fills a page soon, and no index knows the others: a walk from the newest.
  if (narrowing.length === 0) return { text: `${found} ${page}`, parameters: parameters.values };
  // Materialized: the planner believes that words are rare or frequent as the pieces of them are, and
  // would walk all quizzes from the newest for a word that only old ones have.
  const text = `WITH found AS MATERIALIZED (${found}) SELECT ${HEAD} FROM found ${page}`;
  return { text, parameters: parameters.values };
}

function where(conditions: readonly string[]): string {
  return conditions.length > 0 ? `WHERE ${conditions.join(" AND ")}` : "";
}

function within({ tags, after }: Omit<Listing, "limit">, parameters: Parameters): string[] {
  const conditions: string[] = [];
  if (tags.length > 0) conditions.push(`tags @> ${parameters.add([...tags], "text[]")}`);
  if (after) {
    const [at, id] = [
      parameters.add(after.updatedAt, "timestamptz"),
      parameters.add(after.quizId, "text"),
    ];
    conditions.push(`(updated_at, quiz_id) < (${at}, ${id})`);
  }
  return conditions;
}

/** What the index can say of a tier; nothing where one alternative only says what shall not be there. */
function narrowed(search: readonly Alternative[], tier: Tier, parameters: Parameters): string[] {
  const alternatives = ofTier(search, tier);
  if (!alternatives.every(wantsSomething)) return [];
  const pieces = alternatives.map((each) => [...new Set(each.with.flatMap(({ grams }) => grams))]);
  return [anyOf(pieces.map((grams) => `${tier}_grams @> ${parameters.add(grams, "integer[]")}`))];
}

/** What only says what shall not be there holds in both tiers alike: it is done with the titles. */
function ofTier(search: readonly Alternative[], tier: Tier): readonly Alternative[] {
  return tier === "title" ? search : search.filter(wantsSomething);
}

function wantsSomething(alternative: Alternative): boolean {
  return alternative.with.length > 0;
}

/** Whether a quiz belongs to this tier of the search. */
function belongs(search: readonly Alternative[], tier: Tier, parameters: Parameters): string {
  const inTitle = anyOf(search.map((each) => holding(each, "title", parameters)));
  if (tier === "title") return inTitle;
  const inText = ofTier(search, tier).map((each) => holding(each, tier, parameters));
  return `${anyOf(inText)} AND NOT ${inTitle}`;
}

/** What is wanted must be in the title or in the text, what is not wanted is nowhere. */
function holding(alternative: Alternative, tier: Tier, parameters: Parameters): string {
  const conditions = [
    ...alternative.with.map((needle) => holds(needle, tier, parameters)),
    ...alternative.without.map((needle) => `NOT ${holds(needle, "text", parameters)}`),
  ];
  return `(${conditions.join(" AND ")})`;
}

function holds({ text }: Needle, tier: Tier, parameters: Parameters): string {
  return `strpos(search_${tier}, ${parameters.add(text, "text")}) > 0`;
}

/** None of none: a search without a single word, like "?!", finds nothing. */
function anyOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? "false" : `(${conditions.join(" OR ")})`;
}
