/** The OpenAPI document of the KMS's admin API says what the server does. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toBase64 } from "../../base/bytes.ts";
import { writeKmsCertificate } from "../../documents/kms-xml/index.ts";
import { ANSWERS } from "../../roles/kms/admin/answers.ts";
import { BODIES, type BodyOf, type Operation } from "../../roles/kms/admin/wire.ts";
import { errorSchema } from "../../roles/server/openapi.ts";
import { AnswerCheck, expectWhole, type OpenApi, operationsOf } from "../support/openapi.ts";
import { ALICE, PERIOD, World } from "./running-kms.ts";

const TOKEN = "operator's token";
const OPERATIONS = Object.keys(BODIES) as Operation[];
let world: World;
let url: string;
let document: OpenApi;

beforeAll(async () => {
  world = await World.create({}, { adminToken: TOKEN });
  ({ adminUrl: url } = await world.kms.listen());
  document = (await (await fetch(`${url}/admin/v1/openapi.json`)).json()) as OpenApi;
});
afterAll(() => world.close());

const post = (operation: string, body: object, token = TOKEN) =>
  fetch(`${url}/admin/v1/${operation}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });

describe("the OpenAPI document of the KMS", () => {
  it("is whole, and has the operations of the server and no other", () => {
    expectWhole(document);
    expect(operationsOf(document).map(({ method, path }) => `${method} ${path}`)).toEqual(
      OPERATIONS.map((operation) => `post /admin/v1/${operation}`),
    );
  });

  it("has the shapes of the answers of all operations, and of refusals", async () => {
    const schemas = {
      ...Object.fromEntries(OPERATIONS.map((operation) => [`${operation}Answer`, ANSWERS[operation]])),
      Error: errorSchema,
    };
    const answers = new AnswerCheck(document, schemas);
    const ask = async <O extends Operation>(operation: O, body: BodyOf<O>) =>
      answers.check(`/admin/v1/${operation}`, "POST", await post(operation, body));
    const own = (await world.kms.admin.masters())[0]!.certificate;
    const partner = { ...own, kmsUri: "kms.partner.example", certUri: "partner:1" };
    await ask("enrol", { uris: [ALICE] });
    await ask("user", { uri: ALICE });
    await ask("user", { uri: "sip:nobody@example.org" });
    await ask("newTransportKeys", { userUri: ALICE, kinds: ["TrK", "InK"] });
    await ask("transportKeys", { userUri: ALICE });
    await ask("issue", { users: [ALICE], keySets: true });
    await ask("issue", { users: ["sip:nobody@example.org"], keySets: false });
    await ask("masters", {});
    await ask("putCertificate", { document: writeKmsCertificate(partner), kind: "migration" });
    await ask("certificates", {});
    await ask("revokeCertificate", { certUri: "partner:1" });
    await ask("removeCertificate", { kmsUri: partner.kmsUri });
    await ask("removeCertificate", { kmsUri: partner.kmsUri });
    await ask("revokeUser", { uri: ALICE, reason: "lost" });
    await ask("users", { limit: 9 });
    await ask("reinstateUser", { uri: ALICE });
    await ask("purgeIssuedBefore", { periodNo: PERIOD });
    await ask("rotateMaster", {});
    await ask("masters", {});
    await ask("rotateStoreKey", { key: toBase64(new Uint8Array(32).fill(7)) });
    await ask("auditLog", { limit: 1000 });
    await ask("users", { limit: -1 } as never);
    await answers.check("/admin/v1/users", "POST", await post("users", { limit: 1 }, "wrong"));
    expect([...answers.covered].sort()).toEqual([...OPERATIONS].sort());
  });
});
