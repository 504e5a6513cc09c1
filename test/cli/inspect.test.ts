import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fromBase64, toHex } from "../../base/bytes.ts";
import { runCli, temporaryFolder, vector } from "./run-cli.ts";

const published = JSON.parse(readFileSync(vector("production-gmk.json"), "utf8")).message as Record<
  string,
  string
>;
const base64 = published.i_message_base64!;
const octets = fromBase64(base64);

interface Inspected {
  status: string;
  form: string;
  sections: { name: string; offset: number; length: number; fields: Record<string, unknown>[] }[];
  problems: { check: number; code: string; offset: number; message: string }[];
  unread?: { offset: number; length: number };
}

describe("the message of a production system", () => {
  it("a production message in a raw file is shown with every payload and its fields", async () => {
    const file = join(await temporaryFolder(), "message");
    await writeFile(file, octets);
    const run = await runCli(["inspect", "--json", file]);
    expect(run.status).toBe(0);
    const report = run.json<Inspected>();
    expect(report).toMatchObject({ status: "ok", form: "raw", octets: 701, problems: [] });
    expect(report.sections.map(({ name }) => name)).toEqual([
      "HDR",
      "T",
      "RAND",
      "IDR",
      "IDR",
      "IDR",
      "IDR",
      "SP",
      "SAKKE",
      "General Extension",
      "SIGN",
    ]);
    // Sections follow each other without a gap.
    let at = 0;
    for (const { offset, length } of report.sections) {
      expect(offset).toBe(at);
      at += length;
    }
    expect(at).toBe(701);
    const fields = report.sections.flatMap((section) => section.fields);
    for (const field of [
      { name: "data type", offset: 1, length: 1, value: 26, meaning: "SAKKE I_MESSAGE" },
      { name: "CSB ID", offset: 4, length: 4, value: 0x06a12aea, meaning: `GUK-ID ${published.guk_id}` },
      {
        name: "TS value",
        offset: 27,
        length: 8,
        value: "0xec898da800000000",
        meaning: "2025-10-02T23:47:52.000Z",
      },
      { name: "RAND", offset: 37, length: 16, value: published.rand },
      { name: "SPI (MKI)", offset: 17, length: 8, value: published.key_id! + published.guk_id! },
    ]) {
      expect(fields).toContainEqual(field);
    }
  });

  it.each([
    ["hex", toHex(octets)],
    ["base64", base64],
    ["mikey", `mikey ${base64}\n`],
  ])("a production message as %s on standard input is shown", async (form, input) => {
    const run = await runCli(["inspect", "-"], input);
    expect(run).toMatchObject({ status: 0, stderr: "" });
    expect(run.stdout).toContain(`MIKEY message, 701 octets, given as ${form}\n`);
    expect(run.stdout).toMatch(/^ +4 +4 {2}CSB ID +111225578 {2}GUK-ID 06a12aea$/m);
    expect(run.stdout).toMatch(/^well formed$/m);
  });
});

describe("inspect of a malformed message", () => {
  it("shows it as far as it goes, with what is wrong and where", async () => {
    const run = await runCli(["inspect", "--json"], octets.subarray(0, 300));
    expect(run.status).toBe(1);
    const report = run.json<Inspected>();
    expect(report.status).toBe("malformed");
    expect(report.sections.at(-1)).toMatchObject({ name: "SAKKE", offset: 217 });
    expect(report.problems).toContainEqual(
      expect.objectContaining({ check: 2, code: "TRUNCATED", offset: 222 }),
    );
    const text = await runCli(["inspect"], octets.subarray(0, 300));
    expect(text.status).toBe(1);
    expect(text.stdout).toContain("check 2 TRUNCATED at offset 222");
    expect(text.stdout).toContain("not read: 78 octets from offset 222");
  });

  it("prints nothing that steers the terminal", async () => {
    const hostile = octets.slice();
    // Inside the KMS URI: ESC [ 2 J and a mark that turns the direction of writing (E2 80 AE).
    hostile.set([0x1b, 0x5b, 0x32, 0x4a, 0xe2, 0x80, 0xae], 132);
    const run = await runCli(["inspect"], hostile);
    expect(run.stdout).toContain("\\u001b[2J\\u202e");
    for (const mark of ["\u001b", "\u202e"]) expect(run.stdout).not.toContain(mark);
  });

  it("refuses an empty file", async () => {
    expect(await runCli(["inspect"], "hello, world!")).toMatchObject({ status: 1, stdout: "" });
    const empty = await runCli(["inspect", "--json"], "");
    expect(empty.status).toBe(1);
    expect(empty.json()).toMatchObject({ status: "refused", code: "UNKNOWN_FORM" });
  });
});
