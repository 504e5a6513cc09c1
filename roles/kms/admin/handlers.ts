/** The handlers of the admin API: what each operation does with its body. */
import { fromBase64, wipe } from "../../../base/bytes.ts";
import { defined } from "../../../base/defined.ts";
import { writeKmsCertificate } from "../../../documents/kms-xml/index.ts";
import type { KmsAdmin, RotateOptions } from "./admin.ts";
import {
  type BodyOf,
  fromWireCertificate,
  type Operation,
  toWireMaster,
  toWireTransportKey,
} from "./wire.ts";

type Plain = Exclude<Operation, "issue">;
export type Handlers = { readonly [O in Plain]: (body: BodyOf<O>) => Promise<unknown> };

export function handlersOf(admin: KmsAdmin): Handlers {
  return {
    enrol: ({ uris }) => admin.enrol(uris),
    user: async ({ uri }) => (await admin.user(uri)) ?? null,
    users: ({ after, limit, notIssued }) => admin.users({ limit, ...defined({ after, notIssued }) }),
    revokeUser: ({ uri, reason }) => admin.revokeUser(uri, reason),
    reinstateUser: ({ uri }) => admin.reinstateUser(uri),
    masters: async () => (await admin.masters()).map(toWireMaster),
    rotateMaster: async (body) => toWireMaster(await admin.rotateMaster(defined(body) as RotateOptions)),
    revokeCertificate: ({ certUri }) => admin.revokeCertificate(certUri),
    async certificates() {
      const { cacheNum, own, others } = await admin.certificates();
      return {
        cacheNum,
        own: own.map(writeKmsCertificate),
        others: others.map(({ certificate, kind }) => ({
          certificate: writeKmsCertificate(certificate),
          kind,
        })),
      };
    },
    putCertificate: ({ document, kind }) => admin.putCertificate(fromWireCertificate(document), kind),
    removeCertificate: ({ kmsUri }) => admin.removeCertificate(kmsUri),
    transportKeys: ({ userUri }) => admin.transportKeys(userUri),
    async newTransportKeys({ userUri, kinds, replace = false }) {
      const keys = await admin.newTransportKeys(userUri, { kinds, replace });
      const wire = keys.map(toWireTransportKey);
      for (const { key } of keys) wipe(key);
      return wire;
    },
    purgeIssuedBefore: ({ periodNo }) => admin.purgeIssuedBefore(periodNo),
    auditLog: ({ after, limit, userUri }) =>
      admin.auditLog({
        limit,
        ...defined({ after, userUri }),
      }),
    async rotateStoreKey({ key: text }) {
      const key = fromBase64(text, "store key");
      try {
        await admin.rotateStoreKey(key);
      } finally {
        wipe(key);
      }
    },
  };
}
