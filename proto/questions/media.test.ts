import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { MediaKind, MediaSchema } from "../gen/common/v1/question_pb.js";
import { checkMedia, kindOfReference, mediaFromReference } from "./media.js";

const file = (url: string, kind = MediaKind.IMAGE) => create(MediaSchema, { url, kind });

test.each([["https://cdn.example/a.png"], ["/media/a%20b.png?size=2#t=3"], ["/media/ä/b'c.png"]])(
  "%s is an address",
  (url) => {
    expect(checkMedia(file(url))).toMatchObject({ kind: "valid", media: { url } });
  },
);

test.each([
  ["plain http", "http://cdn.example/a.png"],
  ["a script", "javascript:alert(1)"],
  ["data in the address", "data:image/png;base64,AAAA"],
  ["another host by two slashes", "//evil.example/a.png"],
  ["another host by backslash", "/\\evil.example/a.png"],
  ["a way up", "/media/../admin"],
  ["an encoded way up", "/media/%2E%2e/admin"],
  ["a password", "https://user:secret@cdn.example/a.png"],
  ["no host", "https:///"],
  ["a space", "/media/a b.png"],
  ["nothing", ""],
  ["too long", `/${"a".repeat(500)}`],
])("%s is refused", (_, url) => {
  expect(checkMedia(file(url)).kind).toBe("invalid");
});

test("a kind that is not set is refused", () => {
  expect(checkMedia(file("/a.png", MediaKind.UNSPECIFIED))).toMatchObject({
    kind: "invalid",
    message: expect.stringContaining("image, audio or video"),
  });
});

test.each([
  ["an https address", "https://cdn.example/a.mp3", "valid"],
  ["a path", "/media/a.png", "valid"],
  ["a bare name, which points nowhere", "cell.png", "invalid"],
  ["another scheme", "s3://bucket/a.png", "invalid"],
  ["half a surrogate pair", "half \ud800 pair", "invalid"],
])("a plain reference: %s", (_, reference, kind) => {
  expect(checkMedia(mediaFromReference(reference)).kind).toBe(kind);
});

test.each([
  ["/a.MP3?x=.png", MediaKind.AUDIO],
  ["b.webm#t=1", MediaKind.VIDEO],
  ["c.jpeg", MediaKind.IMAGE],
  ["no extension", MediaKind.IMAGE],
])("the kind of %s", (reference, kind) => {
  expect(kindOfReference(reference)).toBe(kind);
});
