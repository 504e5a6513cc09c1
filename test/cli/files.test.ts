import { mkdir, readFile as read, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readBody } from "../../cli/server/read-body.ts";
import {
  fileNameOf,
  filesIn,
  readFile,
  readInput,
  requireAbsent,
  STDIN,
  writeOutput,
} from "../../cli/terminal/files.ts";
import { temporaryFolder } from "./run-cli.ts";

const usage = (code: string) => expect.objectContaining({ kind: "usage", code });

describe("the file name of a URI", () => {
  it.each([
    ["sip:alice@example.org", "sip%3Aalice@example.org"],
    ["../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"],
    ["..", "%2E."],
    ["tel:+491234", "tel%3A+491234"],
    ["sip:é@x", "sip%3A%C3%A9@x"],
  ])("for %s is %s", (uri, name) => {
    expect(fileNameOf(uri)).toBe(name);
  });

  it("is safe, short and unique also where case does not count", () => {
    const uri = fc.string({ minLength: 1, maxLength: 400 });
    fc.assert(
      fc.property(uri, uri, (a, b) => {
        const [x, y] = [fileNameOf(a), fileNameOf(b)];
        expect(x).toMatch(/^[A-Za-z0-9_@+%~-][A-Za-z0-9._@+%~-]{0,200}$/);
        if (a !== b) expect(x.toLowerCase()).not.toBe(y.toLowerCase());
      }),
    );
    expect(fileNameOf("sip:Alice@x").toLowerCase()).not.toBe(fileNameOf("sip:alice@x").toLowerCase());
    expect(fileNameOf("a".repeat(400))).not.toBe(fileNameOf("a".repeat(401)));
  });
});

describe("writing a file", () => {
  it("makes folders, keeps secrets to the owner, replaces only by force", async () => {
    const file = join(await temporaryFolder(), "a", "b", "secret");
    await writeOutput(file, "one", { secret: true });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await expect(writeOutput(file, "two")).rejects.toThrow(usage("FILE_EXISTS"));
    await expect(requireAbsent([file], false)).rejects.toThrow(usage("FILE_EXISTS"));
    await requireAbsent([file], true);
    expect(await read(file, "utf8")).toBe("one");
  });

  it("makes a file private that it replaces with a secret", async () => {
    const file = join(await temporaryFolder(), "f");
    await writeFile(file, "open", { mode: 0o644 });
    await writeOutput(file, "secret", { secret: true, force: true });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });
});

describe("reading files", () => {
  it("refuses a missing file, a folder, and a file that is too large", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "f"), "12345");
    expect((await readFile(join(folder, "f"), 5)).length).toBe(5);
    await expect(readFile(join(folder, "f"), 4)).rejects.toThrow(usage("FILE_TOO_LARGE"));
    await expect(readFile(join(folder, "none"), 4)).rejects.toThrow(usage("FILE_NOT_FOUND"));
    await expect(readFile(folder, 4)).rejects.toThrow(usage("IS_FOLDER"));
  });

  it("lists the files of a folder by extension, in order, without folders", async () => {
    const folder = await temporaryFolder();
    for (const name of ["b.mikey", "a.mikey", "manifest.json"]) await writeFile(join(folder, name), "");
    await mkdir(join(folder, "c.mikey"));
    expect(await filesIn(folder, [".mikey"])).toEqual([join(folder, "a.mikey"), join(folder, "b.mikey")]);
  });
});

/** More parts than a call of a function has room for as arguments. */
const MANY = 300_000;

async function* octetByOctet() {
  for (let i = 0; i < MANY; i++) yield Buffer.of(i & 0xff);
}

describe("many parts of one octet each", () => {
  const isWhole = (octets: Uint8Array) =>
    octets.length === MANY && octets.every((octet, i) => octet === (i & 0xff));

  it("are put together from standard input, and refused beyond the limit", async () => {
    expect(isWhole(await readInput(STDIN, octetByOctet(), MANY))).toBe(true);
    await expect(readInput(STDIN, octetByOctet(), MANY - 1)).rejects.toThrow(usage("FILE_TOO_LARGE"));
  });

  it("are put together from the body of a request, and refused beyond the limit", async () => {
    expect(isWhole((await readBody(octetByOctet() as never, MANY))!)).toBe(true);
    expect(await readBody(octetByOctet() as never, MANY - 1)).toBeUndefined();
  });
});
