/** I_MESSAGEs: what a receiver must open, and one at least that only one check of docs/validation.md refuses. */
import { concat, fromHex, toHex, utf8 } from "../../base/bytes.ts";
import { CHECKS, type CheckCode } from "../../base/checks.ts";
import { sakkeToSelf } from "../../bindings/mikey/general-extension.ts";
import { defaultKeyParameters, encodeKeyParameters, groupIds } from "../../bindings/mikey/key-parameters.ts";
import type { SealRequest } from "../../bindings/mikey/plan.ts";
import { protect } from "../../bindings/mikey/protected-payload.ts";
import { sakke } from "../../bindings/mikey/sakke.ts";
import { GMK_PROFILE } from "../../bindings/mikey/srtp-profile.ts";
import { type Edit, edited, replace, resigned } from "../../test/support/forge.ts";
import type { Group, MessageTest, TestContext } from "./form.ts";
import { ALICE, AWAY_KMS, BOB, DAY_MS, GMS, NOW, setUp, type VectorWorld } from "./world.ts";

const GROUP = "sip:g1@home.example";
const OTHER_GROUP = "sip:g2@home.example";
const KEY = fromHex("28ba74447f037dcc09ad7f2576dc2def");

type Changes = Omit<Partial<TestContext>, "now"> & { readonly now?: number };

function contextOf({ now = NOW, ...changes }: Changes = {}): TestContext {
  return { now: new Date(now).toISOString(), authorised: [GMS], ...changes };
}

function refused(code: CheckCode, comment: string, octets: Uint8Array, changes?: Changes): MessageTest {
  const [msg, context] = [toHex(octets), contextOf(changes)];
  return { comment, msg, context, result: "invalid", check: CHECKS[code][0], code };
}

const hdr =
  (changes: object): Edit =>
  (m) => {
    m.hdr = { ...m.hdr, ...changes };
  };
const session =
  (changes: object): Edit =>
  (m) => {
    m.hdr = { ...m.hdr, sessions: [{ ...m.hdr.sessions[0]!, ...changes }] };
  };
const idr =
  (role: number, id: Uint8Array): Edit =>
  (m) =>
    replace(
      m,
      "IDR",
      (p) => ({ ...p, id }),
      (p) => p.role === role,
    );
const without =
  (name: string): Edit =>
  (m) => {
    m.payloads = m.payloads.filter((p) => p.payload !== name);
  };
const twice =
  (name: string): Edit =>
  (m) => {
    m.payloads.push(m.payloads.find((p) => p.payload === name)!);
  };
const sp =
  (type: number, value: number): Edit =>
  (m) =>
    replace(m, "SP", (p) => ({ ...p, parameters: [...p.parameters, { type, value: Uint8Array.of(value) }] }));
const sed =
  (change: (sed: Uint8Array) => void): Edit =>
  (m) =>
    replace(m, "SAKKE", (p) => {
      const copy = p.sed.slice();
      change(copy);
      return { ...p, sed: copy };
    });
const extension =
  (change: (old: Uint8Array) => Uint8Array): Edit =>
  (m) =>
    replace(m, "GENERAL_EXT", (p) => ({ ...p, data: change(p.data) }));

export async function messageGroups(world: VectorWorld): Promise<Group<MessageTest>[]> {
  const { home, away, gms } = world;
  const own = [home.keySet(ALICE)];
  const group = (
    comment: string,
    certificates: readonly (typeof home.certificate)[],
    keySets: typeof own,
    tests: MessageTest[],
  ) => ({
    type: "IMessage",
    comment,
    ...setUp(certificates, keySets),
    tests,
  });
  const plain = (await world.seal("plain")).octets;
  const hidden = (await world.seal("hidden responder", { hideResponder: true })).octets;
  const before = home.keySet(ALICE, NOW - 40 * DAY_MS);
  const old = resigned(hidden, gms, idr(9, before.uid));
  const elsewhere = resigned(plain, gms, idr(7, utf8(AWAY_KMS)));
  const notValid = (changes: object, comment: string) =>
    group(`certificate ${comment}`, [{ ...home.certificate, ...changes }], own, [
      refused("KMS_NOT_VALID", `a certificate that is ${comment}`, plain),
    ]);
  return [
    group("Alice, with the keys of the present period", [home.certificate], own, [
      ...(await valid(world)),
      ...(await structure(world)),
      ...(await values(world)),
      ...(await procedure(world, plain)),
      ...(await keys(world)),
    ]),
    group(
      "a receiver that knows another KMS, which does not key it",
      [home.certificate, away.certificate],
      own,
      [refused("RESPONDER_KMS_NOT_MINE", "the responder is keyed by a KMS that is known", elsewhere)],
    ),
    notValid({ revoked: true }, "revoked"),
    notValid({ validFrom: NOW + 1000 }, "not valid yet"),
    notValid({ validTo: NOW - 1000 }, "not valid any more"),
    group(
      "Bob",
      [home.certificate],
      [home.keySet(BOB)],
      [
        refused("NOT_FOR_ME", "a message for Alice", plain),
        refused("NOT_FOR_ME", "a message for Alice, by her UID", hidden),
      ],
    ),
    group(
      "Alice, with the keys of an earlier period",
      [home.certificate],
      [before],
      [
        refused("NO_KEY_FOR_PERIOD", "no key of the period of T", plain),
        refused("UID_PERIOD_MISMATCH", "the UID is of another period than T", old),
      ],
    ),
    group(
      "a KMS that vouches for another domain",
      [{ ...home.certificate, kmsDomains: ["away.example"] }],
      own,
      [refused("INITIATOR_NOT_OF_KMS", "the GMS is in none of the domains of the certificate", plain)],
    ),
    group(
      "the GMS itself, at another device",
      [home.certificate],
      [home.keySet(GMS)],
      [
        refused(
          "RESPONDER_UNKNOWN",
          "SAKKE to self with a hidden responder",
          (await world.seal("self", { toSelf: true, hideResponder: true })).octets,
        ),
      ],
    ),
  ];
}

async function valid(world: VectorWorld): Promise<MessageTest[]> {
  const parameters = { groups: groupIds([GROUP]), text: "fire brigade" };
  const rows: [string, Partial<SealRequest>, Changes?][] = [
    ["a GMK without content in its parameters", {}],
    ["a GMK with group and text", { parameters }, { expectedGroups: [GROUP] }],
    ["a GMK with expiry", { parameters: { ...parameters, expiry: NOW / 1000 + 86400 } }],
    ["a GMK with a hidden responder", { hideResponder: true }],
    ["a GMK with a hidden initiator, named by the carrier", { hideInitiator: true }, { from: GMS }],
    ["a GMK with SAKKE to self", { toSelf: true }],
    ["a GMK with crypto session and policy", { srtp: { sessions: [{ csId: 4 }], parameters: GMK_PROFILE } }],
    ["a CSK", { kind: "CSK" }, { allow: ["CSK"] }],
    ["a PCK", { kind: "PCK" }, { allow: ["PCK"] }],
    ["a GMK that was drawn before", { key: KEY, rand: new Uint8Array(16) }],
  ];
  const tests: MessageTest[] = [];
  for (const [comment, request, changes] of rows) {
    const { octets } = await world.seal(comment, request);
    tests.push({ comment, msg: toHex(octets), context: contextOf(changes), result: "valid" });
  }
  const revoked = (await world.seal("revoked", { parameters: { revoked: true } })).octets;
  const comment = "a GMK that is revoked";
  const [check] = CHECKS.KEY_REVOKED;
  tests.push({
    comment,
    msg: toHex(revoked),
    context: contextOf(),
    result: "revoked",
    check,
    code: "KEY_REVOKED",
  });
  return tests;
}

async function structure(world: VectorWorld): Promise<MessageTest[]> {
  const srtp = { sessions: [{ csId: 4 }], parameters: GMK_PROFILE };
  const { octets } = await world.seal("structure", { srtp });
  const changed = (at: number, value: number) => {
    const copy = octets.slice();
    copy[at] = value;
    return copy;
  };
  // The HDR of a message with the empty map takes 10 octets, and T is behind it.
  const { octets: plain } = await world.seal("unexpected");
  const unexpected = concat(plain.subarray(0, 10), Uint8Array.of(5, 0, 0, 0), plain.subarray(10));
  unexpected[2] = 12;
  return [
    refused("MESSAGE_TOO_LONG", "longer than the receiver takes", octets, { maxBytes: octets.length - 1 }),
    refused("TRUNCATED", "without its last octet", octets.subarray(0, -1)),
    refused("TRUNCATED", "no octet at all", new Uint8Array(0)),
    refused("TRUNCATED", "only the first octets of HDR", octets.subarray(0, 5)),
    refused("TRAILING_OCTETS", "an octet behind SIGN", concat(octets, Uint8Array.of(0))),
    refused("UNKNOWN_PAYLOAD", "a next payload that there is not", changed(2, 255)),
    refused("UNEXPECTED_PAYLOAD", "an error payload", unexpected),
    ...["T", "RAND", "SAKKE"].map((name) =>
      refused("MISSING_PAYLOAD", `without ${name}`, edited(octets, without(name))),
    ),
    ...[[6], [7], [1, 8], [2, 9]].map((roles) =>
      refused(
        "MISSING_PAYLOAD",
        `without the IDR of role ${roles.join(" or ")}`,
        edited(octets, (m) => {
          m.payloads = m.payloads.filter((p) => p.payload !== "IDR" || !roles.includes(p.role));
        }),
      ),
    ),
    ...["T", "RAND", "SAKKE", "GENERAL_EXT"].map((name) =>
      refused("DUPLICATE_PAYLOAD", `${name} twice`, edited(octets, twice(name))),
    ),
  ];
}

async function values(world: VectorWorld): Promise<MessageTest[]> {
  const srtp = { sessions: [{ csId: 4 }], parameters: GMK_PROFILE };
  const { octets } = await world.seal("values", { srtp });
  const badMap = octets.slice();
  badMap[9] = 3;
  const rows: [CheckCode, string, Edit][] = [
    ["BAD_VERSION", "version 2", hdr({ version: 2 })],
    ["BAD_DATA_TYPE", "data type 27, the response", hdr({ dataType: 27 })],
    ["V_FLAG_SET", "V = 1", hdr({ v: true })],
    ["BAD_PRF", "PRF func 0", hdr({ prf: 0 })],
    ["CS_COUNT_MISMATCH", "a session with the empty map", hdr({ mapType: 1, sessions: [] })],
    ["BAD_CRYPTO_SESSION", "a session that is not SRTP", session({ protType: 1 })],
    ["BAD_CRYPTO_SESSION", "session data of 3 octets", session({ sessionData: new Uint8Array(3) })],
    ["BAD_TIMESTAMP_TYPE", "TS type 1", (m) => replace(m, "T", (p) => ({ ...p, tsType: 1 }))],
    [
      "RAND_TOO_SHORT",
      "RAND of 15 octets",
      (m) => replace(m, "RAND", (p) => ({ ...p, rand: p.rand.slice(1) })),
    ],
    ["BAD_IDENTITY", "a KMS URI without octets", idr(6, new Uint8Array(0))],
    ["BAD_IDENTITY", "an initiator that is not UTF-8", idr(1, Uint8Array.of(0xff))],
    ["BAD_SECURITY_POLICY", "a parameter twice", sp(0, 6)],
    ["BAD_SECURITY_POLICY", "SRTP without encryption", sp(7, 0)],
    ["MISSING_POLICY", "a session that names a policy that is not there", session({ policies: [1] })],
    ["BAD_SAKKE_PARAMS", "parameter set 2", (m) => replace(m, "SAKKE", (p) => ({ ...p, params: 2 }))],
    ["BAD_ID_SCHEME", "ID scheme 1", (m) => replace(m, "SAKKE", (p) => ({ ...p, idScheme: 1 }))],
    [
      "BAD_SED_LENGTH",
      "SAKKE data of 272 octets",
      (m) => replace(m, "SAKKE", (p) => ({ ...p, sed: p.sed.slice(1) })),
    ],
    [
      "BAD_SELF_EXTENSION",
      "an empty extension to self",
      (m) => void m.payloads.push({ payload: "GENERAL_EXT", type: 6, data: new Uint8Array(0) }),
    ],
    [
      "BAD_SED_LENGTH",
      "SAKKE data to self of 289 octets",
      (m) => void m.payloads.push(sakkeToSelf({ ...sakke(new Uint8Array(273)), sed: new Uint8Array(289) })),
    ],
    ["UNDEFINED_PURPOSE_TAG", "purpose tag 7", hdr({ csbId: 0x70000000 })],
  ];
  const sign = octets.length - 131;
  const signature = (type: number, length: number) => {
    const copy = octets.slice();
    copy[sign] = (type << 4) | (length >> 8);
    copy[sign + 1] = length & 255;
    return copy;
  };
  return [
    ...rows.map(([code, comment, edit]) => refused(code, comment, edited(octets, edit))),
    refused("BAD_CS_ID_MAP", "CS ID map type 3", badMap),
    refused("BAD_SIGNATURE_TYPE", "S type 1", signature(1, 129)),
    refused("BAD_SIGNATURE_LENGTH", "a signature of 128 octets", signature(2, 128).subarray(0, -1)),
  ];
}

async function procedure({ gms, stranger, seal }: VectorWorld, plain: Uint8Array): Promise<MessageTest[]> {
  const seen: MessageTest = {
    ...refused("REPLAYED", "the same message again", plain),
    before: [toHex(plain)],
  };
  const late = { now: NOW + 40 * DAY_MS, delivery: "stored" as const };
  const forged = plain.slice();
  forged[forged.length - 1]! ^= 1;
  const hiddenInitiator = (await seal("hidden initiator", { hideInitiator: true })).octets;
  return [
    refused("PURPOSE_NOT_ALLOWED", "a GMK where a CSK is expected", plain, { allow: ["CSK"] }),
    refused("TIME_OUTSIDE_WINDOW", "T more than five minutes ago", plain, { now: NOW + 300_001 }),
    refused("TIME_OUTSIDE_WINDOW", "T more than five minutes ahead", plain, { now: NOW - 300_001 }),
    seen,
    refused("UNKNOWN_INITIATOR_KMS", "a KMS that is not known", resigned(plain, gms, idr(6, utf8(AWAY_KMS)))),
    refused("KEY_PERIOD_NOT_CURRENT", "fetched when the key period is long over", plain, late),
    refused("INITIATOR_NOT_AS_ASSERTED", "the carrier names another initiator", plain, { from: BOB }),
    refused("BAD_SIGNATURE", "the last octet of the signature changed", forged),
    refused(
      "BAD_SIGNATURE",
      "signed by another user",
      resigned(plain, stranger, () => {}),
    ),
    refused("BAD_SIGNATURE", "signed as another user", resigned(plain, gms, idr(1, utf8(BOB)))),
    refused("INITIATOR_NOT_AUTHORISED", "a GMS that may not send keys", plain, { authorised: [BOB] }),
    refused("HIDDEN_INITIATOR_UNKNOWN", "a hidden initiator that nobody names", hiddenInitiator),
    refused("HIDDEN_INITIATOR_MISMATCH", "a hidden initiator that is another", hiddenInitiator, {
      from: BOB,
    }),
  ];
}

async function keys(world: VectorWorld): Promise<MessageTest[]> {
  const { gms, stranger, seal, home } = world;
  const forged = async (name: string, edit: Edit, request: Partial<SealRequest> = {}) =>
    resigned((await seal(name, { key: KEY, ...request })).octets, gms, edit);
  const content = async (name: string, octets: Uint8Array, dppkId?: number) => {
    const { octets: message, csbId } = await seal(name, { key: KEY });
    const data = await protect(KEY, dppkId ?? csbId, octets, { dateTime: 1, iv: new Uint8Array(16) });
    return resigned(
      message,
      gms,
      extension(() => data),
    );
  };
  const defaults = defaultKeyParameters("GMK");
  const clear = encodeKeyParameters({ ...defaults, text: "clear" });
  clear[0] = 1;
  const srtp = { sessions: [{ csId: 4 }], parameters: GMK_PROFILE };
  const spi: Edit = (m) => {
    m.hdr = { ...m.hdr, sessions: m.hdr.sessions.map((s) => ({ ...s, spi: new Uint8Array(8) })) };
  };
  const forBob = home.domain.encryption.encapsulate(home.keySet(BOB).uid, KEY);
  const again = { key: KEY, keyId: 0x0abcdef0, rand: new Uint8Array(16) };
  const sealed = async (name: string, request: Partial<SealRequest> = {}) =>
    (await seal(name, { ...again, ...request })).octets;
  /** T only ever goes on, so that what is sealed first is the older one. */
  const after = async (
    code: CheckCode,
    comment: string,
    make: () => Promise<Uint8Array>,
    first: Partial<SealRequest> = {},
    changes: Changes = {},
  ): Promise<MessageTest> => {
    const before = [toHex(await sealed(`before ${comment}`, first))];
    return { ...refused(code, comment, await make(), changes), before };
  };
  const older = await sealed("older");
  const expiry = (await seal("expired", { parameters: { expiry: NOW / 1000 + 60 } })).octets;
  const groups = async (...uris: string[]) =>
    (await seal(`groups ${uris}`, { parameters: { groups: groupIds(uris) } })).octets;
  const expectedGroups = [GROUP];
  return [
    refused(
      "BAD_SAKKE_POINT",
      "R off the curve",
      await forged(
        "r",
        sed((x) => x.set([x[256]! ^ 1], 256)),
      ),
    ),
    refused(
      "BAD_SAKKE_POINT",
      "R compressed",
      await forged(
        "compressed",
        sed((x) => x.set([2])),
      ),
    ),
    refused(
      "SAKKE_CHECK_FAILED",
      "the hint changed",
      await forged(
        "hint",
        sed((x) => x.set([x[272]! ^ 1], 272)),
      ),
    ),
    refused(
      "SAKKE_CHECK_FAILED",
      "the key is for Bob",
      await forged(
        "bob",
        sed((x) => x.set(forBob)),
      ),
    ),
    refused(
      "KEY_PARAMETERS_MISSING",
      "no key parameters where they are required",
      await forged("bare", without("GENERAL_EXT")),
      { requireParameters: true },
    ),
    refused(
      "BAD_PROTECTED_PAYLOAD",
      "a protected payload without octets",
      await forged(
        "empty",
        extension(() => new Uint8Array(0)),
      ),
    ),
    refused(
      "BAD_PROTECTED_PAYLOAD",
      "AES-256",
      await forged(
        "aes",
        extension((x) => concat(x.slice(0, 11), Uint8Array.of(2), x.slice(12))),
      ),
    ),
    refused(
      "PROTECTION_KEY_MISMATCH",
      "the DPPK-ID of another message",
      await content("dppk", encodeKeyParameters(defaults), 0x01020304),
    ),
    refused(
      "UNPROTECTED_PARAMETERS",
      "parameters in the clear",
      await forged(
        "clear",
        extension(() => clear),
      ),
    ),
    refused(
      "PARAMETERS_NOT_AUTHENTIC",
      "the tag changed",
      await forged(
        "tag",
        extension((x) => concat(x.slice(0, -1), Uint8Array.of(x.at(-1)! ^ 1))),
      ),
    ),
    refused("BAD_KEY_PARAMETERS", "one octet in place of parameters", await content("one", fromHex("00"))),
    refused(
      "BAD_KEY_PARAMETERS",
      "an expiry before the activation",
      await content("backwards", encodeKeyParameters({ ...defaults, activation: 2e9, expiry: 1.9e9 })),
    ),
    refused(
      "KEY_TYPE_MISMATCH",
      "the parameters of a PCK",
      await content("pck", encodeKeyParameters(defaultKeyParameters("PCK"))),
    ),
    refused("SPI_MISMATCH", "an SPI that is not the MKI", await forged("spi", spi, { srtp })),
    refused("KEY_EXPIRED", "a key that has expired", expiry, { now: NOW + 61_000 }),
    await after("KEY_ID_REVOKED", "a GMK-ID that was revoked", () => sealed("revoked"), {
      parameters: { revoked: true },
    }),
    await after(
      "DUPLICATE_KEY_ID",
      "the GMK-ID of another initiator",
      async () => resigned(await sealed("duplicate"), stranger, idr(1, utf8(BOB))),
      {},
      { authorised: [GMS, BOB] },
    ),
    await after("KEY_ID_REUSED", "another key with the GMK-ID", () =>
      sealed("key", { key: new Uint8Array(16).fill(1) }),
    ),
    await after("KEY_ID_REUSED", "another RAND with the GMK-ID", () =>
      sealed("rand", { rand: new Uint8Array(16).fill(1) }),
    ),
    await after("NOT_NEWER", "a T before the last one", async () => older),
    refused("GROUP_IDS_MISSING", "a GMK for no group", await groups(), { expectedGroups }),
    refused("GROUP_NOT_EXPECTED", "a GMK for another group", await groups(OTHER_GROUP), { expectedGroups }),
  ];
}
