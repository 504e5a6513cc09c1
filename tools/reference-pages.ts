/** `npm run reference` writes docs/commands.md from the commands, and docs/configuration.md from the schemas. */
import { writeFile } from "node:fs/promises";
import { z } from "zod";
import { SECRET_VARIABLES } from "../cli/server/environment.ts";
import { consoleConfigSchema } from "../roles/console/config.ts";
import { GMS_RELOADABLE, gmsConfigSchema } from "../roles/gms/common/config.ts";
import { KMS_RELOADABLE, kmsConfigSchema } from "../roles/kms/common/config.ts";
import { MCX_RELOADABLE, mcxConfigSchema } from "../roles/mcx/common/config.ts";
import { type ConfigKey, configKeys, shownDefault, variableOf } from "../roles/server/config-keys.ts";
import { LOG_RELOADABLE, logConfigSchema } from "../roles/server/log-config.ts";
import { allCommands, argumentsOf, type CommandAt, optionsOf } from "./commands.ts";

export const COMMANDS_PAGE = new URL("../docs/commands.md", import.meta.url);
export const CONFIGURATION_PAGE = new URL("../docs/configuration.md", import.meta.url);

const COMMANDS_INTRODUCTION = `# Commands

Every command with its arguments and options, as \`--help\` shows them. Each also has a man page, such as
\`man mikey-sakke-kms-audit\`. All end with one of the [exit statuses](exit-status.md).

\`npm run reference\` writes this page from the commands.
`;

export function commandsPage(): string {
  const [, ...commands] = allCommands();
  return [COMMANDS_INTRODUCTION, ...commands.map(commandSection)].join("\n");
}

function commandSection({ name, command, example, path }: CommandAt): string {
  const rows = [...argumentsOf(command), ...optionsOf(command)].map(([name, about]) => [
    `\`${name}\``,
    prose(about),
  ]);
  const table = tableOf(["argument or option", "meaning"], rows);
  const parts = [
    `## ${path.join(" ")}`,
    wrapped(prose(command.description())),
    `Usage: \`${name} ${command.usage()}\``,
    ...(rows.length === 0 ? [] : [table]),
    ...(example === undefined ? [] : [`<!-- run: usage -->\n\`\`\`sh\n${example}\n\`\`\``]),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** A text of the help in Markdown, where an angle bracket would begin an element. */
const prose = (text: string): string => text.replaceAll("<", "\\<");

/** Characters of a line at most. */
const WIDTH = 120;

function wrapped(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1)!;
    if (last === "") lines[lines.length - 1] = word;
    else if (last.length + word.length < WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join("\n");
}

const CONFIGURATION_INTRODUCTION = `# Configuration keys

Every key that a configuration may have, as the servers check it. [kms.md](kms.md#configuration),
[gms.md](gms.md#configuration), [mcx.md](mcx.md#configuration) and [web.md](web.md) say what the keys mean.
Unknown keys are refused. \`mikey-sakke config check\` reads a configuration without starting anything.

- An environment variable overrides its key. Lists are written with commas, and what has the type JSON as JSON.
- "SIGHUP" means that a [reload](reload.md) takes up another value; other keys need a restart.
- Relative paths are relative to the configuration file.
- "needed": without the key, the configuration is refused.
- "needed with": if any key of that object is given, this key must be there too.

These variables may be given by a file, whose path is in the variable with \`_FILE\` behind its name:
SECRETS.

\`npm run reference\` writes this page from the schemas.
`;

interface Section {
  readonly title: string;
  /** The key of the configuration file that holds the section; empty for the KMS, whose keys stand at the top. */
  readonly under: string;
  readonly schema: z.ZodType;
  readonly reloadable: readonly string[];
}

const SECTIONS: readonly Section[] = [
  { title: "KMS", under: "", schema: kmsConfigSchema, reloadable: KMS_RELOADABLE },
  { title: "GMS, under `gms`", under: "gms", schema: gmsConfigSchema, reloadable: GMS_RELOADABLE },
  { title: "MCX server, under `mcx`", under: "mcx", schema: mcxConfigSchema, reloadable: MCX_RELOADABLE },
  {
    title: "Operators' console, under `console`",
    under: "console",
    schema: consoleConfigSchema,
    reloadable: [],
  },
  { title: "Log, under `log`", under: "log", schema: logConfigSchema, reloadable: LOG_RELOADABLE },
];

export function configurationPage(): string {
  const secrets = SECRET_VARIABLES.map((name) => `\`${name}\``).join(",\n");
  return [CONFIGURATION_INTRODUCTION.replace("SECRETS", secrets), ...SECTIONS.map(keysSection)].join("\n");
}

function keysSection({ title, under, schema, reloadable }: Section): string {
  const types = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  const prefix = `MIKEY_SAKKE_${(under === "" ? "kms" : under).toUpperCase()}`;
  const rows = configKeys(schema).map((key) => {
    const name = key.path.join(".");
    const isReloadable = reloadable.some((one) => `${name}.`.startsWith(`${one}.`));
    return [
      `\`${name}\``,
      typeOf(key, at(types, key.path)),
      shownDefault(key),
      `\`${variableOf(prefix, key.path)}\``,
      isReloadable ? "SIGHUP" : "",
    ];
  });
  return `## ${title}\n\n${tableOf(["key", "type", "default", "variable", "reload"], rows)}\n`;
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
}

function at(schema: JsonSchema, path: readonly string[]): JsonSchema {
  return path.reduce<JsonSchema>((inner, key) => inner.properties?.[key] ?? {}, schema);
}

const KINDS = { boolean: "true or false", text: "text", list: "list of texts", json: "JSON" } as const;

function typeOf({ kind }: ConfigKey, { type, enum: values, minimum, maximum }: JsonSchema): string {
  if (values !== undefined) return values.map((value) => `\`${String(value)}\``).join(", ");
  if (kind !== "number") return KINDS[kind];
  const number = type === "integer" ? "whole number" : "number";
  const bounds = [
    ...(minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? [] : [`from ${minimum}`]),
    ...(maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? [] : [`to ${maximum}`]),
  ];
  return [number, ...bounds].join(" ");
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");
}

if (process.argv[1]?.endsWith("tools/reference-pages.ts")) {
  await writeFile(COMMANDS_PAGE, commandsPage());
  await writeFile(CONFIGURATION_PAGE, configurationPage());
}
