/** The bulk job: all users of a period, begun again where it was interrupted. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { KeySet } from "../../../bindings/identity/kms-material.ts";
import type { KmsPool } from "../../../bindings/pool/kms.ts";
import { type IssueAllOptions, issueAll, type KeyIssuer } from "../../../roles/kms/issue/index.ts";
import type { KmsStore } from "../../../store/index.ts";
import { createKmsPool } from "../../crypto/pool/dist.ts";
import { onEachDatabase } from "../../support/databases.ts";
import { makeIssuer, makeTestKms, NOW, openStore, PERIOD, users } from "./issuing.ts";

const USERS = users(700);

onEachDatabase("issuing to all users", (databases) => {
  let store: KmsStore;
  let issuer: KeyIssuer;

  beforeEach(async () => {
    store = await openStore(await databases.fresh());
    await makeTestKms(store);
    await store.enrol(USERS, NOW);
    issuer = await makeIssuer(store);
  });

  const run = (options: Partial<IssueAllOptions> = {}, by = issuer) =>
    issueAll(store, by, { periodNo: PERIOD, ...options });
  const withoutKeys = async () =>
    (await store.users({ limit: 1000, notIssued: { period: PERIOD } })).map(({ uri }) => uri);
  const stored = async (uris: readonly string[]) =>
    (await store.issuedFor(uris.map((userUri) => ({ userUri, periodNo: PERIOD })))).map((key) => key?.ssk);

  it("bulk issue leaves out nobody, and does nothing the second time", async () => {
    const seen: [number, number][] = [];
    const result = await run({ onProgress: (done, total) => seen.push([done, total]) });
    expect(result).toEqual({ done: 700, revoked: [] });
    expect(seen[0]).toEqual([0, 700]);
    expect(seen.at(-1)).toEqual([700, 700]);
    expect(await withoutKeys()).toEqual([]);
    expect(await run()).toEqual({ done: 0, revoked: [] });
    expect(await store.auditLog({ limit: 1000 })).toHaveLength(700);
  });

  it("bulk issue leaves out revoked users, also those revoked while it runs", async () => {
    await store.revokeUser(USERS[0]!, "left", NOW);
    let pending: Promise<void> | undefined;
    // The last slice is not begun yet when the first is done, or it is done already and the user has their keys.
    const onProgress = (done: number) => {
      if (done > 0) pending ??= store.revokeUser(USERS[699]!, "left", NOW);
    };
    const result = await run({ onProgress });
    await pending;
    const [first, ...others] = await stored(USERS);
    expect(first).toBeUndefined();
    const last = others.pop();
    expect(result.revoked).toEqual(last === undefined ? [USERS[699]] : []);
    expect(others.every((ssk) => ssk !== undefined)).toBe(true);
  });

  it("bulk issue repeats a slice without a user who was revoked after they were listed", async () => {
    let revoke: Promise<void> | undefined;
    const late: KeyIssuer = Object.create(issuer, {
      keys: {
        async value(...args: Parameters<KeyIssuer["keys"]>) {
          revoke ??= store.revokeUser(USERS[1]!, "left", NOW);
          await revoke;
          return issuer.keys(...args);
        },
      },
    });
    expect(await run({}, late)).toEqual({ done: 699, revoked: [USERS[1]] });
    expect(await stored(USERS.slice(0, 3))).toEqual([expect.anything(), undefined, expect.anything()]);
  });

  it("bulk issue goes on where it was stopped", async () => {
    const uris = users(2000);
    await store.enrol(uris, NOW);
    const reason = new Error("enough");
    const controller = new AbortController();
    const onProgress = (done: number) => done > 0 && controller.abort(reason);
    await expect(run({ signal: controller.signal, onProgress })).rejects.toBe(reason);
    const rest = await store.users({ limit: 3000, notIssued: { period: PERIOD } });
    expect(rest.length).toBeGreaterThan(0);
    expect(await run()).toEqual({ done: rest.length, revoked: [] });
    expect(await withoutKeys()).toEqual([]);
  });

  describe("handing key sets over", () => {
    it("includes those that were saved before, in order, and clears them", async () => {
      await run({ users: USERS.slice(100, 200) });
      const before = await stored(USERS);
      const taken: { uri: string; ssk: Uint8Array }[] = [];
      const held: KeySet[] = [];
      await run({
        onKeySet: async (keySet) => {
          await new Promise((resolve) => setImmediate(resolve));
          held.push(keySet);
          taken.push({ uri: keySet.userUri, ssk: keySet.ssk.slice() });
        },
      });
      expect(taken.map(({ uri }) => uri)).toEqual(USERS);
      for (let i = 100; i < 200; i++) expect(taken[i]!.ssk).toEqual(before[i]);
      expect(held.every(({ rsk, ssk }) => [...rsk, ...ssk].every((octet) => octet === 0))).toBe(true);
    });

    it("includes none of a revoked user who has keys", async () => {
      await run();
      await store.revokeUser(USERS[5]!, "left", NOW);
      const taken: string[] = [];
      const onKeySet = ({ userUri }: KeySet) => void taken.push(userUri);
      expect(await run({ onKeySet })).toEqual({ done: 699, revoked: [USERS[5]] });
      expect(taken).not.toContain(USERS[5]);
      expect(await run({ users: [USERS[5]!, USERS[6]!], onKeySet })).toEqual({
        done: 1,
        revoked: [USERS[5]],
      });
    });

    it("ends with the error of the receiver", async () => {
      const full = new Error("disk full");
      const onKeySet = () => Promise.reject(full);
      await expect(run({ onKeySet })).rejects.toBe(full);
    });
  });

  it("bulk issue refuses users who are not enrolled before anything is issued", async () => {
    const uris = [USERS[0]!, "sip:nobody@home.example"];
    await expect(run({ users: uris })).rejects.toMatchObject({ kind: "usage", code: "USER_UNKNOWN" });
    expect(await stored([USERS[0]!])).toEqual([undefined]);
  });

  describe("bulk issue with workers", () => {
    let pool: KmsPool;
    beforeAll(async () => {
      pool = await createKmsPool({ workers: 2 });
    });
    afterAll(() => pool.destroy());

    it("makes the same keys as without", async () => {
      const half = USERS.filter((_, i) => i % 2 === 0);
      await run({ users: half });
      const here = await stored(half);
      const pooled = await makeIssuer(store, { pool });
      expect(await run({}, pooled)).toEqual({ done: 350, revoked: [] });
      // Other keys would be refused for a user who has keys.
      const again = await pooled.keys(
        half.map((userUri) => ({ userUri, periodNo: PERIOD })),
        { unissued: true },
      );
      expect(again.map(({ ssk }) => ssk)).toEqual(here);
    });

    it("two jobs at a time give each user one key set", async () => {
      const other = await openStore(await databases.again());
      const otherIssuer = await makeIssuer(other, { pool });
      const both = await Promise.all([run(), issueAll(other, otherIssuer, { periodNo: PERIOD })]);
      expect(both.map(({ revoked }) => revoked)).toEqual([[], []]);
      expect(await withoutKeys()).toEqual([]);
      expect(await store.auditLog({ limit: 2000 })).toHaveLength(700);
    });
  });
});
