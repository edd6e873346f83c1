/**
 * Capitals and flags of the world, a quiz of each for every region, from the npm package
 * world-countries (data: github.com/mledoze/countries, ODbL 1.0). The same package gives the same
 * quizzes.
 */
import { createRequire } from "node:module";
import { QuestionType } from "@fanfare/proto/common/v1/question";
import type { Country } from "world-countries";
import { randomStream } from "../simulate/random.js";
import type { NewQuestion, NewQuiz } from "./new-quiz.js";

/** What the quizzes need of a country. */
export interface Land {
  code: string;
  name: string;
  capital: string;
  flag: string;
  region: string;
}

const WRONG_OPTIONS = 3;

/** Sovereign states with one capital: where there are several, "the" capital is no fair question. */
export function landsOfPackage(): Land[] {
  const countries = createRequire(import.meta.url)("world-countries") as readonly Country[];
  return countries.flatMap(({ cca3, name, capital, flag, region, independent }) => {
    const [only, ...others] = capital;
    if (!independent || !only || others.length > 0) return [];
    return [{ code: cca3, name: name.common, capital: only, flag, region }];
  });
}

export function worldQuizzes(lands: readonly Land[]): NewQuiz[] {
  const regions = [...new Set(lands.map(({ region }) => region))].sort();
  return regions.flatMap((region) => {
    const own = lands.filter((land) => land.region === region);
    // A question needs wrong options from its own region.
    if (own.length <= WRONG_OPTIONS) return [];
    return [capitalsOf(region, own), flagsOf(region, own)];
  });
}

function capitalsOf(region: string, lands: readonly Land[]): NewQuiz {
  return {
    quizId: `capitals-${region.toLowerCase()}`,
    title: `Capitals: ${region}`,
    tags: ["capitals", "world", region.toLowerCase()],
    questions: lands.map((land) =>
      single(`What is the capital of ${land.name}?`, land.capital, {
        wrong: others(land, lands, ({ capital }) => capital),
        explanation: `${land.capital} is the capital of ${land.name} ${land.flag}.`,
      }),
    ),
  };
}

function flagsOf(region: string, lands: readonly Land[]): NewQuiz {
  return {
    quizId: `flags-${region.toLowerCase()}`,
    title: `Flags: ${region}`,
    tags: ["flags", "world", region.toLowerCase()],
    questions: lands.map((land) =>
      single(`${land.flag} Whose flag is this?`, land.name, {
        wrong: others(land, lands, ({ name }) => name),
        explanation: `${land.flag} is the flag of ${land.name}.`,
      }),
    ),
  };
}

function single(
  question: string,
  right: string,
  { wrong, explanation }: { wrong: readonly string[]; explanation: string },
): NewQuestion {
  return {
    type: QuestionType.SINGLE_CHOICE,
    question,
    // By alphabet: the place of an option must not tell, even where a session keeps the order.
    options: [right, ...wrong].sort(),
    answer: [right],
    explanation,
  };
}

/** Wrong options of the same region, the same each time. */
function others(land: Land, lands: readonly Land[], textOf: (land: Land) => string): string[] {
  const texts = lands.map(textOf).filter((text) => text !== textOf(land));
  const pool = [...new Set(texts)].sort();
  const random = randomStream(0, `${land.code} ${textOf(land)}`);
  return Array.from({ length: WRONG_OPTIONS }, () =>
    pool.splice(Math.floor(random() * pool.length), 1),
  ).flat();
}
