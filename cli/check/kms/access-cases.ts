/** Cases on access to keys: tokens, and whose keys they open (TS 33.180 5.3.2, B.4, B.10). */
import { keyprovPath } from "../../../roles/identity/kms-resource.ts";
import { notApplicable, type TestCase } from "../case.ts";
import { forged } from "../tokens.ts";
import type { KmsPeer } from "./peer.ts";

export const ACCESS_CASES: readonly TestCase<KmsPeer>[] = [
  {
    id: "KMS-050",
    title: "refuses a request without a token",
    clause: "5.3.2",
    run: async (peer) => peer.requireRefused(await peer.post("keyprov", { token: null })),
  },
  {
    id: "KMS-051",
    title: "refuses a forged token",
    clause: "B.10, RFC 6750 3.1",
    async run(peer) {
      const token = forged(await peer.options.tokens.valid());
      peer.requireRefused(await peer.post("keyprov", { token }));
    },
  },
  {
    id: "KMS-052",
    title: "refuses a token that has expired",
    clause: "B.10, RFC 6750 3.1",
    async run(peer) {
      const { expired } = peer.options.tokens;
      if (expired === undefined) notApplicable("no --expired-token-file was given");
      peer.requireRefused(await peer.post("keyprov", { token: await expired() }));
    },
  },
  {
    id: "KMS-053",
    title: "refuses a token without the scope of key management",
    clause: "B.4.2.2, B.10",
    async run(peer) {
      const { wrongScope } = peer.options.tokens;
      if (wrongScope === undefined) notApplicable("no --wrong-scope-token-file was given");
      peer.requireRefused(await peer.post("keyprov", { token: await wrongScope() }));
    },
  },
  {
    id: "KMS-054",
    title: "refuses a token in the URL",
    clause: "RFC 6750 5.3",
    async run(peer) {
      const secret = await peer.options.tokens.valid();
      const path = `keyprov?access_token=${encodeURIComponent(secret)}`;
      peer.requireRefused(await peer.post(path, { token: null, about: "the token is in the URL", secret }));
    },
  },
  {
    id: "KMS-055",
    title: "refuses a request whose UserUri is not that of the token",
    clause: "D.2.2",
    async run(peer) {
      const { otherUserUri } = peer.options;
      peer.requireRefused(await peer.post("keyprov", { request: { userUri: otherUserUri } }));
    },
  },
  {
    id: "KMS-056",
    title: "refuses the keys of another user",
    clause: "5.3.2, D.2.4",
    async run(peer) {
      peer.requireRefused(await peer.post(keyprovPath({ uri: peer.options.otherUserUri })));
    },
  },
];
