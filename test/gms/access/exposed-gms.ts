/** A GMS with one group, and users who request other users' keys. */
import { toHex } from "../../../base/bytes.ts";
import { GROUP, HOST, OPERATOR, type RunningGms, startGms } from "../foreign/running-gms.ts";
import { memberUri, newMembers } from "../memory-gms.ts";

export const [ALICE, BOB] = [memberUri(0), memberUri(1)];
/** A user who has a good token, but is in no group. */
export const MALLORY = "sip:mallory@home.example";

export interface AccessWorld extends RunningGms {
  /** Texts that may not leave the GMS: messages of members as hexadecimal digits, and the GMK itself. */
  readonly secrets: readonly string[];
  /** Audit entries that say "refused", since the last look. */
  refused(): Promise<readonly { readonly action: string; readonly code?: string; readonly actor: string }[]>;
  /** Sum of the samples of a metric whose labels fit. */
  metric(name: string, labels?: RegExp): Promise<number>;
}

export async function accessWorld(): Promise<AccessWorld> {
  const running = await startGms({
    config: {
      limits: { bodyBytes: 4096, requestTimeout: 1 },
      sip: { host: HOST, udpPort: 0, tcpPort: 0 },
    },
  });
  const { admin, store } = running.gms.context;
  await admin.createGroup(OPERATOR, { uri: GROUP, members: newMembers(2) });
  await running.sealed();
  const secrets: string[] = [];
  for (const uri of [ALICE, BOB]) {
    for (const { octets } of await store.gktpOf(uri)) {
      secrets.push(toHex(octets).toUpperCase());
      const opened = await running.world.open(octets, uri);
      if (opened.outcome === "accepted") secrets.push(toHex(opened.key.reveal()).toUpperCase());
    }
  }
  let seen = 0;
  return {
    ...running,
    secrets,
    async refused() {
      const entries = await admin.auditLog({ after: seen, limit: 1000 });
      seen = entries.at(-1)?.id ?? seen;
      return entries.filter(({ outcome }) => outcome === "refused");
    },
    async metric(name, labels = /^/) {
      const text = await (await fetch(`${running.adminUrl}/metrics`)).text();
      return text
        .split("\n")
        .filter((line) => line.startsWith(name) && labels.test(line))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
    },
  };
}
