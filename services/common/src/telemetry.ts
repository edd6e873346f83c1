/**
 * Loaded before a service (`node --import`): starts OpenTelemetry where OTEL_EXPORTER_OTLP_ENDPOINT
 * names a collector. Where none is named nothing is loaded, and nothing is traced. The SDK reads the
 * other standard variables itself (headers, protocol, time-outs, queue, resource).
 */
import { createLogger } from "./log.js";
import { readTelemetry, type TelemetrySettings } from "./telemetry-settings.js";
import { installTracing } from "./tracing.js";

/** Answers that one batch may link to: none of its traced answers is left out. */
const LINKS_MAX = 1_000;
/** A collector that is away is told of this often. */
const TELL_EVERY_MS = 60_000;

const settings = readTelemetry(process.env);
if (settings) await startTelemetry(settings);

async function startTelemetry({ ratio, faults }: TelemetrySettings): Promise<void> {
  const { api, core, node, NodeSDK, resources } = await import("@opentelemetry/sdk-node");
  const log = createLogger(process.env.OTEL_SERVICE_NAME || "telemetry", "warn");
  for (const fault of faults) log.warn({ fault }, "telemetry setting not understood");
  let toldAt = Number.NEGATIVE_INFINITY;
  const tell = (message: string) => {
    if (performance.now() - toldAt < TELL_EVERY_MS) return;
    toldAt = performance.now();
    log.warn({ detail: message.slice(0, 500) }, "telemetry: spans may be lost");
  };
  const ignore = () => {};
  api.diag.setLogger(
    { error: tell, warn: tell, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: api.DiagLogLevel.WARN },
  );
  const { POD_NAME } = process.env;
  const sdk = new NodeSDK({
    // What has a span is recorded: who makes one has drawn before (tracing.ts).
    sampler: new node.AlwaysOnSampler(),
    spanLimits: { linkCountLimit: LINKS_MAX },
    textMapPropagator: new core.W3CTraceContextPropagator(),
    // Spans are handed on by hand. The usual AsyncLocalStorage would slow every promise down.
    contextManager: null as never,
    resource: resources.defaultResource().merge(
      resources.resourceFromAttributes({
        "service.namespace": "fanfare",
        ...(POD_NAME ? { "service.instance.id": POD_NAME } : {}),
      }),
    ),
    resourceDetectors: [resources.envDetector],
    // Metrics are scraped and logs are written to stdout: neither goes to the collector.
    metricReaders: [],
    logRecordProcessors: [],
  });
  sdk.start();
  installTracing({
    tracer: api.trace.getTracer("fanfare"),
    ratio,
    stop: () => sdk.shutdown(),
  });
}
