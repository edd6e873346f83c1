/**
 * A client of the gateway's JSON door: POST /package.Service/Method, the Connect unary form. So the
 * command line takes the same way as a script of any user.
 */
import {
  create,
  type DescMessage,
  type DescService,
  fromBinary,
  fromJson,
  type JsonValue,
  type MessageInitShape,
  type MessageShape,
  toJsonString,
} from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { ServiceError, unavailable } from "@fanfare/common/errors";
import { ErrorDetailSchema, ErrorReason } from "@fanfare/proto/common/v1/error_reason";

type Methods<S extends DescService> = S["method"];

/** The unary methods of a service. Refusals are ServiceErrors. */
export type Door<S extends DescService> = {
  [K in keyof Methods<S> as Methods<S>[K]["methodKind"] extends "unary" ? K : never]: (
    request: MessageInitShape<Methods<S>[K]["input"]>,
  ) => Promise<MessageShape<Methods<S>[K]["output"]>>;
};

const TIMEOUT_MS = 10_000;

/** `urls` are gateways: where one can't be reached, or is not ready, the next is asked. */
export function openDoor<S extends DescService>(
  service: S,
  urls: readonly string[],
  token: string,
): Door<S> {
  const call = async (name: string, input: DescMessage, output: DescMessage, request: object) => {
    const body = toJsonString(input, create(input, request as never));
    const path = `/${service.typeName}/${name}`;
    let last: unknown;
    for (const url of urls) {
      try {
        return fromJson(output, await post(`${url.replace(/\/$/, "")}${path}`, body, token), {
          ignoreUnknownFields: true,
        });
      } catch (error) {
        if (!(error instanceof UnreachableError)) throw error;
        last = error;
      }
    }
    throw unavailable(`the gateway at ${urls.join(", ")}`, last);
  };
  const methods: Record<string, unknown> = {};
  for (const { localName, name, input, output } of service.methods)
    methods[localName] = (request: object) => call(name, input, output, request);
  return methods as Door<S>;
}

/** Nothing was asked: no connection came about. */
class UnreachableError extends Error {}

async function post(url: string, body: string, token: string): Promise<JsonValue> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    const code = (error as { cause?: { code?: string } }).cause?.code;
    if (code === "ECONNREFUSED" || code === "ENOTFOUND") throw new UnreachableError(url);
    throw unavailable(url, error);
  }
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as JsonValue;
  throw refusalOf(text, `${url} answered ${response.status}`);
}

interface ConnectError {
  message?: string;
  details?: { type?: string; value?: string }[];
}

function refusalOf(text: string, fallback: string): ServiceError {
  let error: ConnectError = {};
  try {
    error = JSON.parse(text) as ConnectError;
  } catch {
    // Not ours, as from a proxy between: the status says enough.
  }
  const message = error.message ?? fallback;
  const value = error.details?.find(({ type }) => type === ErrorDetailSchema.typeName)?.value;
  if (value === undefined) return new ServiceError(ErrorReason.INTERNAL, message);
  const detail = fromBinary(ErrorDetailSchema, Buffer.from(value, "base64"));
  return new ServiceError(detail.reason, message, {
    metadata: detail.metadata,
    ...(detail.retryAfter ? { retryAfterMs: durationMs(detail.retryAfter) } : {}),
  });
}
