/** What an MCX server keeps for its users: files and messages, in each database and in memory, by the same rules. */
import { describe, expect, it } from "vitest";
import { utf8 } from "../../base/bytes.ts";
import { MemoryFiles } from "../../roles/mcx/files/file-depot.ts";
import { MemoryMessages } from "../../roles/mcx/signalling/message-keeper.ts";
import { Envelope } from "../../store/database/envelope.ts";
import type { Database } from "../../store/database/sql.ts";
import { McxData } from "../../store/mcx/mcx-data.ts";
import { onEachDatabase } from "../support/databases.ts";
import { NOW } from "../support/names.ts";
import { seededRandom } from "../support/random.ts";

const [ALICE, BOB, CAROL] = ["sip:a@home.example", "sip:b@home.example", "sip:c@home.example"] as const;
const KEK = seededRandom("store key")(32);
const TOTAL = 64 << 10;
const FILES = { totalBytes: TOTAL, keepMs: 1000 };
const MESSAGES = { each: 2, totalBytes: 1 << 20, keepMs: 60_000 };
/** Longer than a part of a file in the database, and no multiple of one. */
const LONG = 600_001;

interface Parts {
  readonly clock: { now: number };
  readonly files: Pick<McxData["files"], "put" | "find" | "read" | "prune">;
  readonly messages: Pick<McxData["messages"], "seen" | "known" | "put" | "of" | "remove" | "expired">;
}

const fileOf = (sender: string, octets: Uint8Array) => ({
  audience: { group: "sip:fire@home.example" },
  sender,
  origin: "https://mcx.home.example",
  octets,
});

async function whole(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const read: Uint8Array[] = [];
  for await (const part of parts) read.push(part);
  return Buffer.concat(read);
}

function keepsData(opened: () => Promise<Parts>): void {
  /** Returns how many files of that size are taken, of a hundred. */
  async function fill({ files }: Parts, sender: string, size: number): Promise<number> {
    for (let count = 0; count < 100; count++) {
      try {
        await files.put(fileOf(sender, new Uint8Array(size)), FILES);
      } catch (error) {
        expect(error).toMatchObject({ code: "FILES_FULL" });
        return count;
      }
    }
    return 100;
  }

  it("empty files count too, a user may fill a quarter of the room, and expired files make room", async () => {
    const parts = await opened();
    for (const user of ["a", "b", "c", "d"]) expect(await fill(parts, user, 0)).toBe(16);
    expect(await fill(parts, "e", 0)).toBe(0);
    parts.clock.now += 1000;
    expect(await fill(parts, "e", 0)).toBe(16);
    expect(await fill(parts, "a", 0)).toBe(16);
  });

  it("a file that is larger than a user's share is refused", async () => {
    const parts = await opened();
    expect(await fill(parts, "a", TOTAL / 4)).toBe(0);
    expect(await fill(parts, "a", TOTAL / 4 - 1024)).toBe(1);
  });

  it("a file comes back as it was put, until its time is over and it is deleted", async () => {
    const { clock, files } = await opened();
    const octets = seededRandom("file")(LONG);
    const id = await files.put(fileOf(ALICE, octets), { totalBytes: 8 * LONG, keepMs: 1000 });
    const { octets: _, ...facts } = fileOf(ALICE, octets);
    expect(await files.find(id)).toEqual({ ...facts, size: LONG });
    expect((await whole(files.read(id))).equals(octets)).toBe(true);
    expect(await files.find("0".repeat(32))).toBeUndefined();
    clock.now += 1000;
    expect(await files.find(id)).toBeUndefined();
    expect(await files.prune()).toBe(1);
    await expect(whole(files.read(id))).rejects.toMatchObject({ code: "FILE_GONE" });
  });

  it("messages are kept in their order, and the oldest of a user gives way", async () => {
    const { messages } = await opened();
    const put = (name: string) => messages.put([ALICE, BOB], { name, message: utf8(name) }, MESSAGES);
    expect(await put("one")).toEqual([]);
    expect(await put("two")).toEqual([]);
    await messages.remove(BOB, "one");
    // One that comes again is kept once.
    expect(await put("two")).toEqual([]);
    expect(await put("three")).toEqual([{ user: ALICE, name: "one", message: utf8("one") }]);
    const names = async (user: string) => (await messages.of(user)).map(({ name }) => name);
    expect([await names(ALICE), await names(BOB), await names(CAROL)]).toEqual([
      ["two", "three"],
      ["two", "three"],
      [],
    ]);
  });

  it("messages for which there is no room are given back, and so are those whose time is over", async () => {
    const { clock, messages } = await opened();
    const message = utf8("12345678");
    const put = (name: string, changes = {}) =>
      messages.put([ALICE, BOB, CAROL], { name, message }, { ...MESSAGES, ...changes });
    expect((await put("one", { totalBytes: 2 * 520 })).map(({ user }) => user)).toEqual([CAROL]);
    expect((await put("two", { each: 0 })).map(({ user }) => user)).toEqual([ALICE, BOB, CAROL]);
    clock.now += 59_999;
    expect(await messages.expired(10)).toEqual([]);
    clock.now += 1;
    expect(await messages.of(ALICE)).toEqual([]);
    const over = [await messages.expired(1), await messages.expired(10), await messages.expired(10)];
    expect(over.map((some) => some.length)).toEqual([1, 1, 0]);
    expect(
      over
        .flat()
        .map(({ user, name }) => `${name} ${user}`)
        .sort(),
    ).toEqual([`one ${ALICE}`, `one ${BOB}`]);
  });

  it("users are known for a while after they were seen", async () => {
    const { clock, messages } = await opened();
    await messages.seen(ALICE, 1000);
    await messages.seen(BOB, 1000);
    clock.now += 999;
    await messages.seen(BOB, 1000);
    expect((await messages.known([ALICE, BOB, CAROL])).sort()).toEqual([ALICE, BOB]);
    clock.now += 1;
    expect(await messages.known([ALICE, BOB, CAROL])).toEqual([BOB]);
  });
}

describe("what an MCX server keeps in memory", () => {
  keepsData(async () => {
    const clock = { now: NOW };
    const now = () => clock.now;
    return {
      clock,
      files: new MemoryFiles({ now, random: seededRandom("files") }),
      messages: new MemoryMessages({ now }, 100),
    };
  });

  it("has as many users as it may, those who were seen last", async () => {
    const messages = new MemoryMessages({ now: () => NOW }, 2);
    for (const user of [ALICE, BOB, ALICE, CAROL]) await messages.seen(user, 1000);
    expect(await messages.known([ALICE, BOB, CAROL])).toEqual([ALICE, CAROL]);
  });
});

onEachDatabase("what an MCX server keeps", ({ fresh, again }) => {
  const clock = { now: NOW };
  const open = async (db: Database) =>
    McxData.open(db, await Envelope.open(db, KEK), { now: () => clock.now });
  keepsData(async () => ({ clock, ...(await open(await fresh())) }));

  it("is there for another process, and is nowhere in clear", async () => {
    const db = await fresh();
    const [here, there] = [await open(db), await open(await again())];
    const octets = utf8("units to the north gate. ".repeat(100));
    const id = await here.files.put(fileOf(ALICE, octets), { ...FILES, totalBytes: 1 << 20 });
    expect((await whole(there.files.read(id))).equals(octets)).toBe(true);
    await here.messages.seen(BOB, 1000);
    expect(await there.messages.known([BOB])).toEqual([BOB]);
    await here.messages.put([BOB], { name: "one", message: octets }, MESSAGES);
    expect(await there.messages.of(BOB)).toEqual([{ user: BOB, name: "one", message: octets }]);
    for (const table of ["mcx_file_part", "mcx_kept"]) {
      const { rows } = await db.query<{ sealed: Uint8Array }>(`SELECT sealed FROM ${table}`);
      expect(rows.length).toBeGreaterThan(0);
      for (const { sealed } of rows) expect(Buffer.from(sealed).indexOf("north gate")).toBe(-1);
    }
  });

  it("has no file whose process died before it was complete, and gives its room back", async () => {
    const db = await fresh();
    const broken: Database = {
      ...db,
      query: async (text, params) => {
        if (text.startsWith("UPDATE mcx_file") || text.startsWith("DELETE FROM mcx_file"))
          throw new Error("died");
        return db.query(text, params);
      },
      transaction: (work, options) => db.transaction(work, options),
    };
    const [dying, other] = [await open(broken), await open(await again())];
    const limits = { totalBytes: 8 << 10, keepMs: 1000 };
    await expect(dying.files.put(fileOf(ALICE, new Uint8Array(10)), limits)).rejects.toThrow("died");
    const { rows } = await db.query<{ id: string }>("SELECT id FROM mcx_file");
    expect(rows).toHaveLength(1);
    expect(await other.files.find(rows[0]!.id)).toBeUndefined();
    const put = () => other.files.put(fileOf(ALICE, new Uint8Array(1000)), limits);
    await expect(put()).rejects.toMatchObject({ code: "FILES_FULL" });
    clock.now += 600_000;
    await put();
    expect((await db.query("SELECT id FROM mcx_file WHERE NOT complete")).rows).toEqual([]);
    expect((await db.query("SELECT count(*)::integer AS n FROM mcx_file_part")).rows).toEqual([{ n: 1 }]);
  });
});
