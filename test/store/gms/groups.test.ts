/** Groups, their members and the schedule. */
import { expect, it } from "vitest";
import { onEachDatabase } from "../../support/databases.ts";
import { at, G1, G2, members, NOW, openStore, refused, settings, urisOf } from "./records.ts";

onEachDatabase("groups", ({ fresh }) => {
  it("groups are found, listed in pages and counted", async () => {
    const store = await openStore(await fresh());
    const made = await store.change((tx) => tx.insertGroup(G1, settings(), NOW));
    const { revision } = made;
    expect(revision).toBeGreaterThan(0);
    expect(made).toEqual({
      uri: G1,
      settings: settings(),
      revision,
      createdAt: NOW,
      nextRekeyAt: undefined,
    });
    await store.change((tx) => tx.insertGroup(G2, settings({ rekeyEveryMs: 1000 }), NOW));
    expect(await store.group(G1)).toEqual(made);
    expect(await store.group("sip:none@home.example")).toBeUndefined();
    expect((await store.group(G2))!.nextRekeyAt).toBe(NOW + 1000);
    expect(urisOf(await store.groups({ limit: 1 }))).toEqual([G1]);
    expect(urisOf(await store.groups({ after: G1, limit: 5 }))).toEqual([G2]);
    const changed = await store.change((tx) =>
      tx.updateGroup(G1, { settings: settings({ displayName: "Other" }) }),
    );
    expect(changed.revision).toBeGreaterThan(revision);
    expect(changed).toMatchObject({ settings: { displayName: "Other" } });
    expect(await store.revisions([G1, G2, "sip:none@home.example"])).toEqual(
      new Map([
        [G1, changed.revision],
        [G2, (await store.group(G2))!.revision],
      ]),
    );
    expect(await store.change((tx) => tx.lockGroup(G1))).toEqual(changed);
  });

  it("groups keep their schedule as the settings and the caller say", async () => {
    const store = await openStore(await fresh());
    await store.change((tx) => tx.insertGroup(G1, settings(), NOW));
    const update = async (
      changes: Parameters<Parameters<Parameters<typeof store.change>[0]>[0]["updateGroup"]>[1],
    ) => (await store.change((tx) => tx.updateGroup(G1, changes))).nextRekeyAt;
    expect(await update({ settings: settings({ rekeyEveryMs: 500 }) })).toBe(0);
    expect(await update({ nextRekeyAt: NOW + 7 })).toBe(NOW + 7);
    expect(await update({})).toBe(NOW + 7);
    expect(await update({ nextRekeyAt: null })).toBeUndefined();
    const { revision } = (await store.group(G1))!;
    await store.change((tx) => tx.setNextRekey(G1, NOW + 9));
    expect(await store.group(G1)).toMatchObject({ nextRekeyAt: NOW + 9, revision });
    expect(await update({ settings: settings() })).toBeUndefined();
  });

  it("groups are due once, however many periods have passed, and again after the period", async () => {
    const store = await openStore(await fresh());
    await store.change(async (tx) => {
      await tx.insertGroup(G1, settings({ rekeyEveryMs: 1000 }), NOW);
      await tx.insertGroup(G2, settings(), NOW);
    });
    expect(await at(NOW + 999, store).claimDueGroups(10)).toEqual([]);
    const due = await at(NOW + 3500, store).claimDueGroups(10);
    expect(due).toMatchObject([{ uri: G1, nextRekeyAt: NOW + 4000 }]);
    expect(await at(NOW + 3500, store).claimDueGroups(10)).toEqual([]);
    const gaveUp = at(NOW + 4000, store).change(async (tx) => {
      expect(await tx.claimDueGroups(10)).toHaveLength(1);
      throw new Error("the rekey failed");
    });
    await expect(gaveUp).rejects.toThrow("the rekey failed");
    expect(await at(NOW + 4000, store).claimDueGroups(10)).toHaveLength(1);
  });

  it("groups hold members, who may be in several groups", async () => {
    const store = await openStore(await fresh());
    const [a, b, c, d] = members(4) as [never, never, never, never];
    await store.change(async (tx) => {
      for (const uri of [G1, G2]) await tx.insertGroup(uri, settings(), NOW);
      await tx.insertMembers(G1, [c, a, b], NOW);
      await tx.insertMembers(G2, [b, d], NOW);
      expect(await tx.members([G1, G2])).toEqual([a, b, c, d]);
    });
    expect(await store.members(G1, { limit: 2 })).toEqual([a, b]);
    const [{ uri: second }, { uri: last }] = [b, d] as [{ uri: string }, { uri: string }];
    expect(await store.members(G1, { after: second, limit: 2 })).toEqual([c]);
    expect(urisOf(await store.groupsOf(second))).toEqual([G1, G2]);
    expect(urisOf(await store.groupsOf(last))).toEqual([G2]);
    expect(await store.isMember(G1, second)).toEqual(b);
    expect(await store.isMember(G1, last)).toBeUndefined();
    await store.change((tx) => tx.setKms(second, "kms.other.example"));
    for (const uri of [G1, G2]) {
      expect(await store.isMember(uri, second)).toMatchObject({ kmsUri: "kms.other.example" });
    }
    expect(await store.change((tx) => tx.deleteMembers(G1, [second, last]))).toBe(1);
    expect(await store.members(G1, { limit: 9 })).toEqual([a, c]);
    expect(await store.counts()).toEqual({ groups: 2, members: 4, runningRekeys: 0, backlog: 0 });
  });

  it("groups are deleted with their members", async () => {
    const store = await openStore(await fresh());
    await store.change(async (tx) => {
      await tx.insertGroup(G1, settings(), NOW);
      await tx.insertMembers(G1, members(3), NOW);
      await tx.deleteGroup(G1);
    });
    expect(await store.group(G1)).toBeUndefined();
    expect(await store.counts()).toMatchObject({ groups: 0, members: 0 });
  });

  it("groups that do not fit are refused as a whole", async () => {
    const store = await openStore(await fresh());
    await store.change((tx) => tx.insertGroup(G1, settings(), NOW));
    const change = (work: Parameters<typeof store.change>[0]) => refused(store.change(work));
    expect(await change((tx) => tx.insertGroup(G1, settings(), NOW))).toBe("GROUP_EXISTS");
    for (const uri of ["", "x".repeat(2001), "é".repeat(1001), "sip:a\0b", "sip:\ud800"]) {
      expect(await change((tx) => tx.insertGroup(uri, settings(), NOW))).toBe("BAD_GROUP");
      expect(await change((tx) => tx.insertMembers(G1, [{ ...members(1)[0]!, uri }], NOW))).toBe(
        "BAD_MEMBER",
      );
    }
    expect(await change((tx) => tx.insertGroup(G2, settings({ rekeyEveryMs: 0 }), NOW))).toBe("BAD_GROUP");
    expect(await change((tx) => tx.insertGroup(G2, settings(), Number.NaN))).toBe("BAD_TIME");
    expect(await change((tx) => tx.updateGroup(G2, {}))).toBe("GROUP_UNKNOWN");
    expect(await change((tx) => tx.deleteGroup(G2))).toBe("GROUP_UNKNOWN");
    expect(await change((tx) => tx.insertMembers(G2, members(1), NOW))).toBe("GROUP_UNKNOWN");
    const twice = [...members(1), ...members(1)];
    expect(await change((tx) => tx.insertMembers(G1, twice, NOW))).toBe("DUPLICATE_MEMBER");
    const odd = [{ ...members(1)[0]!, kind: "robot" as never }];
    expect(await change((tx) => tx.insertMembers(G1, odd, NOW))).toBe("BAD_MEMBER");
    await store.change((tx) => tx.insertMembers(G1, members(1), NOW));
    expect(await change((tx) => tx.insertMembers(G1, members(3), NOW))).toBe("MEMBER_EXISTS");
    expect(await store.members(G1, { limit: 9 })).toHaveLength(1);
    for (const limit of [0, -1, 1.5, 1e9]) expect(await refused(store.groups({ limit }))).toBe("BAD_LIMIT");
  });
});
