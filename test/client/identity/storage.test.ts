/** Storage: what is put comes back, sealed, on the disk, and only under its name. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { utf8 } from "../../../base/bytes.ts";
import { FileStorage, openStorageKeyFile } from "../../../roles/identity/file-storage-node.ts";
import {
  KeyStore,
  MemoryStorage,
  SealedStorage,
  type SecretStorage,
  StorageKey,
} from "../../../roles/identity/index.ts";
import { decodeRecord, encodeRecord } from "../../../roles/identity/record.ts";
import { codeOf } from "./device.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mikey-sakke-storage-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const SECRET = utf8("a secret that must not be seen");

const KINDS: Record<string, () => Promise<SecretStorage>> = {
  memory: async () => new MemoryStorage(),
  file: () => FileStorage.open(join(folder, "store")),
  "sealed file": async () =>
    new SealedStorage(await FileStorage.open(join(folder, "store")), await StorageKey.generate()),
};

describe.each(Object.entries(KINDS))("%s storage", (_, open) => {
  it("returns what was put, lists by prefix, replaces and deletes", async () => {
    const storage = await open();
    await storage.put("a/b-1", SECRET);
    await storage.put("a/b-2", utf8("two"));
    await storage.put("b", new Uint8Array());
    expect(await storage.get("a/b-1")).toEqual(SECRET);
    expect(await storage.list("a/")).toEqual(["a/b-1", "a/b-2"]);
    expect(await storage.list("")).toHaveLength(3);
    await storage.put("a/b-1", utf8("one"));
    expect(await storage.get("a/b-1")).toEqual(utf8("one"));
    await storage.delete("a/b-1");
    await storage.delete("never-there");
    expect(await storage.get("a/b-1")).toBeUndefined();
    expect(await storage.get("b")).toEqual(new Uint8Array());
  });

  it("creates a record once, even if several try at the same time", async () => {
    const storage = await open();
    const made = await Promise.all(
      Array.from({ length: 8 }, (_, i) => storage.create("a/b", Uint8Array.of(i))),
    );
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await storage.get("a/b")).toEqual(Uint8Array.of(made.indexOf(true)));
    await storage.delete("a/b");
    expect(await storage.create("a/b", SECRET)).toBe(true);
    expect(await storage.list("")).toEqual(["a/b"]);
  });

  it("shares no octets with its caller", async () => {
    const storage = await open();
    const octets = utf8("mine");
    await storage.put("a", octets);
    octets.fill(0);
    const got = (await storage.get("a"))!;
    expect(got).toEqual(utf8("mine"));
    got.fill(0);
    expect(await storage.get("a")).toEqual(utf8("mine"));
  });

  it.each(["", "../a", "a//b", "A", "a_b", "/a", "a/", "ä", "a".repeat(201)])(
    "refuses the record name %j",
    async (name) => {
      expect(await codeOf((await open()).put(name, SECRET))).toBe("BAD_RECORD_NAME");
    },
  );
});

describe("sealed storage", () => {
  it("opens no record that was changed, moved to another name or sealed under another key", async () => {
    const memory = new MemoryStorage();
    const key = await StorageKey.generate();
    const storage = new SealedStorage(memory, key);
    await storage.put("a", SECRET);
    const sealed = (await memory.get("a"))!;
    expect(Buffer.from(sealed).includes("secret")).toBe(false);
    for (const at of [1, 13, sealed.length - 1]) {
      const changed = sealed.slice();
      changed[at]! ^= 1;
      await memory.put("a", changed);
      expect(await codeOf(storage.get("a"))).toBe("STORAGE_SEAL");
    }
    await memory.put("b", sealed);
    expect(await codeOf(storage.get("b"))).toBe("STORAGE_SEAL");
    await memory.put("a", sealed);
    expect(await codeOf(new SealedStorage(memory, await StorageKey.generate()).get("a"))).toBe(
      "STORAGE_SEAL",
    );
    for (const bad of [sealed.subarray(0, 20), sealed.map((octet, i) => (i === 0 ? 2 : octet))]) {
      await memory.put("a", bad);
      expect(await codeOf(storage.get("a"))).toBe("STORAGE_FORMAT");
    }
  });

  it("seals the same octets differently each time", async () => {
    const memory = new MemoryStorage();
    const storage = new SealedStorage(memory, await StorageKey.generate());
    await storage.put("a", SECRET);
    const first = await memory.get("a");
    await storage.put("a", SECRET);
    expect(await memory.get("a")).not.toEqual(first);
  });

  it("has a key that cannot be exported", async () => {
    const { handle } = await StorageKey.fromBytes(new Uint8Array(32).fill(1));
    await expect(crypto.subtle.exportKey("raw", handle)).rejects.toThrow();
    expect(await codeOf(StorageKey.fromBytes(new Uint8Array(16)))).toBe("WRONG_LENGTH");
  });
});

describe("storage in files", () => {
  it("is readable by its owner only, and leaves no half-written file", async () => {
    const path = join(folder, "store");
    const storage = await FileStorage.open(path);
    await storage.put("a/b", SECRET);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(readdirSync(path)).toEqual(["a_b.record"]);
    expect(statSync(join(path, "a_b.record")).mode & 0o777).toBe(0o600);
  });

  it("passes over files of a process that ended while it wrote, and removes them", async () => {
    const path = join(folder, "store");
    const storage = await FileStorage.open(path);
    await storage.put("a", SECRET);
    const pid = Number(execFileSync(process.execPath, ["-p", "process.pid"], { encoding: "utf8" }));
    const [dead, alive] = [`a.record.${pid}-00ff.tmp`, `a.record.${process.pid}-00ff.tmp`];
    for (const name of [dead, alive]) writeFileSync(join(path, name), "half");
    expect(await storage.list("")).toEqual(["a"]);
    expect(await (await FileStorage.open(path)).get("a")).toEqual(SECRET);
    expect(readdirSync(path).sort()).toEqual(["a.record", alive].sort());
  });

  it("holds whole records when many are put at the same time", async () => {
    const storages = await Promise.all([1, 2, 3].map(() => FileStorage.open(join(folder, "store"))));
    const values = Array.from({ length: 30 }, (_, i) => new Uint8Array(1000).fill(i));
    await Promise.all(values.map((value, i) => storages[i % 3]!.put("a", value)));
    const last = (await storages[0]!.get("a"))!;
    expect(values).toContainEqual(last);
    expect(readdirSync(join(folder, "store"))).toEqual(["a.record"]);
  });

  it("makes its storage key once, even if several processes are first", async () => {
    const path = join(folder, "key");
    const keys = await Promise.all(Array.from({ length: 8 }, () => openStorageKeyFile(path)));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["key"]);
    const memory = new MemoryStorage();
    await new SealedStorage(memory, keys[0]!).put("a", SECRET);
    for (const key of keys) expect(await new SealedStorage(memory, key).get("a")).toEqual(SECRET);
    writeFileSync(path, readFileSync(path).subarray(1));
    expect(await codeOf(openStorageKeyFile(path))).toBe("BAD_STORAGE_KEY");
  });
});

describe("stored records", () => {
  it("are read back with facts and secrets, and the octets they were read from are cleared", () => {
    const octets = encodeRecord({ uri: "sip:ä@x" }, [SECRET, new Uint8Array()]);
    const record = decodeRecord<{ uri: string }>("a", octets);
    expect(record.facts.uri).toBe("sip:ä@x");
    expect(record.secrets).toEqual([SECRET, new Uint8Array()]);
    expect(octets.every((octet) => octet === 0)).toBe(true);
  });

  it("that are cut off are refused without being quoted", () => {
    const whole = encodeRecord({ a: 1 }, [SECRET]);
    for (const length of [0, 3, 8, whole.length - 1]) {
      expect(() => decodeRecord("a", whole.slice(0, length))).toThrow(
        expect.objectContaining({ code: "STORAGE_FORMAT" }),
      );
    }
  });

  it("of keys are read back unchanged", async () => {
    const store = new KeyStore(new MemoryStorage());
    const keySet = {
      kmsUri: "kms.example.org",
      userUri: "sip:a@example.org",
      keyPeriodNo: 7,
      certUri: "c",
      validFrom: 1,
      uid: new Uint8Array(32).fill(1),
      rsk: new Uint8Array(257).fill(2),
      ssk: new Uint8Array(32).fill(3),
      pvt: new Uint8Array(65).fill(4),
    };
    await store.putKeySet(keySet);
    await store.putKeySet({ ...keySet, certUri: "d" });
    expect((await store.keySets(keySet.userUri, keySet.kmsUri))[0]).toBeDefined();
    expect(await store.keySets(keySet.userUri, keySet.kmsUri)).toContainEqual(keySet);
    expect(await store.keySets("sip:b@example.org", keySet.kmsUri)).toEqual([]);
    await store.deleteKeySet(keySet);
    expect(await store.keySets(keySet.userUri, keySet.kmsUri)).toHaveLength(1);
  });
});
