/** The generated reference: docs/commands.md, docs/configuration.md and the man pages. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allCommands, optionsOf } from "../../tools/commands.ts";
import { manPages } from "../../tools/man-pages.ts";
import {
  COMMANDS_PAGE,
  CONFIGURATION_PAGE,
  commandsPage,
  configurationPage,
} from "../../tools/reference-pages.ts";
import { callsIn, strayIn } from "../support/calls.ts";
import { describeWith } from "../support/foreign.ts";

const COMMANDS = allCommands();

it("docs/commands.md is what `npm run reference` writes", () => {
  expect(readFileSync(COMMANDS_PAGE, "utf8")).toBe(commandsPage());
});

it("docs/configuration.md is what `npm run reference` writes", () => {
  expect(readFileSync(CONFIGURATION_PAGE, "utf8")).toBe(configurationPage());
});

it.each(COMMANDS.filter(({ example }) => example !== undefined))(
  "the examples in the help of $name are calls that it takes",
  ({ example }) => {
    const calls = callsIn(example!);
    expect(calls).not.toEqual([]);
    expect(calls.flatMap(strayIn)).toEqual([]);
  },
);

describe("man pages", () => {
  const pages = manPages();

  it.each(COMMANDS)("that of $name has its options, and the commands below it", ({ name, command }) => {
    const text = pages.get(`${name.replaceAll(" ", "-")}.1`)?.replaceAll("\\-", "-");
    expect(text).toContain(`.B ${name}\n`);
    for (const [flags, about] of optionsOf(command)) {
      expect(text).toContain(`.TP\n.B ${flags}\n`);
      expect(text).toContain(about.replaceAll("`", ""));
    }
    for (const below of command.commands) {
      expect(text).toContain(`${name.replaceAll(" ", "-")}-${below.name()}\n`);
    }
  });

  it("are as many as there are commands", () => {
    expect(pages.size).toBe(COMMANDS.length);
  });

  describeWith("man", "/usr/bin/man", "man", () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "mikey-sakke-man-"));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it("formats every page without a warning", () => {
      for (const [file, text] of pages) writeFileSync(join(folder, file), text);
      const run = spawnSync("man", ["--warnings", "--local-file", ...pages.keys()], {
        cwd: folder,
        encoding: "utf8",
        env: { ...process.env, MANPAGER: "cat", MANWIDTH: "100", LC_ALL: "C.UTF-8" },
      });
      expect(run.stderr).toBe("");
      expect(run.status).toBe(0);
      expect(run.stdout.match(/^NAME$/gm)).toHaveLength(pages.size);
      expect(run.stdout).toMatch(/^ {7}mikey-sakke-kms-audit - show the audit log$/m);
      expect(run.stdout).toMatch(/^ {7}mikey-sakke kms audit --after 1200 --json$/m);
    });
  });
});
