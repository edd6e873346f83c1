// @ts-check
/** The JSON door: POST /package.Service/Method with a token, the Connect unary form. */

const DEADLINE_MS = 15_000;

/** A call that failed; the message is the server's and meant for people. */
export class RpcError extends Error {
  /**
   * @param {string} message
   * @param {number} status 0 where the server was not reached.
   */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * @param {string} method "quiz.v1.QuizService/GetSession"
 * @param {object} request
 * @param {string} token
 * @returns {Promise<unknown>} The response's JSON. Rejects with RpcError.
 */
export async function call(method, request, token) {
  const response = await fetch(`/${method}`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "Connect-Protocol-Version": "1",
      Authorization: `Bearer ${token}`,
    },
    body: JSON.stringify(request),
    signal: AbortSignal.timeout(DEADLINE_MS),
  }).catch(() => {
    throw new RpcError("The server can’t be reached. Try again.", 0);
  });
  /** @type {unknown} */
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  const message = /** @type {{message?: string}} */ (body).message;
  throw new RpcError(message || `The server answered with ${response.status}.`, response.status);
}
