/** Media of a question: where a browser may load them from, and what kind a bare reference is. */
import { create } from "@bufbuild/protobuf";
import { type Media, MediaKind, MediaSchema } from "../gen/common/v1/question_pb.js";
import { QUIZ_LIMITS } from "./limits.js";
import { quoted, textFault, tidy } from "./text.js";

const KINDS = new Set([MediaKind.IMAGE, MediaKind.AUDIO, MediaKind.VIDEO]);
const AUDIO = /\.(aac|flac|m4a|mp3|oga|ogg|opus|wav|weba)$/i;
const VIDEO = /\.(m4v|mkv|mov|mp4|ogv|webm)$/i;

export type CheckedMedia = { kind: "valid"; media: Media } | { kind: "invalid"; message: string };

export function checkMedia(given: Media): CheckedMedia {
  const url = tidy(given.url);
  const description = tidy(given.description);
  const fault =
    urlFault(url) ??
    named("the description of a media file", textFault(description, DESCRIPTION)) ??
    (KINDS.has(given.kind) ? undefined : "a media file has no kind; say image, audio or video");
  if (fault) return { kind: "invalid", message: fault };
  return { kind: "valid", media: create(MediaSchema, { kind: given.kind, url, description }) };
}

const DESCRIPTION = { max: QUIZ_LIMITS.MEDIA_DESCRIPTION_MAX, optional: true };

function urlFault(url: string): string | undefined {
  const fault = textFault(url, { max: QUIZ_LIMITS.MEDIA_URL_MAX });
  if (fault) return `the address of a media file ${fault}`;
  if (isHttpsUrl(url) || isGatewayPath(url)) return undefined;
  return `the media address ${quoted(url)} is neither an https URL nor a path that begins with /; give one of these`;
}

function isHttpsUrl(url: string): boolean {
  if (!/^https:\/\/[^\s\\]+$/i.test(url) || !URL.canParse(url)) return false;
  const { username, password } = new URL(url);
  return username === "" && password === "";
}

/** A path at this host: no other host behind it, no way up. */
function isGatewayPath(path: string): boolean {
  const [segments = ""] = path.replace(/%2e/gi, ".").split(/[?#]/);
  return /^\/(?!\/)[^\s\\]*$/.test(path) && !/\/\.{1,2}(\/|$)/.test(segments);
}

/** The media that a plain string in a file means; its address is not judged yet. */
export function mediaFromReference(reference: string): Media {
  const url = tidy(reference);
  return create(MediaSchema, { kind: kindOfReference(url), url });
}

/** By the file's extension; a picture where it says nothing. */
export function kindOfReference(reference: string): MediaKind {
  const path = reference.replace(/[?#].*$/s, "");
  if (AUDIO.test(path)) return MediaKind.AUDIO;
  return VIDEO.test(path) ? MediaKind.VIDEO : MediaKind.IMAGE;
}

function named(what: string, fault: string | undefined): string | undefined {
  return fault && `${what} ${fault}`;
}
