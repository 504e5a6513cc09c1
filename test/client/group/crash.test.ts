/** The process dies at a write: what is on the disk then is whole, and the rest comes again. */
import { beforeAll, describe, expect, it } from "vitest";
import {
  BreakingStorage,
  Device,
  GROUP,
  type GroupWorld,
  makeGroupWorld,
  OTHER_GROUP,
  summary,
} from "./device.ts";

let world: GroupWorld;
/** A key, its renewal, another key of the group, a shared one, the first one revoked. */
let messages: Uint8Array[];
let expected: readonly string[];

beforeAll(async () => {
  world = await makeGroupWorld();
  const first = await world.seal();
  const renewal = await world.seal({ ...first.gmk, parameters: { text: "renewed" } });
  const second = await world.seal();
  const shared = await world.seal({ groups: [GROUP, OTHER_GROUP] });
  const revocation = await world.seal({ ...first.gmk, parameters: { revoked: true } });
  messages = [first, renewal, second, shared, revocation].map(({ octets }) => octets);
  const whole = await Device.create(world);
  for (const octets of messages) await whole.take(octets);
  expected = picture(whole);
});

/** Everything that a user of the ring can see. */
function picture({ ring }: Device): string[] {
  return ring.keys().map(({ gmkId, state, text, groups, key }) => {
    const secret = key === undefined ? "none" : Buffer.from(key.reveal()).toString("hex");
    return `${gmkId} ${state} ${text} ${groups.join()} ${secret}`;
  });
}

describe.each([true, false])("a ring whose writes break off, partial write kept: %s", (writes) => {
  const writeAndEnd = [1, 2, 3, 4, 5].flatMap(
    (n) =>
      [
        [n, true],
        [n, false],
      ] as const,
  );
  it.each(writeAndEnd)("survives write %i failing, when the process then ends: %s", async (n, restarts) => {
    const disk = new BreakingStorage();
    disk.writes = writes;
    const device = await Device.create(world, disk);
    disk.breakAt = disk.puts + n;
    const outcomes: string[] = [];
    for (const octets of messages) {
      const before = picture(device);
      const outcome = summary(await device.take(octets));
      outcomes.push(outcome);
      if (outcome !== "failed") continue;
      expect(picture(device)).toEqual(before);
      break;
    }
    expect(outcomes.at(-1)).toBe("failed");
    expect(outcomes).toHaveLength(n);
    disk.breakAt = Number.POSITIVE_INFINITY;
    if (restarts) await device.restart();
    // No GMK-ID is known without its key.
    for (const { state, key } of device.ring.keys()) expect(key === undefined).toBe(state === "revoked");
    // The GMS had no answer to the n-th, and sends it again with the rest.
    for (const octets of messages.slice(n - 1)) {
      expect(["stored", "known", "revoked"]).toContain(summary(await device.take(octets)));
    }
    expect(picture(device)).toEqual(expected);
  });

  it.each([1, 2])("survives write %i failing while a group is left", async (n) => {
    const disk = new BreakingStorage();
    disk.writes = writes;
    const device = await Device.create(world, disk);
    for (const octets of messages) await device.take(octets);
    disk.puts = 0;
    disk.breakAt = disk.puts + n;
    await expect(device.ring.leave(GROUP)).rejects.toThrow("the disk is gone");
    disk.breakAt = Number.POSITIVE_INFINITY;
    await device.restart();
    await device.ring.leave(GROUP);
    expect(device.ring.keys(GROUP).filter(({ key }) => key !== undefined)).toEqual([]);
    expect(device.ring.groups()).toEqual([OTHER_GROUP]);
  });
});
