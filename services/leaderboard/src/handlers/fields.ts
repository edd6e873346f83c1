/** Bounds that several requests share. */
import { invalidField } from "@fanfare/common/errors";
import { isToken } from "@fanfare/proto/addresses";

const PAGE_SIZE_MAX = 1_000;
const PAGE_SIZE_DEFAULT = 100;

export function checkToken(field: string, value: string): void {
  if (!isToken(value)) throw invalidField(field, "1 to 64 of the characters A-Z a-z 0-9 _ -");
}

/** Rows of a page; 0 takes the default. */
export function pageSize(asked: number): number {
  if (asked > PAGE_SIZE_MAX) throw invalidField("page_size", `0..${PAGE_SIZE_MAX}`);
  return asked || PAGE_SIZE_DEFAULT;
}
