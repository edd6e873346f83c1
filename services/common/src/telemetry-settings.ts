/** What the standard OTEL_* variables say of tracing, as far as the SDK does not read them itself. */

/** One answer in a thousand, unless OTEL_TRACES_SAMPLER_ARG says otherwise. */
export const RATIO_DEFAULT = 0.001;

export interface TelemetrySettings {
  /** Share of answers that are traced. */
  ratio: number;
  /** What could not be understood: by OpenTelemetry's rules the default holds then. */
  faults: string[];
}

type Env = Readonly<Record<string, string | undefined>>;

/** Undefined where no collector is named, or tracing is switched off: then no SDK is loaded. */
export function readTelemetry(env: Env): TelemetrySettings | undefined {
  const endpoint = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const isOff = env.OTEL_SDK_DISABLED?.trim().toLowerCase() === "true";
  if (!endpoint || isOff || env.OTEL_TRACES_EXPORTER === "none") return undefined;
  return readSampler(env.OTEL_TRACES_SAMPLER || "parentbased_traceidratio", env);
}

/** No parent comes from outside (a client's is only a link), so the parent-based ones are the same. */
function readSampler(sampler: string, env: Env): TelemetrySettings {
  switch (sampler.replace(/^parentbased_/, "")) {
    case "always_on":
      return { ratio: 1, faults: [] };
    case "always_off":
      return { ratio: 0, faults: [] };
    case "traceidratio":
      return readRatio(env.OTEL_TRACES_SAMPLER_ARG);
    default: {
      const known = "always_on, always_off, traceidratio, each also with parentbased_ before it";
      const { ratio, faults } = readRatio(env.OTEL_TRACES_SAMPLER_ARG);
      return { ratio, faults: [`OTEL_TRACES_SAMPLER must be one of ${known}`, ...faults] };
    }
  }
}

function readRatio(given: string | undefined): TelemetrySettings {
  if (!given) return { ratio: RATIO_DEFAULT, faults: [] };
  const ratio = Number(given);
  if (ratio >= 0 && ratio <= 1) return { ratio, faults: [] };
  return {
    ratio: RATIO_DEFAULT,
    faults: [`OTEL_TRACES_SAMPLER_ARG must be 0 to 1; ${RATIO_DEFAULT} is used`],
  };
}
