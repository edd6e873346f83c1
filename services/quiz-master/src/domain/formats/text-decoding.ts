/**
 * Lines of a text file that nobody wrote in one encoding: each line is UTF-8 where it can be, else
 * Windows-1252; a byte that is neither reads as U+FFFD. Line ends may be LF, CRLF or CR, mixed.
 */

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true });
const LOSSY_UTF8 = new TextDecoder("utf-8");
/** What 0x80 to 0x9F are in Windows-1252; Node's own decoder reads them as Latin-1 in some versions. */
const WINDOWS_1252_C1 = "€\ufffd‚ƒ„…†‡ˆ‰Š‹Œ\ufffdŽ\ufffd\ufffd‘’“”•–—˜™š›œ\ufffdžŸ";

/** One at a time, so that a file of a million empty lines takes no memory. */
export function* decodeLines(bytes: Uint8Array): Generator<string> {
  let start = 0;
  for (let at = 0; at <= bytes.length; at++) {
    const byte = bytes[at];
    if (byte !== LINE_FEED && byte !== CARRIAGE_RETURN && byte !== undefined) continue;
    yield decodeLine(bytes.subarray(start, at));
    if (byte === CARRIAGE_RETURN && bytes[at + 1] === LINE_FEED) at++;
    start = at + 1;
  }
}

/** Undefined where the bytes are not UTF-8. A byte order mark is dropped. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return STRICT_UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

function decodeLine(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  if (text !== undefined) return text;
  const lossy = LOSSY_UTF8.decode(bytes);
  // Whole letters beyond ASCII beside broken ones: UTF-8 that somebody's tool has damaged. Such
  // tools leave "?" for the byte that they could not keep.
  if (/[^\0-\x7f\ufffd]/.test(lossy)) return lossy.replace(/\ufffd\?/g, "\ufffd");
  return fromWindows1252(bytes).replace(/[\u00c2-\u00f4]\?(?=\p{L})/gu, "\ufffd");
}

function fromWindows1252(bytes: Uint8Array): string {
  const latin1 = Buffer.from(bytes).toString("latin1");
  return latin1.replace(/[\x80-\x9f]/g, (c1) => WINDOWS_1252_C1.charAt(c1.charCodeAt(0) - 0x80));
}

/** Why a file is no text of ours; undefined where it may be. */
export function utf16Fault([first, second]: Uint8Array): string | undefined {
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  return isUtf16 ? "the file is UTF-16; save it as UTF-8" : undefined;
}

/** Why a file can't be read as UTF-8, with the line; undefined where it can. */
export function utf8Fault(bytes: Uint8Array): string | undefined {
  const wide = utf16Fault(bytes);
  if (wide) return wide;
  if (decodeUtf8(bytes) !== undefined) return undefined;
  const starts = lineStarts(bytes);
  const line = starts.findIndex(
    (start, at) => decodeUtf8(bytes.subarray(start, starts[at + 1])) === undefined,
  );
  return `the file is not UTF-8: line ${line + 1} has other bytes; save it as UTF-8`;
}

function lineStarts(bytes: Uint8Array): number[] {
  const starts = [0];
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1))
    starts.push(at + 1);
  return starts;
}
