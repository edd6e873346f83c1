/** Says on NATS, four times a second, whose players have answered. What is lost is said again. */
import { randomUUID } from "node:crypto";
import { create, type MessageInitShape, toJsonString } from "@bufbuild/protobuf";
import type { Bus } from "@fanfare/common/bus";
import type { Lifecycle } from "@fanfare/common/lifecycle";
import { ATTENDANCE_SUBJECT } from "@fanfare/proto/addresses";
import { AttendanceSchema } from "@fanfare/proto/events/v1/events";
import { AttendanceSpeaker, type AttendedRoom } from "../domain/attendance.js";

const EVERY_MS = 250;

export function sayAttendance(
  bus: Bus,
  pod: string,
  rooms: { all(): Iterable<AttendedRoom> },
  lifecycle: Lifecycle,
): void {
  const speaker = new AttendanceSpeaker(`${pod} ${randomUUID()}`);
  const say = (message: MessageInitShape<typeof AttendanceSchema>) =>
    bus.nc.publish(
      ATTENDANCE_SUBJECT,
      toJsonString(AttendanceSchema, create(AttendanceSchema, message)),
    );
  const timer = setInterval(() => {
    // Said into a line that is down it would be heard late, and be old then.
    if (bus.connected()) say(speaker.next(rooms.all(), performance.now()));
    else speaker.sayAll();
  }, EVERY_MS);
  lifecycle.push("attendance", () => {
    clearInterval(timer);
    if (bus.connected()) say(speaker.farewell());
  });
}
