/** What the times of a load are called for people. */
export const TITLES = {
  connect: "connect, due to joined",
  resume: "come back, due to joined",
  skew: "question, first to last socket",
  ack: "answer, due to acknowledged",
  reveal: "deadline to reveal",
  board: "deadline to the round's board",
} as const;
