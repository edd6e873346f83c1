/** docs/access.md, written from proto/access.ts. */
import {
  type AccessRow,
  LEADERBOARD_ACCESS,
  QUIZ_ACCESS,
  QUIZ_MASTER_ACCESS,
  RELATIONS,
  ROLES,
} from "@fanfare/proto/access";
import { LeaderboardService } from "@fanfare/proto/leaderboard/v1/leaderboard_service";
import { QuizService } from "@fanfare/proto/quiz/v1/quiz_service";
import { QuizMasterService } from "@fanfare/proto/quizmaster/v1/quiz_master_service";

const SERVICES = [
  { service: QuizService, access: QUIZ_ACCESS },
  { service: LeaderboardService, access: LEADERBOARD_ACCESS },
  { service: QuizMasterService, access: QUIZ_MASTER_ACCESS },
] as const;

const INTRODUCTION = `# Who may call what

Written from \`proto/access.ts\` (\`npx vitest run docs/access.test.ts -u\`), which every service and the JSON
door enforce. Nobody may what does not stand here: such a call is refused with \`FORBIDDEN\`, one without a
good token with \`UNAUTHENTICATED\`. \`e2e/access.test.ts\` tries every cell at both doors.

A session belongs to the subject of the token that created it, a quiz to its author. A token may be bound
to one session (the host token that CreateSession returns, a player's resume token, \`fanfare token
-session\`): it then acts on that session alone, whatever its role. Session ids are names, not secrets:
whoever knows one may watch it, and read its board; the PIN is told to its host, admins and services. For a
session that nobody should find, let the server make the id.
`;

export function accessPage(): string {
  const relations = Object.entries(RELATIONS).map(([name, means]) => `| \`${name}\` | ${means} |`);
  return [
    INTRODUCTION,
    "| relation | needs |",
    "|---|---|",
    ...relations,
    ...SERVICES.flatMap(({ service, access }) => [
      "",
      `## ${service.typeName}`,
      `| method | ${ROLES.join(" | ")} |`,
      `|---|${ROLES.map(() => "---|").join("")}`,
      ...service.methods.map(({ name, localName }) => {
        const row = (access as Record<string, AccessRow>)[localName] ?? {};
        return `| ${name} | ${ROLES.map((role) => row[role] ?? "").join(" | ")} |`;
      }),
    ]),
    "",
  ].join("\n");
}
