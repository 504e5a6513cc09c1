/** KMS Redirect Responses in the answer to a NOTIFY (TS 33.180 5.2.8): the message again, for another KMS. */
import { afterEach, describe, expect, it } from "vitest";
import { utf8 } from "../../../base/bytes.ts";
import { MEDIA, writeKrr } from "../../../documents/group-xml/index.ts";
import type { Answer } from "../../../transport/sip/index.ts";
import { AWAY_KMS, HOME_KMS, memberUri, newMembers } from "../memory-gms.ts";
import { ADMIN, GROUP, Setup } from "./support/gms.ts";
import { refuse, WARNING_TEXT } from "./support/member.ts";

let setup: Setup;
afterEach(() => setup.close());

const redirect = (...proposedKmsUris: string[]): Answer => ({
  ...refuse(488),
  contentType: MEDIA.krr,
  body: utf8(writeKrr({ proposedKmsUris })),
});

async function group(permitted: readonly string[]): Promise<number> {
  setup = await Setup.create({ permitted });
  const { rekeys } = await setup.gms.context.admin.createGroup(ADMIN, { uri: GROUP, members: newMembers(1) });
  return rekeys[0]!.id;
}

const rekeys = () => setup.world.store.rekeys({ groupUri: GROUP, limit: 100 });
const last = async (rekey: number) => (await setup.deliveries(rekey))[0]!;

describe("a KMS Redirect Response", () => {
  it("makes the GMS seal the message again for a KMS that the Home KMS permits", async () => {
    const first = await group([AWAY_KMS]);
    const member = await setup.member(0);
    let opened: unknown;
    member.reply = async ({ added }) => {
      for (const { octets } of added) {
        opened = await setup.world.open(octets, 0, { kmsUri: AWAY_KMS }).catch(() => undefined);
        if (opened === undefined) return redirect("kms.nobody.example", AWAY_KMS);
      }
      return { status: 200 };
    };
    member.subscribe();
    await setup.until(async () => (await rekeys()).length === 2 && (await rekeys())[0]!.state === "done");
    const [again] = await rekeys();
    expect(again).toMatchObject({ cause: "KMS redirect 1", total: 1, counts: { acknowledged: 1 } });
    expect(opened).toBeDefined();
    expect(await last(first)).toMatchObject({ state: "refused", reason: expect.stringContaining(AWAY_KMS) });
    expect((await setup.world.store.isMember(GROUP, memberUri(0)))?.kmsUri).toBe(AWAY_KMS);
  });

  it.each([
    ["that proposes nothing that is permitted", [AWAY_KMS], "kms.nobody.example"],
    ["that proposes what the member has", [HOME_KMS], HOME_KMS],
  ])("%s is a refusal", async (_, permitted, proposed) => {
    const rekey = await group(permitted);
    const member = await setup.member(0);
    member.reply = ({ added }) => (added.length > 0 ? redirect(proposed) : { status: 200 });
    member.subscribe();
    await setup.until(async () => (await last(rekey))?.state === "refused");
    expect((await last(rekey)).reason).toBe(`${WARNING_TEXT}; no KMS of the KMS redirect is permitted`);
    expect(await rekeys()).toHaveLength(1);
    expect((await setup.world.store.isMember(GROUP, memberUri(0)))?.kmsUri).toBe(HOME_KMS);
  });

  it("that cannot be read counts as the refusal that it came with", async () => {
    const rekey = await group([AWAY_KMS]);
    const member = await setup.member(0);
    member.reply = () => ({ ...redirect(AWAY_KMS), body: utf8("<a") });
    member.subscribe();
    await setup.until(async () => (await last(rekey))?.state === "refused");
    expect((await last(rekey)).reason).toBe(WARNING_TEXT);
  });

  it("is not followed for ever", async () => {
    await group([AWAY_KMS, HOME_KMS]);
    const member = await setup.member(0);
    member.reply = ({ added }) => (added.length > 0 ? redirect(AWAY_KMS, HOME_KMS) : { status: 200 });
    member.subscribe();
    await setup.until(
      async () => (await rekeys()).length === 4 && (await rekeys()).every((r) => r.state === "done"),
    );
    await setup.pass(5000);
    const all = await rekeys();
    expect(all.map(({ cause }) => cause)).toEqual([
      "KMS redirect 3",
      "KMS redirect 2",
      "KMS redirect 1",
      "group created",
    ]);
    expect((await last(all[0]!.id)).reason).toContain("3 KMS redirects came to nothing");
  });

  it("while the Home KMS is unreachable counts as a refusal that says so", async () => {
    const rekey = await group([AWAY_KMS]);
    const keys = setup.gms.context.keys as { redirect: unknown };
    keys.redirect = () => Promise.reject(new TypeError("fetch failed"));
    const member = await setup.member(0);
    member.reply = ({ added }) => (added.length > 0 ? redirect(AWAY_KMS) : { status: 200 });
    member.subscribe();
    await setup.until(async () => (await last(rekey))?.state === "refused");
    expect((await last(rekey)).reason).toBe(`${WARNING_TEXT}; KMS redirect failed: internal error`);
  });
});
