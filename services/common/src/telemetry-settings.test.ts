import { describe, expect, test } from "vitest";
import { RATIO_DEFAULT, readTelemetry } from "./telemetry-settings.js";

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://otel:4318" };

describe("nothing is loaded", () => {
  test.each([
    ["without an endpoint", { OTEL_TRACES_SAMPLER: "always_on" }],
    ["with an empty one", { OTEL_EXPORTER_OTLP_ENDPOINT: "" }],
    ["with the SDK switched off", { ...ENDPOINT, OTEL_SDK_DISABLED: "TRUE" }],
    ["without an exporter", { ...ENDPOINT, OTEL_TRACES_EXPORTER: "none" }],
  ])("%s", (_, env) => {
    expect(readTelemetry(env)).toBeUndefined();
  });
});

describe("the share of what is traced", () => {
  test.each([
    [{}, RATIO_DEFAULT],
    [{ OTEL_TRACES_SAMPLER_ARG: "0.25" }, 0.25],
    [{ OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "1e-05" }, 0.00001],
    [{ OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0" }, 0],
    [{ OTEL_TRACES_SAMPLER: "always_on", OTEL_TRACES_SAMPLER_ARG: "0.5" }, 1],
    [{ OTEL_TRACES_SAMPLER: "parentbased_always_off" }, 0],
  ])("of %j is %d", (env, ratio) => {
    expect(readTelemetry({ ...ENDPOINT, ...env })).toEqual({ ratio, faults: [] });
  });

  test("may be told for an endpoint of traces alone", () => {
    const env = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://otel:4318/v1/traces" };
    expect(readTelemetry(env)).toEqual({ ratio: RATIO_DEFAULT, faults: [] });
  });

  test.each([
    [{ OTEL_TRACES_SAMPLER_ARG: "5 %" }, "OTEL_TRACES_SAMPLER_ARG"],
    [{ OTEL_TRACES_SAMPLER_ARG: "1.5" }, "OTEL_TRACES_SAMPLER_ARG"],
    [{ OTEL_TRACES_SAMPLER: "xray" }, "OTEL_TRACES_SAMPLER"],
  ])("of %j is the default, with a word about it", (env, variable) => {
    const settings = readTelemetry({ ...ENDPOINT, ...env });
    expect(settings?.ratio).toBe(RATIO_DEFAULT);
    expect(settings?.faults).toEqual([expect.stringContaining(variable)]);
  });
});
