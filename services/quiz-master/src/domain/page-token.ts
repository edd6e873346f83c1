/** Where a listing goes on: behind the last quiz of the page, so that changes move no page. */
import { isToken } from "@fanfare/proto/addresses";

export interface PagePosition {
  /** When the last quiz of the page had changed. */
  updatedAt: Date;
  quizId: string;
  /** Set where the titles that were searched for are behind already. */
  pastTitles?: true;
}

export function writePageToken({ updatedAt, quizId, pastTitles }: PagePosition): string {
  const place = pastTitles ? "t" : "";
  return Buffer.from(`${updatedAt.getTime()}${place}.${quizId}`).toString("base64url");
}

/** Undefined for what no listing has given out. */
export function readPageToken(token: string): PagePosition | undefined {
  const [, ms = "", place = "", quizId = ""] =
    /^(\d{1,15})(t?)\.(.+)$/.exec(Buffer.from(token, "base64url").toString("utf8")) ?? [];
  if (!isToken(quizId)) return undefined;
  const position: PagePosition = { updatedAt: new Date(Number(ms)), quizId };
  if (place === "t") position.pastTitles = true;
  return writePageToken(position) === token ? position : undefined;
}
