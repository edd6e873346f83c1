/** The quiz that comes with Fanfare. All questions are ours. */
import { QuestionType } from "@fanfare/proto/common/v1/question";
import type { NewQuestion, NewQuiz } from "./new-quiz.js";

export const DEMO_QUIZ_ID = "fanfare-demo";

function single(
  question: string,
  options: readonly [right: string, ...wrong: string[]],
  explanation: string,
): NewQuestion {
  return {
    type: QuestionType.SINGLE_CHOICE,
    question,
    options: [...options].sort(),
    answer: [options[0]],
    explanation,
  };
}

function several(
  question: string,
  answer: readonly string[],
  wrong: readonly string[],
  explanation: string,
): NewQuestion {
  return {
    type: QuestionType.MULTIPLE_CHOICE,
    question,
    options: [...answer, ...wrong].sort(),
    answer: [...answer],
    explanation,
  };
}

function trueOrFalse(question: string, isTrue: boolean, explanation: string): NewQuestion {
  return {
    type: QuestionType.TRUE_FALSE,
    question,
    options: [],
    answer: [String(isTrue)],
    explanation,
  };
}

export const DEMO_QUIZ: NewQuiz = {
  quizId: DEMO_QUIZ_ID,
  title: "Fanfare demo",
  tags: ["demo", "sound", "music", "science"],
  questions: [
    single(
      "You see lightning and count nine seconds until the thunder. How far away was it, roughly?",
      ["3 km", "300 m", "9 km", "30 km"],
      "Sound needs about three seconds for a kilometre; the light is there at once.",
    ),
    trueOrFalse(
      "A shout carries farther over a cool lake at dusk than over the warm shore at noon.",
      true,
      "Sound bends towards cooler air. Over a cool lake it is bent back down to the water.",
    ),
    single(
      "A bugle has no valves. How does its player choose the note?",
      ["By the tension of the lips", "By covering holes", "By pulling a slide", "By a thumb key"],
      "The lips choose which of the tube's natural harmonics sounds.",
    ),
    several(
      "Which of these make their sound with a vibrating column of air?",
      ["Trumpet", "Flute", "Pipe organ"],
      ["Violin", "Harpsichord"],
      "The violin and the harpsichord have strings: one is bowed, the other plucked.",
    ),
    single(
      "An orchestra tunes to the oboe's A at 440 Hz. What does the A one octave higher have?",
      ["880 Hz", "660 Hz", "528 Hz", "441 Hz"],
      "An octave up is twice the frequency.",
    ),
    trueOrFalse(
      "An astronaut outside a space station could hear a loud trumpet played beside her.",
      false,
      "Sound needs something to travel through, and there is next to no air.",
    ),
    single(
      "You blow across the mouth of a bottle and it hums. What happens as you pour water in?",
      ["The note rises", "The note falls", "Only the volume changes", "Nothing changes"],
      "Less air is left in the bottle, and it springs back faster.",
    ),
    single(
      "Why does your own voice sound strange in a recording?",
      [
        "You usually hear it through your bones too",
        "Microphones speed it up",
        "Your ears close while you speak",
        "Recordings leave out vowels",
      ],
      "Bone carries the low tones of your own voice to your ear; a microphone hears only the air.",
    ),
    several(
      "Which of these travel faster than sound in air?",
      ["Light", "Radio waves", "Sound in water"],
      ["A galloping horse", "A falling raindrop"],
      "Water carries sound more than four times as fast as air does.",
    ),
    single(
      "Where did trumpeters sound fanfares long before there were orchestras?",
      [
        "At courts, hunts and on battlefields",
        "Only in churches",
        "On ocean steamers",
        "In schools",
      ],
      "A trumpet was a signal first: loud, bright, and understood from afar.",
    ),
    single(
      "A loudspeaker is turned up by 10 decibels. Its sound then carries …",
      ["10 times the power", "2 times the power", "100 times the power", "10 % more power"],
      "Ten decibels are a factor of ten in power; to the ear it seems about twice as loud.",
    ),
    trueOrFalse(
      "A guitar string that is pressed at the twelfth fret has half of its length left to swing.",
      true,
      "Half the length gives twice the frequency: the octave.",
    ),
  ],
};
