/** Chunks: claimed by one process at a time, in turns, and sealed once. */
import { expect, it } from "vitest";
import { ntpUnfold } from "../../../bindings/index.ts";
import { onEachDatabase } from "../../support/databases.ts";
import {
  at,
  claimant,
  G2,
  gukId,
  LEASE,
  members,
  messageOf,
  messages,
  NOW,
  newGmk,
  openStore,
  refused,
  sealAll,
  started,
  urisOf,
} from "./records.ts";

const USERS = members(10);

onEachDatabase("chunks", ({ fresh }) => {
  it("chunks of a rekey hold all that sealing needs, members in their order, each T once", async () => {
    const store = await openStore(await fresh());
    const who = USERS.map(
      (m, i) => ({ ...m, kmsUri: `kms${i}.example`, kind: i === 3 ? "gms" : "user" }) as const,
    );
    const { rekey } = await started(store, { who });
    const claims = [];
    for (let i = 0; i < 3; i++) claims.push((await store.claimChunk(claimant("a")))!);
    expect(await store.claimChunk(claimant("a"))).toBeUndefined();
    const { key, rand } = newGmk(1);
    expect(claims[0]).toMatchObject({
      rekey,
      chunk: 0,
      attempts: 1,
      kind: "distribute",
      gmkId: 1,
      key,
      rand,
    });
    expect(claims[0]!.parameters).toMatchObject({ kind: "GMK", revoked: false });
    expect(claims.flatMap((c) => c.members)).toEqual(who.map((m) => ({ ...m, csbId: gukId(m.uri) })));
    const first = ntpUnfold(claims[0]!.time);
    expect(claims.map((c) => ntpUnfold(c.time) - first)).toEqual([0n, 4n, 8n]);
  });

  it("chunks of a rekey save their messages, which are then in the documents", async () => {
    const store = await openStore(await fresh());
    const { rekey } = await started(store, { who: USERS });
    expect(await sealAll(store)).toBe(3);
    for (const { uri } of USERS) {
      expect((await store.gktpOf(uri)).map((m) => m.octets)).toEqual([messageOf(rekey, uri)]);
    }
  });

  it("chunks of a small rekey come right after one chunk of a large one, and then they take turns", async () => {
    const store = await openStore(await fresh());
    const { rekey: large } = await started(store, { who: members(40) });
    await store.claimChunk(claimant("a"));
    const { rekey: small } = await started(store, { groupUri: G2, gmkId: 2, who: members(8, 100) });
    const order = [];
    for (let i = 0; i < 6; i++) order.push((await store.claimChunk(claimant("a")))!.rekey);
    expect(order).toEqual([small, large, small, large, large, large]);
  });

  it("chunks of a claim whose lease is over go to another process, and the late process saves nothing", async () => {
    const store = await openStore(await fresh());
    const { rekey } = await started(store, { who: USERS.slice(0, 3) });
    const lost = (await store.claimChunk(claimant("a")))!;
    expect(await store.claimChunk(claimant("b", NOW + LEASE - 1))).toBeUndefined();
    const taken = (await store.claimChunk(claimant("b", NOW + LEASE)))!;
    expect(taken).toMatchObject({ chunk: lost.chunk, attempts: 2, time: lost.time });
    const wrong = lost.members.map(({ uri }) => ({ uri, octets: new Uint8Array(3) }));
    expect(await at(NOW, store).saveChunk(lost, wrong)).toBe(false);
    await store.releaseChunk(lost, { waitMs: 0, error: "late" });
    expect(await store.rekey(rekey)).toMatchObject({ counts: { planned: 3, sealed: 0 } });
    expect(await at(NOW, store).saveChunk(taken, messages(taken))).toBe(true);
    expect(await at(NOW, store).saveChunk(taken, messages(taken))).toBe(false);
    expect(await at(NOW, store).saveChunk(lost, wrong)).toBe(false);
    expect((await store.gktpOf(USERS[0]!.uri))[0]!.octets).toEqual(messageOf(rekey, USERS[0]!.uri));
  });

  it("chunks may be saved after the lease when nobody else has taken them", async () => {
    const store = await openStore(await fresh());
    await started(store, { who: USERS.slice(0, 3) });
    const claim = (await store.claimChunk(claimant("a")))!;
    expect(await at(NOW + 10 * LEASE, store).saveChunk(claim, messages(claim))).toBe(true);
  });

  it("failed chunks are tried again at the set time, with the reason on record", async () => {
    const store = await openStore(await fresh());
    const { rekey } = await started(store, { who: USERS.slice(0, 3) });
    const claim = (await store.claimChunk(claimant("a")))!;
    await store.releaseChunk(claim, { waitMs: 500, error: "no key\0 for kms.example" });
    expect(await at(NOW, store).saveChunk(claim, messages(claim))).toBe(false);
    const [first] = await store.deliveries(rekey, { limit: 1 });
    expect(first).toMatchObject({ state: "planned", reason: "no key\ufffd for kms.example" });
    expect(await store.claimChunk(claimant("a", NOW + 499))).toBeUndefined();
    expect(await store.claimChunk(claimant("a", NOW + 500))).toMatchObject({ attempts: 2 });
  });

  it("chunks refuse messages that are not those of the claim", async () => {
    const store = await openStore(await fresh());
    const { rekey } = await started(store, { who: USERS.slice(0, 3) });
    const claim = (await store.claimChunk(claimant("a")))!;
    const good = messages(claim);
    const bad = [
      good.slice(1),
      [...good, good[0]!],
      [...good.slice(1), { ...good[0]!, uri: "sip:eve@home.example" }],
      [...good.slice(1), { ...good[0]!, octets: new Uint8Array(0) }],
      [...good.slice(1), { ...good[0]!, octets: new Uint8Array(65_537) }],
    ];
    for (const rows of bad) expect(await refused(at(NOW, store).saveChunk(claim, rows))).toBe("BAD_ROWS");
    const text = [...good.slice(1), { ...good[0]!, octets: "hex" as never }];
    expect(await refused(at(NOW, store).saveChunk(claim, text))).toBe("NOT_BYTES");
    expect(await store.rekey(rekey)).toMatchObject({ counts: { sealed: 0, planned: 3 } });
    expect(await at(NOW, store).saveChunk(claim, good)).toBe(true);
    for (const leaseMs of [0, -1, Number.NaN]) {
      expect(await refused(store.claimChunk({ instance: "a", leaseMs }))).toBe("BAD_LEASE");
    }
    expect(await refused(store.claimChunk(claimant("")))).toBe("BAD_INSTANCE");
  });

  it("chunks of a killed process are free when it starts again, on PGlite whatever its name", async () => {
    const db = await fresh();
    const store = await openStore(db);
    await started(store, { who: USERS.slice(0, 8) });
    const killed = (await store.claimChunk(claimant("a")))!;
    const other = (await store.claimChunk(claimant("b")))!;
    await store.recover("a");
    expect(await at(NOW, store).saveChunk(killed, messages(killed))).toBe(false);
    const again = (await store.claimChunk(claimant("a")))!;
    expect(urisOf(again.members)).toEqual(urisOf(killed.members));
    expect(await at(NOW, store).saveChunk(other, messages(other))).toBe(db.kind === "postgresql");
  });

  it("chunks whose key does not open fail alone, and the next rekey has its turn", async () => {
    const db = await fresh();
    const store = await openStore(db);
    await started(store, { who: USERS });
    const { rekey: good } = await started(store, { groupUri: G2, gmkId: 2, who: USERS });
    await db.query(
      "UPDATE gms_gmk SET sealed = (SELECT sealed FROM gms_gmk WHERE gmk_id = 2) WHERE gmk_id = 1",
    );
    await expect(store.claimChunk(claimant("a"))).rejects.toMatchObject({ code: "STORE_SEAL" });
    expect(await store.claimChunk(claimant("a"))).toMatchObject({ rekey: good });
  });
});
