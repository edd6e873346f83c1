/** `nats pub SUBJECT BODY` for the tour's test. */
import { connect } from "@nats-io/transport-node";

const [, , command, subject, body] = process.argv;
if (command !== "pub" || !subject || body === undefined) {
  process.stderr.write("usage: nats pub SUBJECT BODY\n");
  process.exit(2);
}
const nc = await connect({ servers: process.env.NATS_URL ?? "127.0.0.1:4222" });
nc.publish(subject, body);
await nc.drain();
