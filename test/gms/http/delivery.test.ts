/** Tests what fetching and reporting do to the state of a delivery. */

import { createHash } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { fromHex } from "../../../base/bytes.ts";
import { MEDIA, readXcapError, writeGktpReport } from "../../../documents/group-xml/index.ts";
import { operator } from "../../../roles/gms/common/caller.ts";
import type { DeliveryRecord } from "../../../store/gms/records.ts";
import { newMembers, sealAll } from "../memory-gms.ts";
import { ALICE, BOB, type Got, keysPath, MALLORY, ROOT, sharedXcapWorld } from "./xcap.ts";

const world = sharedXcapWorld();
const [OTHER, OTHER_PATH] = [
  "sip:water@home.example",
  `${ROOT}/org.3gpp.MCPTT-GKTP/global/byGroupID/sip%3Awater%40home.example`,
];
let rekey: number;

/** Each test has a rekey of its own, of another group with the same members. */
beforeEach(async () => {
  const { admin } = world.it.core.context;
  if ((await admin.group(OTHER)) === undefined) {
    await admin.createGroup(operator("operator"), { uri: OTHER, members: newMembers(2) });
  } else {
    await admin.rekey(operator("operator"), OTHER);
  }
  await sealAll(world.it.core);
  rekey = (await admin.rekeys({ groupUri: OTHER, limit: 1 }))[0]!.id;
});

async function deliveryOf(uri: string): Promise<DeliveryRecord> {
  const all = await world.it.core.context.admin.deliveries(rekey, { limit: 10 });
  return all.find(({ memberUri }) => memberUri === uri)!;
}

const digest = (hex: string) => createHash("sha256").update(fromHex(hex, "message")).digest("hex");
async function digestOf(uri: string): Promise<string> {
  const records = await world.it.world.store.gktpOf(uri, OTHER);
  return createHash("sha256")
    .update(records.find((r) => r.rekey === rekey)!.octets)
    .digest("hex");
}

function report(
  as: string,
  messages: Parameters<typeof writeGktpReport>[0],
  path = keysPath(as),
): Promise<Got> {
  return world.it.ask(path, { as, method: "POST", type: MEDIA.gktpReport, body: writeGktpReport(messages) });
}

describe("fetching keys over HTTP", () => {
  it("marks sent messages as delivered, of this member only, and records it once", async () => {
    expect((await deliveryOf(ALICE)).state).toBe("sealed");
    const before = (await world.it.audit()).length;
    await world.it.ask(keysPath(ALICE));
    await world.it.ask(keysPath(ALICE));
    expect((await deliveryOf(ALICE)).state).toBe("delivered");
    expect((await deliveryOf(BOB)).state).toBe("sealed");
    const entries = (await world.it.audit()).slice(before);
    expect(entries).toMatchObject([
      {
        actor: ALICE,
        action: "gktp-get",
        outcome: "ok",
        detail: { rekeys: expect.arrayContaining([rekey]) },
      },
    ]);
  });

  it("marks nothing where no message is sent", async () => {
    const { headers } = await world.it.ask(keysPath(ALICE), { method: "HEAD" });
    await world.it.ask(keysPath(ALICE), { headers: { "if-none-match": headers.etag! } });
    await world.it.ask(`${keysPath(ALICE)}/~~/GKTPs/GMK-GKTPs/GKTP%5b1%5d/@id`);
    await world.it.ask(`${ROOT}/org.3gpp.MCPTT-GKTP/users/${encodeURIComponent(ALICE)}/`);
    expect((await deliveryOf(ALICE)).state).toBe("sealed");
  });

  it("marks a message that is fetched as a part, and not the others", async () => {
    const [first] = (await world.it.world.store.gktpOf(ALICE)).filter((r) => r.rekey !== rekey);
    expect(first).toBeDefined();
    await world.it.ask(`${keysPath(ALICE)}/~~/GKTPs/GMK-GKTPs/GKTP%5b1%5d`);
    expect((await deliveryOf(ALICE)).state).toBe("sealed");
    await world.it.ask(`${keysPath(ALICE)}/~~/GKTPs/GMK-GKTPs/GKTP%5b2%5d`);
    expect((await deliveryOf(ALICE)).state).toBe("delivered");
  });
});

describe("a report on fetched keys", () => {
  it("makes a delivery acknowledged or refused, with the reason", async () => {
    const warning = "136 authentication of the MIKEY-SAKKE I_MESSAGE failed";
    const stored = await report(ALICE, [{ sha256: await digestOf(ALICE), result: "stored" }]);
    expect(stored).toMatchObject({ status: 204, body: "" });
    const failed = await report(
      BOB,
      [{ sha256: await digestOf(BOB), result: "failed", warning }],
      OTHER_PATH,
    );
    expect(failed.status).toBe(204);
    expect((await deliveryOf(ALICE)).state).toBe("acknowledged");
    expect(await deliveryOf(BOB)).toMatchObject({ state: "refused", reason: warning });
    expect((await world.it.core.context.admin.rekeyStatus(rekey)).state).toBe("done");
    expect((await world.it.audit()).at(-1)).toMatchObject({ action: "gktp-report", detail: { failed: 1 } });
  });

  it("may be repeated, and a later fetch takes nothing back", async () => {
    const messages = [{ sha256: await digestOf(ALICE), result: "stored" as const }];
    expect((await report(ALICE, messages)).status).toBe(204);
    expect((await report(ALICE, messages)).status).toBe(204);
    await world.it.ask(keysPath(ALICE));
    expect((await deliveryOf(ALICE)).state).toBe("acknowledged");
  });

  it("that says nothing new is answered and not recorded", async () => {
    const sha256 = await digestOf(ALICE);
    const failed = { sha256, result: "failed" as const };
    const stored = { sha256, result: "stored" as const };
    const before = (await world.it.audit()).length;
    for (const messages of [[failed, failed], [failed], [stored], [stored, stored], [failed]]) {
      expect((await report(ALICE, messages)).status).toBe(204);
    }
    expect((await deliveryOf(ALICE)).state).toBe("acknowledged");
    expect((await world.it.audit()).slice(before)).toMatchObject([
      { action: "gktp-report", detail: { rekeys: [rekey], failed: 1 } },
      { action: "gktp-report", detail: { rekeys: [rekey], failed: 0 } },
    ]);
  });

  it("without messages, or with two results of one, is a conflict", async () => {
    const sha256 = await digestOf(ALICE);
    expect((await report(ALICE, [])).status).toBe(409);
    const both = [
      { sha256, result: "stored" as const },
      { sha256, result: "failed" as const },
    ];
    const got = await report(ALICE, both);
    expect([got.status, readXcapError(got.body).condition]).toEqual([409, "uniqueness-failure"]);
    expect((await deliveryOf(ALICE)).state).toBe("sealed");
  });

  it("of a message that is not in the document changes nothing, not even for the others in it", async () => {
    const got = await report(ALICE, [
      { sha256: await digestOf(ALICE), result: "stored" },
      { sha256: await digestOf(BOB), result: "stored" },
    ]);
    expect(got.status).toBe(409);
    expect(readXcapError(got.body).condition).toBe("constraint-failure");
    for (const uri of [ALICE, BOB]) expect((await deliveryOf(uri)).state).toBe("sealed");
  });

  it("of a message that another rekey removed from the document is a conflict", async () => {
    const sha256 = await digestOf(ALICE);
    await world.it.core.context.admin.rekey(operator("operator"), OTHER);
    expect((await report(ALICE, [{ sha256, result: "stored" }])).status).toBe(409);
  });

  it("covers the member's own messages only", async () => {
    const messages = [{ sha256: await digestOf(ALICE), result: "failed" as const }];
    expect((await report(BOB, messages, keysPath(ALICE))).status).toBe(403);
    expect((await report(MALLORY, messages, OTHER_PATH)).status).toBe(404);
    expect((await deliveryOf(ALICE)).state).toBe("sealed");
  });

  it.each([
    ["not-well-formed", "<report"],
    ["schema-validation-error", '<other xmlns="urn:mikey-sakke:gktp-report:1.0"/>'],
    [
      "schema-validation-error",
      '<report xmlns="urn:mikey-sakke:gktp-report:1.0"><message sha256="00" result="stored"/></report>',
    ],
    ["not-utf-8", new Uint8Array([0x3c, 0xff, 0xfe])],
    ["not-well-formed", '<!DOCTYPE x><report xmlns="urn:mikey-sakke:gktp-report:1.0"/>'],
  ])("that is malformed is answered %s", async (condition, body) => {
    const got = await world.it.ask(keysPath(ALICE), { method: "POST", type: MEDIA.gktpReport, body });
    expect(got).toMatchObject({ status: 409, headers: { "content-type": MEDIA.xcapError } });
    expect(readXcapError(got.body).condition).toBe(condition);
  });

  it("needs its own media type", async () => {
    const body = writeGktpReport([{ sha256: digest("00"), result: "stored" }]);
    for (const type of [undefined, "application/xml", MEDIA.gmop]) {
      const asked = { method: "POST", body, ...(type && { type }) };
      expect((await world.it.ask(keysPath(ALICE), asked)).status, type).toBe(415);
    }
    const type = `${MEDIA.gktpReport.toUpperCase()}; charset=utf-8`;
    expect((await world.it.ask(keysPath(ALICE), { method: "POST", body, type })).status).toBe(409);
  });
});
