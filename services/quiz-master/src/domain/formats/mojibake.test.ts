import { expect, test } from "vitest";
import { findMojibake } from "./mojibake.js";

/** UTF-8 as a program reads it that takes it for Windows-1252, as browsers do. */
const misread = (text: string) => new TextDecoder("windows-1252").decode(Buffer.from(text));
const asLatin1 = (text: string) => Buffer.from(text).toString("latin1");

const HONEST = [
  "Crème brûlée à l’été, “déjà vu”…",
  "Das macht Spaß“, sagte er… »groß«",
  "MANHÃ” e IRMÃ… AMANHÃ»",
  "Ä… keine Ahnung, Ö“",
  "Ångström: 25 Å², 3 Å",
  "¿Qué? ¡Olé! 20 °C, ½ £ € ¥ § ©",
  "Łódź, Żółć, Čeština, İstanbul",
  "歴史 Москва Ελλάδα עברית ไทย",
  "Â, Ã and Ð are letters; Ñandú",
  "résumé”…",
];

test.each(HONEST)("%s is honest", (text) => {
  expect(findMojibake(text)).toBeUndefined();
});

test.each([
  "What’s new?",
  "“Quoted”",
  "café",
  "Île",
  "RÔLE",
  "20 °C",
  "5 €",
  "Łódź",
  "Šárka",
  "Москва",
  "Ελλάδα",
  "歴史",
  "😀",
])("%s, misread, is found", (text) => {
  expect(findMojibake(misread(text))).toBeDefined();
  expect(findMojibake(asLatin1(text))).toBeDefined();
  expect(findMojibake(misread(misread(text)))).toBeDefined();
});

test("what it was is told", () => {
  expect(findMojibake("donâ€™t")).toEqual({ seen: "â€™", meant: "’" });
  expect(findMojibake("cafÃ©")).toEqual({ seen: "Ã©", meant: "é" });
});
