/** Answers over HTTP: small texts, and the headers that every answer carries. */
import type { HttpRequest, HttpResponse } from "uWebSockets.js";

/** Pages of ours alone, media from anywhere over https; nobody frames them. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' https: data:",
  "media-src 'self' https:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

export const NOT_A_SESSION_ID = "a session id is 1 to 64 of A-Z a-z 0-9 _ -";

export function writeSecurityHeaders(response: HttpResponse): void {
  response
    .writeHeader("content-security-policy", CONTENT_SECURITY_POLICY)
    .writeHeader("x-content-type-options", "nosniff")
    .writeHeader("referrer-policy", "no-referrer");
}

/** Ends a response with a line of text. Only in the turn in which the request came. */
export function replyText(
  response: HttpResponse,
  request: HttpRequest,
  status: string,
  text: string,
): void {
  response.writeStatus(status);
  writeSecurityHeaders(response);
  response
    .writeHeader("content-type", "text/plain; charset=utf-8")
    .writeHeader("cache-control", "no-store");
  endWith(response, request, `${text}\n`);
}

/** There is nothing here, and nothing is wrong with that. */
export function replyNothing(response: HttpResponse, _: HttpRequest): void {
  response.writeStatus("204 No Content");
  writeSecurityHeaders(response);
  response.writeHeader("cache-control", "no-store").endWithoutBody();
}

/** Sends a browser to another path of this server, with the query that came. */
export function redirect(response: HttpResponse, request: HttpRequest, path: string): void {
  const query = request.getQuery();
  response
    .writeStatus("308 Permanent Redirect")
    .writeHeader("location", query ? `${path}?${query}` : path);
  writeSecurityHeaders(response);
  response.writeHeader("cache-control", "no-store");
  endWith(response, request, "");
}

/** Ends a response with a body; for HEAD only its length is sent. */
export function endWith(response: HttpResponse, request: HttpRequest, body: string | Buffer): void {
  if (request.getMethod() !== "head") response.end(body);
  // The library would take a length as an argument, but then holds the response for unanswered.
  else response.writeHeader("content-length", String(Buffer.byteLength(body))).endWithoutBody();
}

/**
 * The client's address. With proxies of ours in front, the address that the first of them saw: each
 * appends what it sees to X-Forwarded-For, and what stands left of that is the client's own say.
 */
export function addressOf(
  response: HttpResponse,
  request: HttpRequest,
  trustedProxies: number,
): string {
  const peer = Buffer.from(response.getRemoteAddressAsText()).toString();
  if (trustedProxies === 0) return peer;
  const seen = request.getHeader("x-forwarded-for").split(",");
  return seen.at(-trustedProxies)?.trim() || peer;
}

/** Whether a browser page of this origin may connect; what is no browser sends none. */
export function isAllowedOrigin(origin: string, host: string, allowed: readonly string[]): boolean {
  if (origin === "" || allowed.includes("*") || allowed.includes(origin)) return true;
  try {
    return new URL(origin).host === host;
  } catch {
    return false;
  }
}
