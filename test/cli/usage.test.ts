import { describe, expect, it } from "vitest";
import { allCommands } from "../../tools/commands.ts";
import { runCli } from "./run-cli.ts";

/** Commands that do something, and do not only lead to others. */
const COMMANDS = allCommands()
  .filter(({ example }) => example !== undefined)
  .map(({ path }) => path.join(" "));

describe("help", () => {
  it.each(COMMANDS)("help of %s has an example and --json, and ends with 0", async (name) => {
    const { status, stdout, stderr } = await runCli([...name.split(" "), "--help"]);
    expect(status).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toContain(`Example:\n  mikey-sakke ${name}`);
    expect(stdout).toContain("--json");
  });

  it("help of the program lists the commands and the exit status", async () => {
    const { status, stdout } = await runCli(["--help"]);
    expect(status).toBe(0);
    for (const name of ["inspect", "serve", "provision", "kms", "seal", "open", "demo"]) {
      expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, "m"));
    }
    expect(stdout).toContain("Exit status: 0 accepted, 1 refused, 2 wrong usage;");
  });
});

describe("a wrong call ends with 2 and says why:", () => {
  it.each([
    [[], "Usage:"],
    [["kms"], "Usage:"],
    [["frobnicate"], "unknown command"],
    [["inspect", "--frobnicate"], "unknown option"],
    [["kms", "init", "--kms-uri", "k"], "--secrets"],
    [["inspect", "a", "b"], "too many arguments"],
    [["serve", "kms", "--port", "70000"], "--port"],
    [["kms", "transport-key", "--user", "sip:a@example.org"], "--trk"],
    [["kms", "rotate-master", "--at-once", "--from-period", "1"], "exclude"],
    [["provision", "--kms-url", "https://k.example", "--user", "sip:a@example.org"], "--out"],
    [
      ["provision", "--kms-url", "https://k.example", "--user", "sip:a@example.org", "--out", "x"],
      "--token-file",
    ],
    [["check", "kms", "https://k.example", "--user", "sip:a@example.org"], "--token-file"],
    [["check", "gms", "--user", "sip:a@example.org"], "--local"],
    [["check", "kms", "--user", "sip:a@example.org", "--token-file", "x"], "--local"],
    [["demo", "--members", "0"], "--members"],
  ])("%j", async (args, text) => {
    const { status, stdout, stderr } = await runCli(args);
    expect(status).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(text);
  });

  it("a wrong call is reported as JSON with --json", async () => {
    const unknown = await runCli(["inspect", "--json", "--frobnicate"]);
    expect(unknown).toMatchObject({ status: 2, stderr: "" });
    expect(unknown.json()).toMatchObject({ status: "usage", code: "BAD_CALL" });
    const missing = await runCli(["inspect", "--json", "/no/such/file"]);
    expect(missing).toMatchObject({ status: 66, stderr: "" });
    expect(missing.json()).toMatchObject({ status: "usage", code: "FILE_NOT_FOUND" });
  });
});
