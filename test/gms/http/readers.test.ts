/** An MCX server that may read group documents: who its clients' calls are for, and no key of theirs. */
import { describe, expect, it } from "vitest";
import { gktpGroupPath, groupDocumentPath, readGroupDocument } from "../../../documents/group-xml/index.ts";
import { memberUri } from "../memory-gms.ts";
import { GROUP, GROUP_PATH, keysPath, MALLORY, ROOT, sharedXcapWorld } from "./xcap.ts";

const SERVER = "sip:mcx@home.example";
const world = sharedXcapWorld({ config: { groupReaders: [SERVER] } });

describe("a reader of all groups", () => {
  it("gets the members of a group that they are not in", async () => {
    const { status, body } = await world.it.ask(GROUP_PATH, { as: SERVER });
    expect(status).toBe(200);
    expect(readGroupDocument(body).members).toEqual([{ uri: memberUri(0) }, { uri: memberUri(1) }]);
  });

  it("gets no keys, and changes nothing", async () => {
    expect((await world.it.ask(`${ROOT}/${gktpGroupPath(GROUP)}`, { as: SERVER })).status).toBe(404);
    expect((await world.it.ask(GROUP_PATH, { as: SERVER, method: "DELETE" })).status).toBe(404);
    expect((await world.it.ask(GROUP_PATH, { as: SERVER })).status).toBe(200);
  });

  it("leaves no entry in the audit log when it asks for a group that does not exist", async () => {
    const { logged } = world.it;
    const nowhere = `${ROOT}/${groupDocumentPath("sip:away@home.example")}`;
    const refusedTo = async (who: string) => {
      const before = (await world.it.audit()).length;
      expect((await world.it.ask(nowhere, { as: who })).status).toBe(404);
      const entries = await world.it.audit();
      return entries.length - before;
    };
    logged.length = 0;
    expect(await refusedTo(SERVER)).toBe(0);
    // Every few seconds an MCX server looks for keys of groups that it is in, perhaps of none.
    expect((await world.it.ask(keysPath(SERVER), { as: SERVER })).status).toBe(404);
    expect(logged).toEqual([]);
    expect(await refusedTo(MALLORY)).toBe(1);
    expect(logged).toEqual(["request refused"]);
  });

  it("is a user named in the configuration, and nobody else", async () => {
    expect((await world.it.ask(GROUP_PATH, { as: MALLORY })).status).toBe(404);
    const nowhere = `${ROOT}/${groupDocumentPath("sip:nowhere@home.example")}`;
    expect((await world.it.ask(nowhere, { as: SERVER })).status).toBe(404);
  });
});
