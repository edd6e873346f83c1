/** Bounds that several requests share. */
import { invalidField, ServiceError } from "@fanfare/common/errors";
import { isToken } from "@fanfare/proto/addresses";
import { ErrorReason } from "@fanfare/proto/common/v1/error_reason";

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

/** For the next page of a board whose rows have moved since the one before. */
export function boardChanged(): ServiceError {
  return new ServiceError(
    ErrorReason.BOARD_CHANGED,
    "the board has changed since the page before; begin again with an empty page_token",
    { metadata: { field: "page_token" } },
  );
}
