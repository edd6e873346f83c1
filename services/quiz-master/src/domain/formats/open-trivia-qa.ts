/**
 * OpenTriviaQA text (github.com/uberspot/OpenTriviaQA): blocks of "#Q question", "^ right answer" and
 * options "A text", "B text", …; a text may run on over several lines.
 */
import { create } from "@bufbuild/protobuf";
import { type Question, QuestionSchema } from "@fanfare/proto/quizmaster/v1/quiz_master_service";
import { FaultList, placeOf } from "./fault-list.js";
import { type ImportedFile, type ImportOptions, inPlayableParts } from "./imported-file.js";
import { settleRow } from "./question-row.js";
import { decodeLines, utf16Fault } from "./text-decoding.js";
import { TextHabits } from "./text-habits.js";

const QUESTION = /^#Q\s*/;
const ANSWER = /^\^\s*/;
const OPTION = /^[A-H](?:\s+|$)/;

/** The lines of one question, by what they are part of. */
interface Block {
  line: number;
  question: string[];
  answers: string[];
  options: string[];
  optionLines: number[];
  /** Where a line that begins nothing new belongs; undefined after a blank line. */
  goesOn: "question" | "answers" | "options" | undefined;
}

export function readOpenTriviaQa(content: Uint8Array, options: ImportOptions): ImportedFile {
  const faults = new FaultList();
  const questions: Question[] = [];
  let blocks = 0;
  for (const block of readBlocks(decodeLines(content), faults)) {
    blocks++;
    const question = readQuestion(block, faults, options.decodesEntities ?? true);
    if (question) questions.push(question);
  }
  const { title, tags, questionsPerQuiz } = options;
  const quizzes = inPlayableParts({ title, tags: [...tags], questions }, questionsPerQuiz);
  if (blocks > 0) return { quizzes, faults };
  const unreadable =
    utf16Fault(content) ??
    'no line of the file begins with "#Q"; is it in the OpenTriviaQA format?';
  return { quizzes, faults, unreadable };
}

function* readBlocks(lines: Iterable<string>, faults: FaultList): Generator<Block> {
  let block: Block | undefined;
  let straying = false;
  let number = 0;
  for (const text of lines) {
    number++;
    const line = text.trim();
    if (QUESTION.test(line)) {
      if (block) yield block;
      block = newBlock(number, line.replace(QUESTION, ""));
    } else if (!block || !addLine(block, line, number)) {
      // Text that runs on is one fault, where it begins.
      if (line !== "" && !straying)
        faults.addLeftOut(placeOf(number, line), "the text belongs to no question");
      straying = line !== "" || straying;
      continue;
    }
    straying = false;
  }
  if (block) yield block;
}

function newBlock(line: number, question: string): Block {
  return {
    line,
    question: [question],
    answers: [],
    options: [],
    optionLines: [],
    goesOn: "question",
  };
}

/** False for a text that belongs to nothing in the block. */
function addLine(block: Block, line: string, number: number): boolean {
  if (ANSWER.test(line)) {
    block.answers.push(line.replace(ANSWER, ""));
    block.goesOn = "answers";
  } else if (block.goesOn === "question") {
    block.question.push(line);
  } else if (OPTION.test(line)) {
    block.options.push(line.replace(OPTION, ""));
    block.optionLines.push(number);
    block.goesOn = "options";
  } else if (line === "") {
    block.goesOn = undefined;
  } else if (block.goesOn) {
    const texts = block[block.goesOn];
    texts.push(`${texts.pop() ?? ""} ${line}`);
  } else return false;
  return true;
}

function readQuestion(
  block: Block,
  faults: FaultList,
  decodesEntities: boolean,
): Question | undefined {
  const text = block.question.filter((line) => line !== "").join("\n");
  const place = placeOf(block.line, text);
  if (block.answers.length !== 1) {
    const count = block.answers.length;
    const found = count === 0 ? "no right answer" : `${count} right answers`;
    faults.addLeftOut(place, `the question has ${found}; give it one line that begins with "^"`);
    return undefined;
  }
  const habits = new TextHabits(decodesEntities);
  const read = (each: string) => habits.read(each).replaceAll("\t", " ");
  const question = create(QuestionSchema, {
    question: read(text),
    options: block.options.map(read),
    answer: block.answers.map(read),
  });
  const row = { place, question, optionLines: block.optionLines, notes: habits.notes() };
  return settleRow(row, faults);
}
