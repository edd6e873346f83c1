/** One page of a list or a search, from as many statements as it takes. */
import type { PagePosition } from "../domain/page-token.js";
import type { ListQuery } from "../domain/ports.js";
import type { Alternative } from "../domain/search-query.js";
import type { HeadRow } from "./quiz-rows.js";
import {
  type Listing,
  listAll,
  type Statement,
  searchAll,
  searchNewest,
  TIERS,
  type Tier,
} from "./quiz-search.js";

type Run = (statement: Statement) => Promise<HeadRow[]>;

export async function listPage(
  { tags, search, pageSize, after }: ListQuery,
  run: Run,
): Promise<{ rows: HeadRow[]; next: PagePosition | undefined }> {
  // One more than the page has says that there is a next one.
  const limit = pageSize + 1;
  if (!search) {
    const rows = await run(listAll({ tags, after, limit }));
    return pageOf(
      rows.map((row) => ({ row })),
      pageSize,
    );
  }
  const found: FoundRow[] = [];
  for (const tier of after?.pastTitles ? TIERS.slice(1) : TIERS) {
    // Where the titles end on this page, the texts begin at their newest.
    const goesOn = after && (tier === "text") === (after.pastTitles ?? false);
    const listing = { tags, after: goesOn ? after : undefined, limit: limit - found.length };
    const rows = await findInTier(listing, search, tier, run);
    found.push(...rows.map((row) => ({ row, tier })));
    if (found.length === limit) break;
  }
  return pageOf(found, pageSize);
}

interface FoundRow {
  row: HeadRow;
  tier?: Tier;
}

async function findInTier(
  listing: Listing,
  search: readonly Alternative[],
  tier: Tier,
  run: Run,
): Promise<HeadRow[]> {
  const newest = await run(searchNewest(listing, search, tier));
  return newest.length === listing.limit ? newest : run(searchAll(listing, search, tier));
}

function pageOf(found: readonly FoundRow[], pageSize: number) {
  const page = found.slice(0, pageSize);
  const last = found.length > pageSize ? page.at(-1) : undefined;
  return { rows: page.map(({ row }) => row), next: last && positionOf(last) };
}

function positionOf({ row, tier }: FoundRow): PagePosition {
  const position = { updatedAt: row.updated_at, quizId: row.quiz_id };
  return tier === "text" ? { ...position, pastTitles: true } : position;
}
