/** Files that come for a group: under which names they are stored, and how many. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { utf8 } from "../../../bindings/index.ts";
import { ReceivedFiles, storedName } from "../../../cli/device/received-files.ts";
import type { ReceivedFile } from "../../../roles/client/mcx/index.ts";

const ID = "00112233445566778899aabbccddeeff";
const noticeOf = (messageId: string): ReceivedFile => ({
  groupUri: "sip:fire@example.org",
  from: "sip:alice@example.org",
  dateTime: 0,
  conversationId: ID,
  messageId,
  url: "https://mcx.example.org/mcdata/fd/1",
  wantsCompletion: false,
  isMandatory: false,
});
const fileOf = (name: string, data: Uint8Array) => ({ name, mediaType: "text/plain", data });

describe("a received file", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "received-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it.each([
    ["plan.pdf", `${ID}-plan.pdf`],
    ["Lageplan Süd.pdf", `${ID}-Lageplan_Süd.pdf`],
    ["../../.bashrc", `${ID}-.._.._.bashrc`],
    ["a\\b:c|d", `${ID}-a_b_c_d`],
    ["evil\u202efdp.exe", `${ID}-evil_fdp.exe`],
    ["\u0000\n\t", `${ID}-_`],
    ["ü".repeat(300), `${ID}-${"ü".repeat(100)}`],
  ])("named %j is stored as %j", (name, stored) => {
    expect(storedName(ID, name)).toBe(stored);
  });

  it("does not replace one that is there", async () => {
    const contents = ["first", "second"].map(utf8);
    const files = new ReceivedFiles(folder, async () => fileOf("a.txt", contents.shift()!));
    const { path, bytes } = await files.store(noticeOf(ID));
    expect([path, bytes]).toEqual([join(folder, `${ID}-a.txt`), 5]);
    await expect(files.store(noticeOf(ID))).rejects.toMatchObject({ code: "FILE_EXISTS" });
    expect(await readFile(path, "utf8")).toBe("first");
  });

  it("is refused once the octets of one run are used up, and a smaller one is not", async () => {
    const sizes = [60, 50, 40];
    const files = new ReceivedFiles(folder, async () => fileOf("a", new Uint8Array(sizes.shift()!)), 100);
    const stored = ["1", "2", "3"].map((id) => files.store(noticeOf(id)));
    expect((await Promise.allSettled(stored)).map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
    await expect(stored[1]).rejects.toMatchObject({ code: "TOO_MANY_FILES" });
    expect((await readdir(folder)).sort()).toEqual(["1-a", "3-a"]);
  });

  it("is fetched after those before it, and refused while 64 of them wait", async () => {
    let fetched = 0;
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const files = new ReceivedFiles(folder, async () => {
      fetched++;
      await gate;
      return fileOf("a", utf8("x"));
    });
    const stored = Array.from({ length: 64 }, (_, n) => files.store(noticeOf(String(n))));
    expect(() => files.store(noticeOf("64"))).toThrow(expect.objectContaining({ code: "TOO_MANY_FILES" }));
    await new Promise((resolve) => setImmediate(resolve));
    expect(fetched).toBe(1);
    open();
    await Promise.all(stored);
    expect(await readdir(folder)).toHaveLength(64);
    await files.store(noticeOf("64"));
  });
});
