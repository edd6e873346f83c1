/** A collector of our own: takes spans by OTLP/HTTP as JSON and keeps them, to be asked about. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { until } from "./stage.js";

export interface ReceivedSpan {
  service: string;
  name: string;
  kind: "internal" | "server" | "client" | "producer" | "consumer";
  traceId: string;
  spanId: string;
  /** Empty for the root of a trace. */
  parentId: string;
  links: readonly { traceId: string; spanId: string }[];
  attributes: Readonly<Record<string, string | number | boolean>>;
  isError: boolean;
}

export interface OtlpReceiver extends AsyncDisposable {
  /** The environment that sends a process's spans here, soon after their end. */
  readonly env: Readonly<Record<string, string>>;
  readonly spans: readonly ReceivedSpan[];
  /** All that was received, as text. */
  readonly text: string;
  /** Waits for a span. */
  find(matches: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan>;
}

const KINDS = ["internal", "internal", "server", "client", "producer", "consumer"] as const;
const STATUS_ERROR = 2;

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await readAll(request);
    bodies.push(body);
    spans.push(...readSpans(JSON.parse(body)));
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    spans,
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_BSP_SCHEDULE_DELAY: "100",
    },
    get text() {
      return bodies.join("\n");
    },
    find: (matches) => until(() => spans.find(matches)),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** The part of OTLP's ExportTraceServiceRequest that is asked about here. */
interface OtlpTraces {
  resourceSpans: {
    resource: { attributes: OtlpAttribute[] };
    scopeSpans: { spans: OtlpSpan[] }[];
  }[];
}

interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  attributes: OtlpAttribute[];
  links?: { traceId: string; spanId: string }[];
  status?: { code?: number };
}

interface OtlpAttribute {
  key: string;
  value: { stringValue?: string; intValue?: number | string; boolValue?: boolean };
}

function readSpans({ resourceSpans }: OtlpTraces): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(readAttributes(resource.attributes)["service.name"]);
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => readSpan(service, span)));
  });
}

function readSpan(service: string, span: OtlpSpan): ReceivedSpan {
  const { traceId, spanId, name } = span;
  return {
    service,
    name,
    traceId,
    spanId,
    kind: KINDS[span.kind] ?? "internal",
    parentId: span.parentSpanId ?? "",
    links: (span.links ?? []).map((link) => ({ traceId: link.traceId, spanId: link.spanId })),
    attributes: readAttributes(span.attributes),
    isError: span.status?.code === STATUS_ERROR,
  };
}

function readAttributes(attributes: OtlpAttribute[]): ReceivedSpan["attributes"] {
  return Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue, boolValue } }) => [
      key,
      stringValue ?? boolValue ?? Number(intValue),
    ]),
  );
}
