/**
 * The bare server that ours is measured against: uWebSockets.js and NATS, and nothing else. It gives
 * one frame at connect, publishes what comes on BARE.board to everybody, and stores answers in 5 ms
 * batches, one JetStream entry each, acknowledging them after the publish ack.
 */

import uWS from "uWebSockets.js";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";

const BATCH_MS = 5;

const nc = await connect({ servers: process.argv[2] ?? "" });
await (await jetstreamManager(nc)).streams.add({ name: "BARE", subjects: ["BARE.answers"] });
const js = jetstream(nc);

interface AnswerFrame {
  answer: { round: number; submissionId: string };
}
let batch: { socket: uWS.WebSocket<unknown>; frame: AnswerFrame }[] = [];

async function store(): Promise<void> {
  const taken = batch;
  batch = [];
  await js.publish("BARE.answers", JSON.stringify(taken.map(({ frame }) => frame)));
  for (const { socket, frame } of taken) {
    const { round, submissionId } = frame.answer;
    socket.send(JSON.stringify({ accepted: { round, submissionId } }));
  }
}

const app = uWS.App().ws("/*", {
  idleTimeout: 120,
  open(socket) {
    socket.subscribe("board");
    socket.send("[]");
  },
  message(socket, message) {
    const frame = JSON.parse(Buffer.from(message).toString()) as AnswerFrame;
    if (batch.length === 0) setTimeout(() => void store(), BATCH_MS);
    batch.push({ socket, frame });
  },
});
nc.subscribe("BARE.board", { callback: (_, message) => void app.publish("board", message.data) });
app.listen("127.0.0.1", 0, (token) => {
  process.send?.({ port: token ? uWS.us_socket_local_port(token) : 0 });
});
process.on("disconnect", () => process.exit());
