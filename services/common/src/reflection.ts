/**
 * gRPC server reflection, v1 and v1alpha, over the descriptors in the generated code. The published
 * package fails on well-known types (grpc-node #2958), hence our own.
 */
import { create, type DescFile, type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { file_common_v1_error_reason } from "@fanfare/proto/common/v1/error_reason";
import { Health } from "@fanfare/proto/grpc/health/v1/health";
import * as v1 from "@fanfare/proto/grpc/reflection/v1/reflection";
import * as v1alpha from "@fanfare/proto/grpc/reflection/v1alpha/reflection";
import { type Server, type ServerDuplexStream, status } from "@grpc/grpc-js";
import { serviceDefinition } from "./service-definition.js";

export function addReflection(server: Server, services: readonly DescService[]): void {
  const listed = [...services, Health];
  const files = new Map<string, DescFile>();
  const collect = (file: DescFile) => {
    if (files.has(file.name)) return;
    files.set(file.name, file);
    for (const dependency of file.dependencies) collect(dependency);
  };
  for (const service of listed) collect(service.file);
  collect(file_common_v1_error_reason);
  const bySymbol = new Map<string, DescFile>();
  for (const file of files.values())
    for (const symbol of symbolsOf(file)) bySymbol.set(symbol, file);
  for (const version of [v1, v1alpha])
    server.addService(serviceDefinition(version.ServerReflection), {
      serverReflectionInfo: (call: Call) => answer(call, version, { listed, files, bySymbol }),
    } as never);
}

type Call = ServerDuplexStream<v1.ServerReflectionRequest, unknown>;

interface Index {
  listed: readonly DescService[];
  files: ReadonlyMap<string, DescFile>;
  bySymbol: ReadonlyMap<string, DescFile>;
}

function answer(call: Call, version: typeof v1 | typeof v1alpha, index: Index): void {
  call.on("data", (request: v1.ServerReflectionRequest) => {
    const reply = (messageResponse: object) =>
      call.write(
        create(version.ServerReflectionResponseSchema as typeof v1.ServerReflectionResponseSchema, {
          validHost: request.host,
          originalRequest: request,
          messageResponse: messageResponse as never,
        }),
      );
    const { case: kind, value } = request.messageRequest;
    if (kind === "listServices") {
      const service = index.listed.map(({ typeName }) => ({ name: typeName }));
      return reply({ case: "listServicesResponse", value: { service } });
    }
    const file =
      kind === "fileByFilename"
        ? index.files.get(value.replace(/\.proto$/, ""))
        : kind === "fileContainingSymbol"
          ? index.bySymbol.get(value)
          : undefined;
    if (!file)
      return reply({
        case: "errorResponse",
        value: { errorCode: status.NOT_FOUND, errorMessage: "not found" },
      });
    const fileDescriptorProto = withDependencies(file).map((each) =>
      toBinary(FileDescriptorProtoSchema, each.proto),
    );
    return reply({ case: "fileDescriptorResponse", value: { fileDescriptorProto } });
  });
  call.on("end", () => call.end());
}

function withDependencies(file: DescFile, seen = new Set<DescFile>()): DescFile[] {
  if (seen.has(file)) return [];
  seen.add(file);
  return [file, ...file.dependencies.flatMap((each) => withDependencies(each, seen))];
}

function symbolsOf(file: DescFile): string[] {
  const messages = (list: DescFile["messages"]): string[] =>
    list.flatMap((message) => [
      message.typeName,
      ...message.nestedEnums.map(({ typeName }) => typeName),
      ...messages(message.nestedMessages),
    ]);
  return [
    ...file.enums.map(({ typeName }) => typeName),
    ...messages(file.messages),
    ...file.services.flatMap((service) => [
      service.typeName,
      ...service.methods.map(({ name }) => `${service.typeName}.${name}`),
    ]),
  ];
}
