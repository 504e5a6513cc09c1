/** The keys of the user: whose they are, of which period, and whether they work (TS 33.180 D.2.4, D.3.3). */
import { toHex } from "../../../base/bytes.ts";
import { keyPeriodEnd, keyPeriodStart } from "../../../bindings/identity/key-period.ts";
import { ntpFromUnixMs, ntpSeconds, ntpSecondsToUnixMs } from "../../../bindings/identity/ntp.ts";
import { formatDateTime, type KmsKeySet, withUid } from "../../../documents/kms-xml/index.ts";
import { requireProtected, wipeSecrets } from "../../../roles/identity/check-answer.ts";
import { keyprovPath } from "../../../roles/identity/kms-resource.ts";
import { verifyKeySet } from "../../../roles/identity/take-keys.ts";
import { fail, inconclusive, known, must, notApplicable, type TestCase } from "../case.ts";
import type { KmsPeer } from "./peer.ts";

const HOUR = 3_600_000;

export const KEYPROV_CASES: readonly TestCase<KmsPeer>[] = [
  {
    id: "KMS-020",
    title: "answers keyprov with key sets",
    clause: "D.2.4, D.3.1",
    async run(peer) {
      const { response, wrappedWith } = await peer.open(await peer.post("keyprov"));
      const { message } = response;
      must(message?.type === "keyprov", `the message is ${message?.type ?? "missing"}, and not KmsKeyProv`);
      must(message.keySets.length > 0, "no KmsKeySet in it");
      peer.keySets = message.keySets;
      peer.wrappedWith = wrappedWith;
    },
  },
  {
    id: "KMS-021",
    title: "gives the keys of the user of the token, and of nobody else",
    clause: "5.3.2, D.2.4",
    async run(peer) {
      const { userUri } = peer.options;
      const users = known(peer.keySets, "KMS-020").map((keySet) => keySet.userUri);
      must(users.includes(userUri), `keys of ${users.join(", ")}, and not of ${userUri}`);
      const other = users.find((uri) => uri === peer.options.otherUserUri);
      if (other !== undefined) fail(`keys of ${other} to a token of ${userUri}`);
      const strange = users.filter((uri) => uri !== userUri);
      if (strange.length > 0) inconclusive(`also keys of ${strange.join(", ")}: are they in the token?`);
    },
  },
  {
    id: "KMS-022",
    title: "names itself in the key sets",
    clause: "D.3.3",
    run(peer) {
      for (const { kmsUri } of known(peer.keySets, "KMS-020")) {
        must(kmsUri === peer.kmsUri, `KmsUri of a key set is ${kmsUri}, and not ${peer.kmsUri}`);
      }
    },
  },
  {
    id: "KMS-023",
    title: "has UserIDs that are the UIDs of user, KMS and period",
    clause: "F.2.1, D.3.3",
    run(peer) {
      const domain = known(peer.domain, "KMS-013");
      for (const { userUri, keyPeriodNo, uid } of known(peer.keySets, "KMS-020")) {
        if (uid === undefined) inconclusive("a UserID of 16 octets, which is not that of F.2.1");
        const right = toHex(domain.uid(userUri, keyPeriodNo));
        must(toHex(uid) === right, `UserID of ${userUri} is ${toHex(uid)}, and not ${right}`);
      }
    },
  },
  {
    id: "KMS-024",
    title: "gives keys of the present key period",
    clause: "5.3.6, F.2.1",
    run(peer) {
      const present = presentPeriod(peer);
      const numbers = ownKeySets(peer).map(({ keyPeriodNo }) => keyPeriodNo);
      must(numbers.includes(present), `KeyPeriodNo ${numbers.join(", ")}; the present one is ${present}`);
    },
  },
  {
    id: "KMS-025",
    title: "has a life of the keys that is that of their key period",
    clause: "D.3.3, F.2.1",
    run(peer) {
      const { rule } = known(peer.domain, "KMS-013");
      for (const { keyPeriodNo, validFrom, validTo } of known(peer.keySets, "KMS-020")) {
        const start = ntpSecondsToUnixMs(keyPeriodStart(keyPeriodNo, rule));
        const end = ntpSecondsToUnixMs(keyPeriodEnd(keyPeriodNo, rule));
        if (validFrom !== undefined && validFrom >= end)
          fail(`valid from ${formatDateTime(validFrom)}, after period ${keyPeriodNo}`);
        if (validTo !== undefined && validTo <= start)
          fail(`valid until ${formatDateTime(validTo)}, before period ${keyPeriodNo}`);
      }
    },
  },
  {
    id: "KMS-026",
    title: "gives key sets that are not revoked",
    clause: "D.3.3",
    run(peer) {
      const revoked = ownKeySets(peer).filter((keySet) => keySet.revoked === true);
      must(revoked.length === 0, "a key set is marked as revoked");
    },
  },
  {
    id: "KMS-027",
    title: "gives RSKs, SSKs and PVTs that belong to the UID under Z_T and KPAK",
    clause: "RFC 6508 6.1.2, RFC 6507 5.1.2",
    run(peer) {
      const domain = known(peer.domain, "KMS-013");
      for (const keySet of ownKeySets(peer)) {
        const { userUri, keyPeriodNo } = keySet;
        // The UID of the document is what KMS-023 judges; here the keys are.
        const uid = domain.uid(userUri, keyPeriodNo);
        verifyKeySet({ ...withUid(keySet, domain.certificate), uid }, [domain]);
      }
    },
  },
  {
    id: "KMS-028",
    title: "wraps keys with the TrK",
    clause: "D.2.2, 9.3.4.2",
    run(peer) {
      const { trk } = peer.options.protection;
      if (trk === undefined) notApplicable("no --trk was given");
      known(peer.keySets, "KMS-020");
      must(peer.wrappedWith !== undefined, "the keys came in clear");
    },
  },
  {
    id: "KMS-029",
    title: "signs the answer with keys where the request was signed",
    clause: "D.2.2",
    async run(peer) {
      const signWith = peer.signingKey;
      if (signWith === undefined) notApplicable("no --ink or --trk was given");
      const opened = await peer.open(await peer.post("keyprov"));
      wipeSecrets(opened.response.message);
      requireProtected(opened, peer.options.protection, signWith);
    },
  },
  {
    id: "KMS-030",
    title: "answers keyprov for a URI with the keys of that URI",
    clause: "D.2.4",
    async run(peer) {
      const { userUri } = peer.options;
      for (const { userUri: uri } of await keySetsAt(peer, keyprovPath({ uri: userUri }))) {
        must(uri === userUri, `keys of ${uri}, asked for those of ${userUri}`);
      }
    },
  },
  {
    id: "KMS-031",
    title: "answers keyprov for a URI and a time with the keys of that time",
    clause: "D.2.4",
    async run(peer) {
      const present = presentPeriod(peer);
      const sets = await keySetsAt(peer, keyprovPath({ uri: peer.options.userUri, time: peer.now }));
      for (const { keyPeriodNo } of sets) {
        must(keyPeriodNo === present, `KeyPeriodNo ${keyPeriodNo}, asked for that of ${present}`);
      }
    },
  },
  {
    id: "KMS-032",
    title: "gives the keys of the next key period ahead of it",
    clause: "5.3.6, RFC 6509 3.3",
    async run(peer) {
      const { rule } = known(peer.domain, "KMS-013");
      const next = presentPeriod(peer) + 1;
      const time = ntpSecondsToUnixMs(keyPeriodStart(next, rule)) + HOUR;
      const path = keyprovPath({ uri: peer.options.userUri, time });
      const reply = await peer.post(path);
      if (reply.status !== 200) {
        peer.requireRefused(reply);
        inconclusive("refused: how far ahead keys are given is for the KMS to say");
      }
      for (const { keyPeriodNo } of await keySetsAt(peer, path)) {
        must(keyPeriodNo === next, `KeyPeriodNo ${keyPeriodNo}, asked for that of ${next}`);
      }
    },
  },
  {
    id: "KMS-033",
    title: "gives the same RSK again for the same period",
    clause: "RFC 6508 6.1.1",
    async run(peer) {
      const { userUri } = peer.options;
      const first = new Map(ownKeySets(peer).map(({ keyPeriodNo, rsk }) => [keyPeriodNo, toHex(rsk)]));
      for (const { keyPeriodNo, rsk } of await keySetsAt(peer, keyprovPath({ uri: userUri }))) {
        const before = first.get(keyPeriodNo);
        must(before === undefined || before === toHex(rsk), `another RSK for period ${keyPeriodNo}`);
      }
    },
  },
  {
    id: "KMS-034",
    title: "forbids caches to keep an answer with keys",
    clause: "RFC 9111 5.2.2.5",
    async run(peer) {
      const reply = await peer.post("keyprov");
      const value = reply.header("cache-control") ?? "";
      if (!/\bno-store\b/i.test(value))
        inconclusive("no Cache-Control: no-store, which TS 33.180 does not ask for");
    },
  },
];

/** The key sets of the user, as earlier cases found them. */
function ownKeySets(peer: KmsPeer): readonly KmsKeySet[] {
  const own = known(peer.keySets, "KMS-020").filter(({ userUri }) => userUri === peer.options.userUri);
  return own.length > 0 ? own : inconclusive("no key set of the user came");
}

function presentPeriod(peer: KmsPeer): number {
  return known(peer.domain, "KMS-013").keyPeriodNo(ntpSeconds(ntpFromUnixMs(peer.now)));
}

/** With their secrets wiped but for the comparison of RSKs, which the caller makes at once. */
async function keySetsAt(peer: KmsPeer, path: string): Promise<readonly KmsKeySet[]> {
  const { response } = await peer.open(await peer.post(path));
  const { message } = response;
  must(message?.type === "keyprov", `the message is ${message?.type ?? "missing"}, and not KmsKeyProv`);
  must(message.keySets.length > 0, "no KmsKeySet in it");
  for (const { ssk } of message.keySets) ssk.fill(0);
  return message.keySets;
}
