/** Completion scripts, as the shells themselves use them. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import { completionScript, SHELLS } from "../../cli/terminal/completion.ts";
import { allCommands } from "../../tools/commands.ts";
import { describeWith } from "../support/foreign.ts";
import { runCli } from "./run-cli.ts";

const COMMANDS = allCommands();
const program = COMMANDS[0].command;

it.each(SHELLS)("the completion script of %s has every command and option", async (shell) => {
  const run = await runCli(["completion", shell]);
  expect(run.status).toBe(0);
  expect(run.stdout).toBe(completionScript(shell, program));
  for (const { command } of COMMANDS) {
    if (command !== program) expect(run.stdout).toContain(command.name());
    for (const { long } of command.options) {
      expect(run.stdout).toContain(shell === "fish" ? `-l ${long!.slice(2)} ` : long!);
    }
  }
});

it("the completion of another shell is a wrong call that names the known shells", async () => {
  const run = await runCli(["completion", "tcsh"]);
  expect(run.status).toBe(2);
  expect(run.stderr).toContain("bash, zsh, fish");
});

/** Returns where the program of that name is. */
function which(name: string): string {
  return ["/usr/bin", "/bin", "/usr/local/bin"].map((folder) => `${folder}/${name}`).find(existsSync) ?? name;
}

describeWith("bash", which("bash"), "completion in bash", () => {
  let script: string;
  beforeAll(() => {
    script = completionScript("bash", program);
  });
  const complete = (...words: string[]) => {
    const line = `${script}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mikey_sakke; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const out = execFileSync("bash", ["-uc", line, "bash", "mikey-sakke", ...words], { encoding: "utf8" });
    return out.split("\n").filter((word) => word !== "");
  };

  it("offers commands, those below them, and their options", () => {
    expect(complete("bac")).toEqual(["backup"]);
    expect(complete("kms", "user", "re")).toEqual(["revoke", "reinstate"]);
    expect(complete("restore", "--st")).toEqual(["--store-key"]);
    expect(complete("serve", "kms", "--kms")).toEqual(["--kms-uri"]);
    // An option before a command does not lead away from it, and arguments are files.
    expect(complete("kms", "--help", "audit", "--js")).toEqual(["--json"]);
    expect(complete("open", "mess")).toEqual([]);
  });

  it("offers every command by its own name", () => {
    const script = COMMANDS.filter(({ path }) => path.length > 0);
    for (const { path } of script.slice(0, 12)) expect(complete(...path)).toContain(path.at(-1));
  });
});

describeWith("zsh", which("zsh"), "completion in zsh", () => {
  it("reads its script without an error", () => {
    execFileSync("zsh", ["-n", "-c", completionScript("zsh", program)]);
  });

  /** Returns what the function offers for a line; zsh itself chooses those that begin like the last word. */
  function offered(...words: string[]): string[] {
    const line = `compdef() { }
      _describe() { print -l -- "\${(@P)@[-1]}" }
      _files() { print files }
      ${completionScript("zsh", program)}
      words=("$@"); CURRENT=$#; _mikey_sakke`;
    const out = execFileSync("zsh", ["-f", "-c", line, "zsh", "mikey-sakke", ...words], { encoding: "utf8" });
    return out
      .trim()
      .split("\n")
      .map((one) => one.split(":")[0]!);
  }

  it("offers commands, those below them, their options, and files", () => {
    expect(offered("bac")).toEqual(program.commands.map((command) => command.name()));
    expect(offered("kms", "user", "re")).toEqual(expect.arrayContaining(["revoke", "reinstate"]));
    expect(offered("restore", "--st")).toContain("--store-key");
    expect(offered("kms", "--help", "audit", "--js")).toContain("--json");
    expect(offered("open", "mess")).toEqual(["files"]);
  });
});

describeWith("fish", which("fish"), "completion in fish", () => {
  it("offers commands by its script", () => {
    const line = `${completionScript("fish", program)}\ncomplete -C 'mikey-sakke kms user re'`;
    const out = execFileSync("fish", ["-c", line], { encoding: "utf8" });
    expect(out.split("\n").map((one) => one.split("\t")[0])).toEqual(
      expect.arrayContaining(["revoke", "reinstate"]),
    );
  });
});
