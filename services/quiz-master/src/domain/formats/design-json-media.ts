/** Media of a question in the design document's JSON: what can't be shown is left out, the question stays. */
import { create } from "@bufbuild/protobuf";
import { type Media, MediaKind, MediaSchema } from "@fanfare/proto/common/v1/question";
import { checkMedia, mediaFromReference } from "@fanfare/proto/questions/media";
import { clip, quoted, tidy } from "@fanfare/proto/questions/text";
import { LIMITS } from "../limits.js";
import { byName, Fields } from "./json-fields.js";
import type { JsonNode } from "./positioned-json.js";
import type { TextHabits } from "./text-habits.js";

export const MEDIA_FIELDS = new Set(["kind", "url", "description"]);

export function readMediaList(
  nodes: readonly JsonNode[],
  habits: TextHabits,
  notes: string[],
): Media[] {
  const media = nodes
    .map((node) => readMedia(node, habits, notes))
    .filter((file) => file !== undefined);
  if (media.length > LIMITS.MEDIA_MAX)
    notes.push(
      `there are ${media.length} media files; the first ${LIMITS.MEDIA_MAX} were kept, the others left out`,
    );
  return media.slice(0, LIMITS.MEDIA_MAX);
}

function readMedia(node: JsonNode, habits: TextHabits, notes: string[]): Media | undefined {
  if (isNothing(node)) return undefined;
  const given =
    node.kind === "string"
      ? mediaFromReference(habits.read(node.text))
      : node.kind === "object"
        ? readFields(new Fields(node.members, habits), notes)
        : undefined;
  const checked = given
    ? checkMedia(given)
    : ({
        kind: "invalid",
        message: 'media must be references, or {"kind", "url", "description"}',
      } as const);
  if (checked.kind === "valid") return checked.media;
  notes.push(`a media file was left out: ${checked.message}`);
  return undefined;
}

/** What programs write for no picture. */
function isNothing(node: JsonNode): boolean {
  if (node.kind === "null") return true;
  if (node.kind === "string") return node.text.trim() === "";
  return node.kind === "boolean" && node.text === "false";
}

function readFields(fields: Fields, notes: string[]): Media {
  const media = mediaFromReference(fields.optionalText("url", notes));
  const kind = fields.optionalText("kind", notes);
  const known = byName(MediaKind, "MEDIA_KIND_", kind);
  if (kind !== "" && !known)
    notes.push(`the media kind ${quoted(kind)} is not known; say IMAGE, AUDIO or VIDEO`);
  const description = tidy(fields.optionalText("description", notes));
  const short = clip(description, LIMITS.MEDIA_DESCRIPTION_MAX);
  if (short !== description)
    notes.push(
      `the description of a media file was cut to ${LIMITS.MEDIA_DESCRIPTION_MAX} characters`,
    );
  return create(MediaSchema, { ...media, kind: known || media.kind, description: short });
}
