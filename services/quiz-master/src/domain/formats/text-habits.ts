/** Reads the texts of one row: HTML entities are decoded or told of, what looks wrongly decoded is told of. */
import { quoted } from "@fanfare/proto/questions/text";
import { decodeHTMLStrict } from "entities";
import { findMojibake } from "./mojibake.js";

/** A character that a decoder could not read, with what stands around it. */
const LOST = /.{0,15}\ufffd.{0,15}/su;

export class TextHabits {
  readonly #notes = new Set<string>();

  constructor(private readonly decodesEntities: boolean) {}

  read(given: string): string {
    const decoded = given.includes("&") ? decodeHTMLStrict(given) : given;
    const text = this.decodesEntities ? decoded : given;
    if (decoded !== given)
      this.#notes.add(
        this.decodesEntities
          ? "HTML entities were decoded to the characters that they stand for"
          : "HTML entities (&quot; and the like) were kept as they are written; html_entities HTML_ENTITIES_DECODE reads them as characters",
      );
    const wrong = findMojibake(text);
    if (wrong)
      this.#notes.add(
        `the text looks wrongly decoded (mojibake): ${quoted(wrong.seen)} was probably ${quoted(wrong.meant)}; save the file as UTF-8 anew, or correct it`,
      );
    const [lost] = text.includes("\ufffd") ? (LOST.exec(text) ?? []) : [];
    if (lost !== undefined)
      this.#notes.add(
        `a character could not be read and is \ufffd now (${quoted(lost)}); check the text`,
      );
    return text;
  }

  /** What was found so far, for people. */
  notes(): string[] {
    return [...this.#notes];
  }
}
