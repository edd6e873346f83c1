/** Reads the body of a request, up to a limit. */
import type { HttpResponse } from "uWebSockets.js";

/**
 * Resolves with the body as text, or undefined where it is larger than `bytesMax`; rejects when the
 * client goes away. To be called in the turn in which the request came.
 */
export function readBody(
  response: HttpResponse,
  bytesMax: number,
  gone: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    gone.addEventListener("abort", () => reject(new Error("the client went away")), { once: true });
    response.onData((chunk, isLast) => {
      bytes += chunk.byteLength;
      if (bytes > bytesMax) {
        chunks.length = 0;
        return resolve(undefined);
      }
      // The chunk is good for this call only.
      chunks.push(Buffer.from(chunk.slice(0)));
      if (isLast) resolve(Buffer.concat(chunks).toString());
    });
  });
}
