/** The bounds of quizzes that quiz_master_service.proto documents, by name. Lengths are in characters. */
export const QUIZ_LIMITS = {
  TITLE_MAX: 120,
  TAGS_MAX: 20,
  TAG_MAX: 40,
  QUESTIONS_MAX: 500,
  QUESTION_MAX: 500,
  OPTIONS_MIN: 2,
  OPTIONS_MAX: 8,
  OPTION_MAX: 200,
  MEDIA_MAX: 4,
  MEDIA_URL_MAX: 500,
  MEDIA_DESCRIPTION_MAX: 200,
  SECONDS_MIN: 5,
  SECONDS_MAX: 240,
  POINTS_MAX: 10_000,
  POINTS_DEFAULT: 1_000,
  EXPLANATION_MAX: 500,
  /** A frozen quiz is one message of the broker, which takes 1 MB. */
  FROZEN_QUIZ_BYTES_MAX: 900_000,
} as const;
