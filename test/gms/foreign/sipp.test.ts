/** SIPp as members: it subscribes to its keys over UDP and TCP, takes a key, refuses the next one, and leaves. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { runSipp, SIPP } from "../../sip/support/sipp.ts";
import { describeWith } from "../../support/foreign.ts";
import { memberUri, newMembers } from "../memory-gms.ts";
import { GROUP, OPERATOR, type RunningGms, startGms } from "./running-gms.ts";

const MEMBERS = 10;
const SCENARIO = new URL("sipp/member.xml", import.meta.url);

describeWith("SIPp", SIPP, "SIPp as members of a group", () => {
  let running: RunningGms;
  beforeAll(async () => {
    running = await startGms();
  });
  afterAll(() => running?.close());

  it.each([
    ["UDP", "u1"],
    ["TCP", "t1"],
  ] as const)("gets a key over %s, refuses the next, and the GMS knows both", async (name, mode) => {
    const { admin } = running.gms;
    const groupUri = `${GROUP}-${name}`;
    const first = name === "UDP" ? 0 : MEMBERS;
    const uris = newMembers(MEMBERS, first).map(({ uri }) => uri);
    const created = await admin.createGroup(OPERATOR, { uri: groupUri, members: newMembers(MEMBERS, first) });
    await running.sealed(groupUri);
    const fields = await Promise.all(
      uris.map(async (uri) => [uri, encodeURIComponent(uri), await running.token(uri)]),
    );
    const port = name === "UDP" ? running.udp : running.tcp;
    const ended = runSipp(SCENARIO, { mode, port, calls: MEMBERS, fields });
    const countOf = async (id: number, state: "acknowledged" | "refused") =>
      (await admin.rekeyStatus(id)).counts[state];
    await expect
      .poll(() => countOf(created.rekeys[0]!.id, "acknowledged"), { timeout: 20_000 })
      .toBe(MEMBERS);
    const next = await admin.rekey(OPERATOR, groupUri);
    expect(await ended).toEqual({ code: 0, errors: "", log: [] });
    await expect.poll(() => countOf(next.id, "refused")).toBe(MEMBERS);
    const [refused] = await admin.deliveries(next.id, { limit: 1 });
    expect(refused).toMatchObject({ memberUri: memberUri(first), state: "refused", status: 488 });
    expect(refused!.reason).toContain("136 authentication of the MIKEY-SAKKE I_MESSAGE failed");
  });
});
