/** Writes docs/errors.md: every code of an error with what it means. */
import { writeFile } from "node:fs/promises";
import { CHECKS } from "../base/checks.ts";
import { AREAS } from "../base/error-codes/index.ts";

export const ERRORS_PAGE = new URL("../docs/errors.md", import.meta.url);

const INTRODUCTION = `# Error codes

Every error of the package is a \`MikeySakkeError\`. Its \`code\` is one of those below: it is stable, and meant for programs.
Its \`message\` tells people what was wrong and where, and its \`kind\` whose fault it is. In TypeScript, \`ErrorCode\` is the type
of all codes. Checks that have a number are described in [validation.md](validation.md), with their clauses.

The command prints the code with \`--json\`, and ends with an [exit status](exit-status.md) that tells the causes apart. The
admin APIs have the code in the body of an answer, an MCX server in its \`Warning\`, and a KMS answers with
[numbers of its own](kms.md#refusals).

\`npm run errors\` writes this page from \`base/error-codes/\`.
`;

const NUMBERS: Readonly<Record<string, readonly [number, unknown]>> = CHECKS;

function sectionOf([title, codes]: readonly [string, Readonly<Record<string, string>>]): string {
  const isNumbered = Object.keys(codes).every((code) => code in NUMBERS);
  const rows = Object.entries(codes).map(([code, meaning]) => {
    const number = isNumbered ? `| ${NUMBERS[code]![0]} ` : "";
    return `${number}| \`${code}\` | ${meaning} |`;
  });
  const head = isNumbered ? "| No. | Code | Meaning |\n|--:|---|---|" : "| Code | Meaning |\n|---|---|";
  return `## ${title}\n\n${head}\n${rows.join("\n")}\n`;
}

export function errorsPage(): string {
  return [INTRODUCTION, ...Object.entries(AREAS).map(sectionOf)].join("\n");
}

if (process.argv[1]?.endsWith("tools/errors-page.ts")) await writeFile(ERRORS_PAGE, errorsPage());
