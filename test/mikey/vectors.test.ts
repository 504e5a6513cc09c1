/** The vectors that are published at the root of the package: this code against them, and how they are made. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../base/bytes.ts";
import { CHECKS, type CheckCode } from "../../base/checks.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { type Core, load } from "../../bindings/core/core.ts";
import { deriveSrtpMaster } from "../../bindings/identity/kdf.ts";
import { KmsDomain } from "../../bindings/identity/kms-domain.ts";
import { deriveSession } from "../../bindings/media/session-keys.ts";
import { certificatesOf, keySetsOf, readKmsDocument, withUid } from "../../documents/kms-xml/index.ts";
import { verifyKeySet } from "../../roles/identity/take-keys.ts";
import type { DocumentTest, MessageTest, VectorFile } from "../../tools/vectors/form.ts";
import { allVectors } from "../../tools/vectors/index.ts";
import type { MediaTest } from "../../tools/vectors/media-keys.ts";
import { openVector, receiverOf } from "../../tools/vectors/open-vector.ts";
import { matches, type Schema } from "../support/json-schema.ts";

const textOf = (name: string) => readFileSync(new URL(`../../vectors/${name}`, import.meta.url), "utf8");
const fileOf = <T>(name: string) => JSON.parse(textOf(name)) as VectorFile<T>;

const messages = fileOf<MessageTest>("i-messages.json");
const documents = fileOf<DocumentTest>("kms-documents.json");
const media = fileOf<MediaTest>("media-keys.json");

let core: Core;
beforeAll(async () => {
  core = await load();
});

/** Check and code of what is thrown. */
async function refusalOf(step: () => unknown): Promise<{ check?: number | undefined; code: string }> {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof MikeySakkeError)) throw error;
    return { check: error.check, code: error.code };
  }
  return { code: "nothing was refused" };
}

describe("the I_MESSAGEs in vectors/", () => {
  it.each(messages.testGroups.map((group) => [group.comment, group] as const))(
    "give the stated results: %s",
    async (_, group) => {
      const receiver = receiverOf(core, group);
      for (const test of group.tests) {
        const { tcId, result, check, code, expected } = test;
        if (result === "invalid") {
          const refused = await refusalOf(() => openVector(receiver, test));
          expect({ tcId, ...refused }).toEqual({ tcId, check, code });
        } else {
          expect({ tcId, ...(await openVector(receiver, test)) }).toEqual({ tcId, ...expected });
        }
      }
      receiver.destroy();
    },
  );

  it("cover every check of a receiver", () => {
    const tested = new Set(messages.testGroups.flatMap(({ tests }) => tests.map(({ code }) => code)));
    const missing = (Object.keys(CHECKS) as CheckCode[]).filter(
      (code) => CHECKS[code][0] < 70 && !tested.has(code),
    );
    // Refused only where a receiver is configured to.
    expect(missing).toEqual(["SP_WITH_EMPTY_MAP"]);
  });
});

describe("the KMS documents in vectors/", () => {
  it.each(documents.testGroups.map((group) => [group.type, group] as const))(
    "give the stated results: %s",
    async (_, group) => {
      const certificates = (group.certificates ?? []) as string[];
      const domains = certificates.flatMap((xml) =>
        certificatesOf(readKmsDocument(xml)).map((certificate) => KmsDomain.load(core, certificate)),
      );
      for (const { tcId, document, result, check, code, expected } of group.tests) {
        const read = () => {
          const parsed = readKmsDocument(document);
          const [certificate] = certificatesOf(parsed);
          if (certificate !== undefined) {
            KmsDomain.load(core, certificate).destroy();
            return { kmsUri: certificate.kmsUri, period: certificate.userKeyPeriod };
          }
          const keySet = keySetsOf(parsed)[0]!;
          const domain = domains.find(({ kmsUri }) => kmsUri === keySet.kmsUri) ?? domains[0]!;
          const full = withUid(keySet, domain.certificate);
          verifyKeySet(full, domains);
          return { userUri: full.userUri, keyPeriodNo: full.keyPeriodNo, uid: toHex(full.uid) };
        };
        if (result === "valid") expect({ tcId, ...read() }).toEqual({ tcId, ...expected });
        else expect({ tcId, ...(await refusalOf(read)) }).toEqual({ tcId, check, code });
      }
    },
  );
});

it("the media keys in vectors/ are those that the library derives", async () => {
  for (const { key, csId, csbId, rand, expected } of media.testGroups[0]!.tests) {
    const input = { tgk: fromHex(key), csId, csbId: Number.parseInt(csbId, 16), rand: fromHex(rand) };
    const master = deriveSrtpMaster(input);
    expect(toHex(master.key) + toHex(master.salt)).toBe(expected.masterKey! + expected.masterSalt!);
    expect(toHex(await deriveSession(master, 0, 16))).toBe(expected.srtpKey);
    expect(toHex(await deriveSession(master, 5, 12))).toBe(expected.srtcpSalt);
  }
});

describe("the files in vectors/", () => {
  it("are those that the generator makes, octet by octet, and small", async () => {
    const made = await allVectors();
    let size = 0;
    for (const [name, text] of made) {
      expect(textOf(name) === text, `${name}: npm run vectors`).toBe(true);
      size += text.length;
    }
    expect(size).toBeLessThan(300_000);
  });

  it("conform to the schema", () => {
    const schema = JSON.parse(textOf("vectors.schema.json")) as Schema;
    for (const file of [messages, documents, media]) expect(matches(file, schema, schema)).toEqual([]);
    const broken = { ...media, numberOfTests: "five" };
    expect(matches(broken, schema, schema)).toEqual(["/numberOfTests: not of type integer"]);
  });
});
