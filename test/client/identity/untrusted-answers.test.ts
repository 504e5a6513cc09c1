/** A KMS that lies, and a wire that somebody sits on: nothing is stored that does not fit. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { KmsClient, KmsTrust } from "../../../roles/identity/index.ts";
import { ALICE, BOB, KMS_URI, NOW, ORIGIN, PERIOD, World } from "../../kms/running-kms.ts";
import { codeOf, type Device, makeDevice, periodsOf } from "./device.ts";

let world: World;
let device: Device;
beforeAll(async () => {
  world = await World.create();
});
afterAll(() => world?.close());
beforeEach(async () => {
  device = await makeDevice(world);
});

/** Changes the text of answers to requests of a type. */
function change(type: string, edit: (body: string) => string): void {
  device.wire.onAnswer = (answer, path) => {
    if (!path.includes(`/${type}`)) return answer;
    const body = edit(answer.body);
    expect(body, "the change has no effect").not.toBe(answer.body);
    return { ...answer, body };
  };
}

async function expectNothingStored(code: string): Promise<void> {
  expect(await codeOf(device.provisioner.provision())).toBe(code);
  expect(await periodsOf(device)).toEqual([]);
}

describe("an answer of the KMS", () => {
  it.each([
    ["from another KMS", "init", /<KmsUri>.*?</, "<KmsUri>kms.evil.example<", "KMS_ANSWER_KMS"],
    ["for another user", "init", /<UserUri>.*?</, `<UserUri>${BOB}<`, "KMS_ANSWER_USER"],
    ["to another request", "init", /v1\/init</, "v1/keyprov<", "KMS_ANSWER_URL"],
    ["of another time", "init", /<Time>2026/, "<Time>2025", "KMS_ANSWER_TIME"],
    ["of another type", "init", /KmsInit\b/g, "KmsLookup", "KMS_ANSWER_TYPE"],
    ["without a message", "init", /<KmsMessage>.*<\/KmsMessage>/s, "", "KMS_ANSWER_TYPE"],
    ["that is no XML", "init", /^.*$/s, "hello", "XML_MALFORMED"],
    ["with a document type", "init", /^/, '<!DOCTYPE a [<!ENTITY b "c">]>', "XML_DTD"],
  ])("%s is refused", async (_, type, from, to, code) => {
    change(type, (body) => (code === "XML_DTD" ? body.replace(/^<\?xml.*?\?>/, "") : body).replace(from, to));
    const found = await codeOf(device.provisioner.provision());
    expect(found.startsWith("XML_") ? found.slice(0, 4) : found).toBe(
      code.startsWith("XML_") ? "XML_" : code,
    );
    expect(await periodsOf(device)).toEqual([]);
    expect(await device.store.certificates()).toEqual([]);
  });

  it("with keys of another identity than requested is refused", async () => {
    // The KMS gives Alice the keys of Bob, in Alice's envelope.
    const bob = await makeDevice(world, { userUri: BOB });
    await bob.client.keyprov();
    const keySets = /<KmsKeyProv.*<\/KmsKeyProv>/s.exec(bob.wire.exchanges[0]!.answer)![0];
    change("keyprov", (body) => body.replace(/<KmsKeyProv.*<\/KmsKeyProv>/s, keySets));
    await expectNothingStored("KMS_ANSWER_USER");
  });

  it("with keys of another identity under the requested name is refused", async () => {
    const bob = await makeDevice(world, { userUri: BOB });
    await bob.client.keyprov();
    const keySets = /<KmsKeyProv.*<\/KmsKeyProv>/s.exec(bob.wire.exchanges[0]!.answer)![0];
    const renamed = keySets.replaceAll(BOB, ALICE);
    change("keyprov", (body) => body.replace(/<KmsKeyProv.*<\/KmsKeyProv>/s, renamed));
    await expectNothingStored("KEY_SET_UID_MISMATCH");
    const withoutUid = renamed.replace(/<UserID>.*?</g, `<UserID>${"0".repeat(32)}<`);
    change("keyprov", (body) => body.replace(/<KmsKeyProv.*<\/KmsKeyProv>/s, withoutUid));
    await expectNothingStored("RSK_INVALID");
  });

  it("with the next period's keys in place of the present ones is refused", async () => {
    change("keyprov", (body) =>
      body
        .replaceAll(`<KeyPeriodNo>${PERIOD}<`, "<KeyPeriodNo>0<")
        .replaceAll(`<KeyPeriodNo>${PERIOD + 1}<`, `<KeyPeriodNo>${PERIOD}<`),
    );
    await expectNothingStored("KMS_ANSWER_PERIOD");
    change("keyprov", (body) =>
      body
        .replace(/<Valid(From|To)>.*?<\/Valid(From|To)>/g, "")
        .replaceAll(`<KeyPeriodNo>${PERIOD + 1}<`, "<KeyPeriodNo>0<"),
    );
    expect(await codeOf(device.provisioner.provision())).toBe("none");
    expect(await periodsOf(device)).toEqual([PERIOD]);
  });

  it("with keys of a distant period only counts as an answer without keys", async () => {
    change("keyprov", (body) => body.replace(/<KeyPeriodNo>\d+</g, "<KeyPeriodNo>5000<"));
    await expectNothingStored("KMS_KEYS_MISSING");
  });

  it("with one bad key brings none, of neither period", async () => {
    const swap = (body: string) => {
      const [one, two] = [...body.matchAll(/<UserSigningKeySSK[^>]*>([^<]*)</g)].map(([, hex]) => hex!);
      return body.replace(one!, "SWAP").replace(two!, one!).replace("SWAP", two!);
    };
    change("keyprov", swap);
    await expectNothingStored("SSK_INVALID");
  });

  it("with an ended or revoked certificate is refused", async () => {
    const invalid = (element: string) => (body: string) =>
      body.replace("<UserIdFormat>", `${element}<UserIdFormat>`);
    change("init", (body) => invalid("<Revoked>true</Revoked>")(body));
    await expectNothingStored("KMS_CERTIFICATE_NOT_VALID");
    change("init", (body) =>
      invalid("<ValidTo>2026-01-01T00:00:00Z</ValidTo>")(body.replace(/<ValidTo>.*?<\/ValidTo>/, "")),
    );
    await expectNothingStored("KMS_CERTIFICATE_NOT_VALID");
  });

  it("with a certificate whose public key is no point is refused", async () => {
    change("init", (body) => body.replace(/(<PubAuthKey>04)../, "$1ff"));
    await expectNothingStored("BAD_PUBLIC_AUTHENTICATION_KEY");
  });

  it("that is too large is cut off", async () => {
    const small = await makeDevice(world, { client: { maxAnswerBytes: 1000 } });
    expect(await codeOf(small.client.init())).toBe("KMS_ANSWER_TOO_LARGE");
  });
});

describe("the URL of the KMS", () => {
  const options = {
    userUri: ALICE,
    fetch: () => Promise.reject(new Error("not to be called")),
    token: async () => "t",
    now: () => NOW,
  };

  it.each([
    "http://kms.example.org",
    "ftp://kms.example.org",
    "kms.example.org",
    "https://a@kms.example.org",
  ])("is refused: %s", (url) => {
    expect(() => new KmsClient({ ...options, url })).toThrow(expect.objectContaining({ kind: "usage" }));
  });

  it.each(["http://127.0.0.1:8443", "http://localhost", "http://[::1]:1", "https://kms.example.org/"])(
    "is accepted: %s",
    (url) => {
      expect(new KmsClient({ ...options, url }).userUri).toBe(ALICE);
    },
  );

  it("is used without following redirects", async () => {
    device.wire.onAnswer = () => ({
      status: 307,
      body: "",
      headers: { location: "https://kms.evil.example" },
    });
    expect(await codeOf(device.client.init())).toBe("KMS_REDIRECT");
  });

  it("behind a proxy gives the proxy's status and Retry-After", async () => {
    device.wire.onAnswer = () => ({
      status: 503,
      body: "<html>down</html>",
      headers: { "retry-after": "7" },
    });
    await expect(device.client.init()).rejects.toMatchObject({
      code: "KMS_REFUSED",
      status: 503,
      retryAfter: 7000,
      authentic: false,
    });
  });

  it("is waited for within a time limit", async () => {
    const slow = await makeDevice(world, {
      client: {
        timeoutMs: 20,
        fetch: (_, { signal }) =>
          new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
      },
    });
    expect(await codeOf(slow.client.init())).toBe("KMS_TIMEOUT");
    const stop = new AbortController();
    const stopped = slow.client.init({ signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(stopped).rejects.toThrow("enough");
  });

  it("and its errors never carry the token or keys", async () => {
    change("keyprov", (body) => body.replace(/(<UserDecryptKey[^>]*>)04/, "$105"));
    const error = await device.provisioner.provision().catch((e: Error) => e);
    const text = `${(error as Error).message} ${(error as Error).stack} ${JSON.stringify(error)}`;
    expect(text).not.toMatch(/[0-9a-f]{64}/i);
    expect(text).not.toContain(await world.token(ALICE));
  });
});

describe("a KMS that is not permitted", () => {
  it("gets no request", async () => {
    const trust = new KmsTrust({ home: "kms.other.example", external: [KMS_URI] });
    const attempt = makeDevice(world, { trust });
    await expect(attempt).rejects.toMatchObject({ code: "KMS_NOT_TRUSTED" });
  });

  it("is recognised when a URL leads to a KmsUri other than the configured one", async () => {
    const { client } = await makeDevice(world, {
      trust: new KmsTrust({ home: "kms.home.example" }),
      client: { kmsUri: "kms.home.example", url: ORIGIN },
    });
    await expect(client.init()).rejects.toMatchObject({ code: "KMS_REFUSED", errorCode: 40004 });
  });
});
