/** The bounds that quiz_master_service.proto documents, by name. Lengths are in characters. */
export const LIMITS = {
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
  EXPLANATION_MAX: 500,
  IMPORT_BYTES_MAX: 3 * 1024 * 1024,
  /** Quizzes that one file may become: bounds the response and the insert. */
  IMPORT_QUIZZES_MAX: 10_000,
  IMPORT_FAULTS_MAX: 10_000,
  EXCERPT_MAX: 80,
  PAGE_SIZE_MAX: 200,
  SEARCH_TEXT_MAX: 200,
  DRAW_MAX: 500,
} as const;

export const PAGE_SIZE_DEFAULT = 50;
