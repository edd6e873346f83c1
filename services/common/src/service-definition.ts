/** protobuf-es service → grpc-js definition. No maintained package binds the two (grpc-node #3005). */
import { type DescService, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { MethodDefinition } from "@grpc/grpc-js";

// biome-ignore lint/suspicious/noExplicitAny: grpc-js is generic over message types it never sees
export type AnyMethod = MethodDefinition<any, any>;

/** Definitions by local method name (camel case), as grpc-js wants them. */
export function serviceDefinition(service: DescService): Record<string, AnyMethod> {
  const definition: Record<string, AnyMethod> = {};
  for (const method of service.methods) {
    const { input, output } = method;
    definition[method.localName] = {
      path: `/${service.typeName}/${method.name}`,
      requestStream:
        method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
      responseStream:
        method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
      requestSerialize: (message) => Buffer.from(toBinary(input, message)),
      requestDeserialize: (bytes) => fromBinary(input, bytes),
      responseSerialize: (message) => Buffer.from(toBinary(output, message)),
      responseDeserialize: (bytes) => fromBinary(output, bytes),
    };
  }
  return definition;
}
