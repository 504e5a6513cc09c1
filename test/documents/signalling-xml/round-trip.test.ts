/** A body protected and opened again; switches; keys that follow one another. */
import { describe, expect, it } from "vitest";
import { utf8 } from "../../../base/bytes.ts";
import { DeliveredKey } from "../../../bindings/mikey/delivered-key.ts";
import { readMultipart, writeMultipart } from "../../../documents/group-xml/multipart.ts";
import { readMcpttInfo } from "../../../documents/group-xml/service-info.ts";
import {
  openSignalling,
  PROTECT_ALL,
  sealSignalling,
  XmlKey,
} from "../../../documents/signalling-xml/index.ts";
import { parseXml } from "../../../documents/xml/xml-reader.ts";
import { canonicalize } from "../../../documents/xml-signature/canonical.ts";
import { parseNodes } from "../../../documents/xml-signature/node-tree.ts";
import { seededRandom } from "../../support/random.ts";
import {
  ALICE,
  CSK_ID,
  codeOf,
  csk,
  INFO,
  infoPart,
  keysOf,
  LOCATION_TYPE,
  locationPart,
  OTHER_CSK,
  OTHER_CSK_ID,
  SIGNED_TYPE,
  sdpPart,
  textOf,
} from "./fixtures.ts";

const random = seededRandom("round trip");
const NOTHING = { confidentiality: false, integrity: false };
const seal = (parts = [sdpPart, infoPart(), locationPart()], switches = PROTECT_ALL) =>
  sealSignalling(parts, keysOf().sending, { random, switches });

describe("a protected signalling body", () => {
  it("is opened as it was sealed, over the wire", async () => {
    const { contentType, body } = writeMultipart(await seal());
    const opened = await openSignalling(readMultipart(contentType, body), keysOf());
    expect(opened.key).toEqual({ keyId: CSK_ID, userId: ALICE });
    const [sdp, info, location, ...more] = opened.parts;
    expect(more).toEqual([]);
    expect(sdp).toMatchObject({ ...sdpPart, signed: false, encrypted: false });
    expect(info).toMatchObject({ signed: true, encrypted: true });
    expect(info!.body).toEqual(canonicalize(parseNodes(INFO)));
    expect(readMcpttInfo(info!.body)).toEqual({
      accessToken: "eyJ0&<token>",
      requestType: "prearranged",
      requestUri: "sip:group-7@mc.example.org",
      callingUser: ALICE,
    });
    expect(location).toMatchObject({ contentType: LOCATION_TYPE, signed: true, encrypted: false });
  });

  it("has no value in clear, and signatures at its end", async () => {
    const sealed = await seal();
    expect(sealed.map(({ contentType }) => contentType)).toEqual([
      "application/sdp",
      infoPart().contentType,
      LOCATION_TYPE,
      SIGNED_TYPE,
    ]);
    const text = sealed.map(textOf).join();
    for (const secret of ["alice@mc", "group-7", "eyJ0", "mcpttURI", "mcpttBoolean", 'type="Normal"']) {
      expect(text).not.toContain(secret);
    }
    expect(text.match(/type="Encrypted"/g)).toHaveLength(4);
    expect(text).toContain("<session-type>prearranged</session-type>");
    expect(sealed[2]!.contentId).toMatch(/^[0-9a-f]{32}@/);
  });

  it("is sealed differently each time", async () => {
    const cipher = (text: string) => [...text.matchAll(/<xenc:CipherValue>(.{16})/g)].map((m) => m[1]);
    const all = [...cipher(textOf((await seal())[1]!)), ...cipher(textOf((await seal())[1]!))];
    expect(new Set(all).size).toBe(8);
  });

  it("opens in the form of the sender: prefixes and declarations further out", async () => {
    const info = `<m:mcpttinfo xmlns:m="urn:3gpp:ns:mcpttInfo:1.0"><m:mcptt-Params>
      <m:mcptt-client-id type="Normal"><m:mcpttString xml:space="preserve"> a <!-- no -->b </m:mcpttString></m:mcptt-client-id>
      <m:anyExt><v:x xmlns:v="urn:3gpp:ns:mcvideoInfo:1.0" type="Normal"><v:mcvideoURI>sip:v@x</v:mcvideoURI></v:x></m:anyExt>
    </m:mcptt-Params></m:mcpttinfo>`;
    const sealed = await seal([infoPart(info)]);
    expect(textOf(sealed[0]!)).not.toContain("sip:v@x");
    const { parts } = await openSignalling(sealed, keysOf());
    expect(parts[0]!.body).toEqual(canonicalize(parseNodes(info)));
  });
});

describe("the protection switches", () => {
  it.each([
    [true, false],
    [false, true],
    [false, false],
  ])("apply: confidentiality %s, integrity %s", async (confidentiality, integrity) => {
    const switches = { confidentiality, integrity };
    const sealed = await seal([infoPart()], switches);
    expect(sealed.length).toBe(integrity ? 2 : 1);
    expect(textOf(sealed[0]!).includes("Encrypted")).toBe(confidentiality);
    const { parts, key } = await openSignalling(sealed, keysOf(), { switches });
    expect(parts[0]).toMatchObject({ signed: integrity, encrypted: confidentiality });
    expect(parseXml(parts[0]!.body).children[0]!.children[2]!.children[0]!.text).toBe(
      "sip:group-7@mc.example.org",
    );
    expect(key === undefined).toBe(!confidentiality && !integrity);
  });

  it("require that signalling is protected accordingly", async () => {
    const clear = [infoPart()];
    const signed = await seal(clear, { confidentiality: false, integrity: true });
    const encrypted = await seal(clear, { confidentiality: true, integrity: false });
    const code = (parts: typeof clear) => codeOf(() => openSignalling(parts, keysOf()));
    expect(await code(clear)).toBe("verification/XML_SIGNATURE_MISSING");
    expect(await code(encrypted)).toBe("verification/XML_SIGNATURE_MISSING");
    expect(await code(signed)).toBe("verification/XML_ENCRYPTION_MISSING");
    // A value is one without `type` too.
    const untyped = [infoPart(INFO.replaceAll(' type="Normal"', ""))];
    const confidential = { switches: { confidentiality: true, integrity: false } };
    expect(await codeOf(() => openSignalling(untyped, keysOf(), confidential))).toBe(
      "verification/XML_ENCRYPTION_MISSING",
    );
  });

  it("refuse a wrong signature even if they require nothing", async () => {
    const sealed = await seal([infoPart()]);
    const open = (parts: typeof sealed, keys = keysOf()) =>
      openSignalling(parts, keys, { switches: NOTHING });
    const changed = { ...sealed[0]!, body: utf8(textOf(sealed[0]!).replace("prearranged", "private")) };
    expect(await codeOf(() => open([changed, sealed[1]!]))).toBe("verification/XML_SIGNATURE_DIGEST");
    expect(await codeOf(() => openSignalling(sealed, undefined, { switches: NOTHING }))).toBe(
      "verification/XML_SIGNATURE_KEY",
    );
    expect(await codeOf(() => openSignalling([sealed[0]!], undefined, { switches: NOTHING }))).toBe(
      "verification/XML_ENCRYPTION_KEY",
    );
    expect((await open(sealed)).parts[0]).toMatchObject({ signed: true, encrypted: true });
  });

  it("leave out what both ends agree on", async () => {
    const encrypts = ({ local }: { local: string }) => local !== "mcptt-request-uri";
    const sealed = await sealSignalling([infoPart()], keysOf().sending, { random, encrypts });
    expect(textOf(sealed[0]!)).toContain("sip:group-7@mc.example.org");
    expect(await codeOf(() => openSignalling(sealed, keysOf()))).toBe("verification/XML_ENCRYPTION_MISSING");
    const opened = await openSignalling(sealed, keysOf(), { mayBeClear: (element) => !encrypts(element) });
    expect(opened.parts[0]!.encrypted).toBe(true);
    const mixed = [...sealed, locationPart()];
    const opening = {
      mayBeClear: () => true,
      mustBeSigned: ({ contentType = "" }) => contentType !== LOCATION_TYPE,
    };
    expect((await openSignalling(mixed, keysOf(), opening)).parts[1]!.signed).toBe(false);
  });
});

describe("the keys of signalling protection", () => {
  const next = () => csk(OTHER_CSK_ID, OTHER_CSK);

  it("include earlier ones for receiving until the newest is used", async () => {
    const receiving = keysOf();
    const old = await seal([infoPart()]);
    receiving.add(next());
    expect((await openSignalling(old, receiving)).key!.keyId).toBe(CSK_ID);
    expect((await openSignalling(old, receiving)).key!.keyId).toBe(CSK_ID);
    const sending = keysOf(ALICE, csk(), next());
    const fresh = await sealSignalling([infoPart()], sending.sending, { random });
    expect((await openSignalling(fresh, receiving)).key!.keyId).toBe(OTHER_CSK_ID);
    expect(await codeOf(() => openSignalling(old, receiving))).toBe("verification/XML_SIGNATURE_KEY");
    expect((await openSignalling(fresh, receiving)).key!.keyId).toBe(OTHER_CSK_ID);
  });

  it("are not dropped for a refused message", async () => {
    const receiving = keysOf(ALICE, csk(), next());
    const fresh = await sealSignalling([infoPart()], keysOf(ALICE, next()).sending, { random });
    const bad = fresh.map((part) => (part.contentType === SIGNED_TYPE ? part : locationPart()));
    expect(await codeOf(() => openSignalling(bad, receiving))).toMatch(/^verification/);
    expect((await openSignalling(await seal([infoPart()]), receiving)).key!.keyId).toBe(CSK_ID);
  });

  it("must be the same for all parts of a message", async () => {
    const [a, b] = [keysOf().sending, keysOf(ALICE, next()).sending];
    const one = await sealSignalling([infoPart()], a, {
      random,
      switches: { confidentiality: true, integrity: false },
    });
    const both = await sealSignalling(one, b, {
      random,
      switches: { confidentiality: false, integrity: true },
    });
    expect(await codeOf(() => openSignalling(both, keysOf(ALICE, csk(), next())))).toBe(
      "verification/XML_ENCRYPTION_KEY",
    );
  });

  it("cannot be used after destroy()", async () => {
    const ring = keysOf();
    const held = ring.sending!;
    ring.destroy();
    expect(ring.sending).toBeUndefined();
    expect(await codeOf(() => sealSignalling([infoPart()], held))).toBe("usage/DESTROYED");
    const many = keysOf(ALICE, ...[1, 2, 3, 4, 5].map((n) => csk(0x20000000 + n)));
    expect([1, 2, 3, 4, 5].map((n) => many.find(0x20000000 + n) !== undefined)).toEqual([
      false,
      true,
      true,
      true,
      true,
    ]);
  });

  it("are CSK and SPK only, for a user", async () => {
    const of = (kind: "GMK" | "SPK") =>
      new DeliveredKey(new Uint8Array(16), { kind, keyId: 5, ukId: 5, rand: new Uint8Array(16) });
    expect(XmlKey.derive(of("SPK"), ALICE).keyName).toBe("AAAABQ==");
    expect(await codeOf(async () => XmlKey.derive(of("GMK"), ALICE))).toBe("usage/NOT_A_SIGNALLING_KEY");
    expect(await codeOf(async () => XmlKey.derive(csk(), ""))).toBe("usage/BAD_USER_ID");
  });
});

describe("sealing signalling is refused as the sender's mistake:", () => {
  it.each([
    ["no key", [infoPart()], undefined, "usage/NO_SIGNALLING_KEY"],
    [
      "signed already",
      [infoPart(), { contentType: SIGNED_TYPE, body: utf8("<a/>") }],
      csk(),
      "usage/BAD_PART",
    ],
    ["one Content-ID twice", [infoPart(), infoPart()], csk(), "usage/BAD_PART"],
    ["not XML", [infoPart("<a>")], csk(), "codec/XML_NOT_WELL_FORMED"],
    [
      "a value that is none",
      [infoPart(INFO.replace("<mcpttBoolean>true", "<mcpttBoolean>maybe"))],
      csk(),
      "usage/XML_CANNOT_ENCRYPT",
    ],
  ])("%s", async (_, parts, key, code) => {
    const xmlKey = key && XmlKey.derive(key, ALICE);
    expect(await codeOf(() => sealSignalling(parts, xmlKey, { random }))).toBe(code);
  });

  it("content that is encrypted already", async () => {
    const once = (await seal([infoPart()])).slice(0, 1);
    expect(await codeOf(() => seal(once))).toBe("usage/XML_CANNOT_ENCRYPT");
  });
});
