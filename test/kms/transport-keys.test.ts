import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { toHex } from "../../base/bytes.ts";
import {
  type KmsMessage,
  type NamedKey,
  type OpenedKmsResponse,
  openKmsResponse,
} from "../../documents/kms-xml/index.ts";
import { KmsSchema } from "../../documents/kms-xml/schema/validate-node.ts";
import type { NewTransportKey } from "../../roles/kms/index.ts";
import { type Ask, clientKeys, NOW, World } from "./running-kms.ts";

const LIFETIME = 3600;
let world: World;
let count = 0;
/** A user of its own for each test. */
let user: string;

beforeAll(async () => {
  world = await World.create();
});
afterAll(() => world.close());
beforeEach(() => {
  world.now = NOW;
  user = `sip:user${++count}@example.org`;
});

async function keysFor(
  uri: string,
  kinds: readonly ("TrK" | "InK")[],
  replace = false,
): Promise<NewTransportKey[]> {
  return world.kms.admin.newTransportKeys(uri, { kinds, replace });
}

async function open(
  tail: string,
  ask: Ask,
  keys: readonly NamedKey[],
  at = world,
): Promise<OpenedKmsResponse & { status: number }> {
  const { status, body } = await at.ask(tail, { user, ...ask });
  return { status, ...(await openKmsResponse(body, clientKeys(...keys))) };
}

const newKeysOf = (message: KmsMessage | undefined) => message?.newKeys;
const errorOf = ({ response }: OpenedKmsResponse) => response.error?.errorCode;
const statesOf = async () => (await world.kms.admin.transportKeys(user)).map(({ state }) => state);

describe("a user with a TrK", () => {
  it("gets wrapped keys, whether the request names the TrK or not", async () => {
    const plain = await open("keyprov", {}, []);
    expect(plain.wrappedWith).toBeUndefined();
    const [trk] = await keysFor(user, ["TrK"]);
    for (const body of [{ trkId: trk!.id }, {}, null]) {
      const opened = await open("keyprov", { body }, [trk!]);
      expect(opened.wrappedWith).toBe(trk!.id);
      const sets = (message: KmsMessage | undefined) =>
        message?.type === "keyprov"
          ? message.keySets.map(({ rsk, ssk, pvt }) => [rsk, ssk, pvt].map(toHex))
          : [];
      expect(sets(opened.response.message)).toEqual(sets(plain.response.message));
      expect(sets(opened.response.message)).toHaveLength(2);
    }
    const { body } = await world.ask("keyprov", { user });
    expect(body).not.toMatch(/KeyContentType">[0-9a-f]/);
  });

  it("is not served with another user's TrK", async () => {
    const [stranger] = await keysFor("sip:stranger@example.org", ["TrK"]);
    await keysFor(user, ["TrK"]);
    expect(errorOf(await open("keyprov", { body: { trkId: stranger!.id } }, []))).toBe(40310);
  });

  it("may sign with it while there is no InK, and then gets a signed answer", async () => {
    const [trk] = await keysFor(user, ["TrK"]);
    const opened = await open("keyprov", { signWith: trk! }, [trk!]);
    expect(opened).toMatchObject({ status: 200, signedWith: trk!.id, wrappedWith: trk!.id });
  });
});

describe("a user with an InK", () => {
  it("gets signed answers and signed refusals", async () => {
    const [ink] = await keysFor(user, ["InK"]);
    expect((await open("init", { signWith: ink! }, [ink!])).signedWith).toBe(ink!.id);
    const refused = await open("init", { body: { kmsUri: "kms.evil.example" }, signWith: ink! }, [ink!]);
    expect(refused).toMatchObject({ status: 400, signedWith: ink!.id });
  });

  it("is not served without a signature", async () => {
    const [trk, ink] = await keysFor(user, ["TrK", "InK"]);
    for (const body of [{}, { trkId: trk!.id }, null]) {
      const refused = await open("keyprov", { body }, [trk!, ink!]);
      expect(refused).toMatchObject({ status: 403, signedWith: ink!.id });
      expect(errorOf(refused)).toBe(40306);
    }
    const signed = world.body("keyprov", user, {}, { signWith: ink! });
    const stripped = signed.replace(/<(ds:)?Signature[ >].*<\/(ds:)?Signature>/s, "");
    expect(stripped).not.toBe(signed);
    expect([40306, 40307]).toContain(errorOf(await open("keyprov", { body: stripped }, [ink!])));
  });

  it("must not sign with the TrK (D.2.2)", async () => {
    const [trk, ink] = await keysFor(user, ["TrK", "InK"]);
    expect(errorOf(await open("keyprov", { signWith: trk! }, [ink!]))).toBe(40308);
    expect(errorOf(await open("keyprov", { signWith: ink! }, [trk!, ink!]))).toBeUndefined();
  });
});

describe("the signature of a KMS request", () => {
  it("is refused if made with another user's key, an unknown key or a wrong one", async () => {
    const [ink] = await keysFor(user, ["InK"]);
    const [stranger] = await keysFor("sip:stranger@example.org", ["InK"]);
    const signWith = (key: NamedKey) => open("keyprov", { signWith: key }, [ink!]);
    expect(errorOf(await signWith(stranger!))).toBe(40308);
    expect(errorOf(await signWith({ id: "ink-unknown", key: ink!.key }))).toBe(40308);
    expect(errorOf(await signWith({ id: ink!.id, key: stranger!.key }))).toBe(40307);
  });

  it("does not hold for a changed request", async () => {
    const [ink] = await keysFor(user, ["InK"]);
    const signed = world.body("keyprov", user, {}, { signWith: ink! });
    const changed = signed.replace("<KmsUri>kms.example.org<", "<KmsUri> kms.example.org<");
    expect(changed).not.toBe(signed);
    expect(errorOf(await open("keyprov", { body: changed }, [ink!]))).toBe(40307);
  });

  it("is accepted once, also by another process, and again after a fault was mended", async () => {
    const [ink] = await keysFor(user, ["InK"]);
    const other = await world.beside();
    const body = world.body("keyprov", user, {}, { signWith: ink! });
    expect(errorOf(await open("init", { body }, [ink!]))).toBe(40005);
    expect(errorOf(await open("keyprov", { body }, [ink!]))).toBeUndefined();
    const before = (await world.auditLog()).length;
    expect(errorOf(await open("keyprov", { body }, [ink!]))).toBe(40311);
    expect(errorOf(await open("keyprov", { body }, [ink!], other))).toBe(40311);
    expect((await world.auditLog()).slice(before).map(({ code }) => code)).toEqual(["REPLAYED", "REPLAYED"]);
    await other.close();
  });

  it("is not used up by a refused request", async () => {
    const [ink] = await keysFor(user, ["InK"]);
    const tail = `keyprov/${encodeURIComponent(user)}/ffffffff00000000`;
    const body = world.body(tail, user, {}, { signWith: ink! });
    for (const _ of [1, 2]) expect(errorOf(await open(tail, { body }, [ink!]))).toBe(40305);
  });

  it("succeeds for one of two simultaneous copies", async () => {
    const [ink] = await keysFor(user, ["InK"]);
    const body = world.body("keyprov", user, {}, { signWith: ink! });
    const both = await Promise.all([1, 2, 3].map(() => open("keyprov", { body }, [ink!])));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 403, 403]);
  });

  it("is remembered as long as the request is fresh", async () => {
    const [ink] = await keysFor(user, ["InK"]);
    const token = await world.token(user);
    const late = await world.beside();
    const body = world.body("keyprov", user, { time: world.now + 5000 }, { signWith: ink! });
    expect(errorOf(await open("keyprov", { body, token }, [ink!], late))).toBeUndefined();
    late.now += 15_000;
    expect(errorOf(await open("keyprov", { body, token }, [ink!], late))).toBe(40311);
    late.now += 1;
    expect(errorOf(await open("keyprov", { body, token }, [ink!], late))).toBe(40006);
    await late.close();
  });
});

describe("the policy of the KMS", () => {
  it("can require signatures", async () => {
    const strict = await world.beside({ policy: { requireSignature: true } });
    const [ink] = await keysFor(user, ["InK"]);
    for (const body of [{}, null]) expect(errorOf(await open("init", { body }, [ink!], strict))).toBe(40306);
    expect(errorOf(await open("init", { signWith: ink! }, [ink!], strict))).toBeUndefined();
    await strict.close();
  });

  it("can require TrKs, for keys but not for certificates", async () => {
    const strict = await world.beside({ policy: { requireTransportKey: true } });
    expect(errorOf(await open("keyprov", {}, [], strict))).toBe(40309);
    expect(errorOf(await open("init", {}, [], strict))).toBeUndefined();
    const [trk] = await keysFor(user, ["TrK"]);
    expect((await open("keyprov", {}, [trk!], strict)).wrappedWith).toBe(trk!.id);
    await strict.close();
  });
});

describe("new transport keys from the KMS", () => {
  it("are sent until a request names them; until then the old ones are in use", async () => {
    const [oldTrk, oldInk] = await keysFor(user, ["TrK", "InK"]);
    const old = [oldTrk!, oldInk!];
    await keysFor(user, ["TrK", "InK"]);
    const ask = { body: { trkId: oldTrk!.id }, signWith: oldInk! };
    const schema = await KmsSchema.load();
    schema.validate((await world.ask("keyprov", { user, ...ask })).body);
    schema.dispose();

    // The first answer may get lost: the same keys come again.
    world.now += 1;
    const first = await open("init", ask, old);
    world.now += 1;
    const second = await open("keyprov", ask, old);
    const ids = ({ response }: OpenedKmsResponse) => {
      const keys = newKeysOf(response.message);
      return [...(keys?.transport ?? []), ...(keys?.integrity ?? [])].map(({ id }) => id);
    };
    expect(ids(first)).toHaveLength(2);
    expect(ids(second)).toEqual(ids(first));
    expect(await statesOf()).toEqual(expect.arrayContaining(["active", "pending"]));

    const { transport, integrity } = newKeysOf(second.response.message)!;
    const fresh = [transport[0]!, integrity[0]!];
    world.now += 1;
    const named = { body: { trkId: transport[0]!.id }, signWith: integrity[0]! };
    const third = await open("keyprov", named, fresh);
    expect(third).toMatchObject({ signedWith: integrity[0]!.id, wrappedWith: transport[0]!.id });
    expect(ids(third)).toEqual([]);
    expect((await statesOf()).sort()).toEqual(["active", "active", "retired", "retired"]);

    world.now += 1;
    const byOld = { body: { trkId: oldTrk!.id }, signWith: fresh[1]! };
    expect(errorOf(await open("keyprov", byOld, fresh))).toBe(40310);
    expect(errorOf(await open("keyprov", { signWith: oldInk! }, fresh))).toBe(40308);
  });

  it("replace those that are too old", async () => {
    const rotating = await world.beside({ policy: { transportKeyLifetime: LIFETIME } });
    const [trk] = await keysFor(user, ["TrK"]);
    const before = await open("init", {}, [trk!], rotating);
    expect(newKeysOf(before.response.message)).toBeUndefined();
    rotating.now += LIFETIME * 1000;
    const token = await rotating.token(user);
    const after = await open("init", { token, body: { time: rotating.now } }, [trk!], rotating);
    expect(newKeysOf(after.response.message)).toMatchObject({ transport: [{}], integrity: [] });
    const again = await open("init", { token }, [trk!], rotating);
    expect(newKeysOf(again.response.message)).toEqual(newKeysOf(after.response.message));
    await rotating.close();
  });

  it("are never sent in clear", async () => {
    const [ink] = await keysFor(user, ["InK"]);
    world.now += 1;
    await keysFor(user, ["InK"]);
    expect(await statesOf()).toEqual(["active", "pending"]);
    const { status, body } = await world.ask("init", { user, signWith: ink! });
    expect(status).toBe(200);
    expect(body).not.toContain("NewIntegrityKey");
  });

  it("become active only when the client proves that it has them", async () => {
    const [trk] = await keysFor(user, ["TrK"]);
    world.now += 1;
    const [next] = await keysFor(user, ["TrK"]);
    const body = { trkId: next!.id };
    // A holder of the token knows the id, from an answer. Neither it nor another key's signature will do.
    expect((await open("lookup", { body }, [])).status).toBe(200);
    expect((await open("lookup", { body, signWith: trk! }, [trk!])).status).toBe(200);
    expect(await statesOf()).toEqual(["active", "pending"]);
    expect((await open("keyprov", {}, [trk!])).wrappedWith).toBe(trk!.id);
    expect((await open("lookup", { body, signWith: next! }, [next!])).signedWith).toBe(next!.id);
    expect(await statesOf()).toEqual(["retired", "active"]);
  });

  it("become active by the signature of an InK, and no unsigned request names them", async () => {
    const [, ink] = await keysFor(user, ["TrK", "InK"]);
    world.now += 1;
    const [next] = await keysFor(user, ["TrK"]);
    const active = async () =>
      (await world.kms.admin.transportKeys(user)).some(
        ({ id, state }) => id === next!.id && state === "active",
      );
    const body = { trkId: next!.id };
    expect(errorOf(await open("lookup", { body }, [ink!]))).toBe(40306);
    expect(errorOf(await open("lookup", { body, signWith: next! }, [ink!]))).toBe(40308);
    expect(await active()).toBe(false);
    expect((await open("lookup", { body, signWith: ink! }, [ink!])).status).toBe(200);
    expect(await active()).toBe(true);
  });

  it("are dropped while pending once the TrK that they were sent under is replaced", async () => {
    const [trk, ink] = await keysFor(user, ["TrK", "InK"]);
    await keysFor(user, ["InK"]);
    const sent = await open("init", { signWith: ink! }, [trk!, ink!]);
    const pending = newKeysOf(sent.response.message)!.integrity[0]!;
    await keysFor(user, ["TrK"], true);
    expect(errorOf(await open("init", { signWith: pending }, [ink!]))).toBe(40308);
    world.now += 1;
    expect((await open("init", { signWith: ink! }, [ink!])).status).toBe(200);
  });

  it("become active at once when the old ones are not trusted, and pending ones are dropped", async () => {
    const [old] = await keysFor(user, ["TrK"]);
    const [waiting] = await keysFor(user, ["TrK"]);
    const [fresh] = await keysFor(user, ["TrK"], true);
    for (const key of [old!, waiting!]) {
      expect(errorOf(await open("keyprov", { body: { trkId: key.id } }, []))).toBe(40310);
    }
    expect((await open("keyprov", {}, [fresh!])).wrappedWith).toBe(fresh!.id);
  });
});
