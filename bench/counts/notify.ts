/** Octets that a GMS writes for the NOTIFY with a new key, on a network in memory. */

import { newMembers } from "../../test/gms/memory-gms.ts";
import { ADMIN, GROUP, Setup } from "../../test/gms/sip/support/gms.ts";

const MEMBERS = 3;

/** Octets of one NOTIFY with one message, head and body. */
export async function countNotifyOctets(): Promise<number> {
  const setup = await Setup.create();
  try {
    const { admin } = setup.gms.context;
    await admin.createGroup(ADMIN, { uri: GROUP, members: newMembers(MEMBERS) });
    for (let i = 0; i < MEMBERS; i++) (await setup.member(i)).subscribe();
    await setup.until(() => setup.members.every(({ messages }) => messages.size === 1), "the first key");
    const before = setup.network.seen.length;
    const { id } = await admin.rekey(ADMIN, GROUP);
    const isAnswered = async () => (await setup.states(id)).every((state) => state === "acknowledged");
    await setup.until(isAnswered, "all answers");
    const notifies = setup.network.seen.slice(before).filter(({ text }) => text.startsWith("NOTIFY "));
    if (notifies.length !== MEMBERS) throw new Error(`${notifies.length} NOTIFYs, not ${MEMBERS}`);
    return Math.max(...notifies.map(({ bytes }) => bytes.length));
  } finally {
    await setup.close();
  }
}
