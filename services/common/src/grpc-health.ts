/** grpc.health.v1 from the process's Health. One answer for all services: they live and die together. */

import { create } from "@bufbuild/protobuf";
import {
  type HealthCheckRequest,
  HealthCheckResponseSchema,
  Health as HealthDesc,
  HealthCheckResponse_ServingStatus as Serving,
} from "@fanfare/proto/grpc/health/v1/health";
import type { Server, ServerUnaryCall, ServerWritableStream, sendUnaryData } from "@grpc/grpc-js";
import type { Health } from "./health.js";
import { serviceDefinition } from "./service-definition.js";

/** How often a watcher's state is looked at besides being told of changes. */
const WATCH_EVERY_MS = 1_000;

export function addHealthService(server: Server, health: Health): void {
  const now = () => (health.faults().length === 0 ? Serving.SERVING : Serving.NOT_SERVING);
  server.addService(serviceDefinition(HealthDesc), {
    check(_call: ServerUnaryCall<HealthCheckRequest, unknown>, reply: sendUnaryData<unknown>) {
      reply(null, create(HealthCheckResponseSchema, { status: now() }));
    },
    watch(call: ServerWritableStream<HealthCheckRequest, unknown>) {
      let last: Serving | undefined;
      const tell = () => {
        const status = now();
        if (status === last) return;
        last = status;
        call.write(create(HealthCheckResponseSchema, { status }));
      };
      const stop = health.onChange(tell);
      const timer = setInterval(tell, WATCH_EVERY_MS);
      call.on("cancelled", () => {
        clearInterval(timer);
        stop();
        call.end();
      });
      tell();
    },
  } as never);
}
