/** Where a listing goes on: behind the last quiz of the page, so that changes move no page. */
import { isToken } from "@fanfare/proto/addresses";

export interface PagePosition {
  /** When the last quiz of the page had changed. */
  updatedAt: Date;
  quizId: string;
}

export function writePageToken({ updatedAt, quizId }: PagePosition): string {
  return Buffer.from(`${updatedAt.getTime()}.${quizId}`).toString("base64url");
}

/** Undefined for what no listing has given out. */
export function readPageToken(token: string): PagePosition | undefined {
  const [, ms = "", quizId = ""] =
    /^(\d{1,15})\.(.+)$/.exec(Buffer.from(token, "base64url").toString("utf8")) ?? [];
  if (!isToken(quizId)) return undefined;
  const position = { updatedAt: new Date(Number(ms)), quizId };
  return writePageToken(position) === token ? position : undefined;
}
