/** An operator's work, done on the store. Each change is written into the audit log. */
import { wipe } from "../../../base/bytes.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import { type RandomSource, systemRandom } from "../../../base/random.ts";
import type { Core } from "../../../bindings/core/core.ts";
import { keyPeriodNo } from "../../../bindings/identity/key-period.ts";
import { ntpFromUnixMs, ntpSeconds } from "../../../bindings/identity/ntp.ts";
import { isServiceId } from "../../../documents/group-xml/index.ts";
import type { Envelope, KmsStore, MasterRecord, TransportKeyKind } from "../../../store/index.ts";
import { DEFAULT_ACTOR } from "../../server/actor.ts";
import { drawTransportKey } from "../common/transport-keys.ts";
import { issueAll, type KeyIssuer, rotateMaster } from "../issue/index.ts";
import type { KmsAdmin, NewTransportKey, TransportKeySummary } from "./admin.ts";

export interface KmsAdminDeps {
  readonly store: KmsStore;
  /** Asked for when keys or masters are made, so that listing users needs no core. */
  readonly maker: () => Promise<{ readonly core: Core; readonly issuer: KeyIssuer }>;
  /** Without it `rotateStoreKey` throws a usage error NO_ENVELOPE. */
  readonly envelope?: Envelope;
  readonly now: () => number;
  readonly random?: RandomSource;
  /** Actor in the audit log. `DEFAULT_ACTOR` when absent. */
  readonly actor?: string;
}

export function createKmsAdmin(deps: KmsAdminDeps): KmsAdmin {
  const { store, maker, envelope, now, random = systemRandom, actor = DEFAULT_ACTOR } = deps;

  function audit(
    action: string,
    facts: { userUri?: string; periodNo?: number; detail?: Record<string, unknown> } = {},
  ) {
    return store.audit({ at: now(), actor, action, outcome: "ok", ...facts });
  }

  return {
    as: (name) => createKmsAdmin({ ...deps, actor: name }),

    async enrol(uris) {
      const bad = uris.find((uri) => !isServiceId(uri));
      if (bad !== undefined) {
        const text = `"${bad}" is no URI of an MC service: it must begin with sip:, sips: or tel:`;
        throw new MikeySakkeError("usage", "BAD_USER", text);
      }
      const added = await store.enrol(uris, now());
      await audit(
        "user-enrol",
        uris.length === 1 ? { userUri: uris[0]! } : { detail: { users: uris.length, added } },
      );
      return added;
    },
    user: (uri) => store.user(uri),
    users: (query) => store.users(query),
    async revokeUser(userUri, reason) {
      await store.revokeUser(userUri, reason, now());
      await audit("user-revoke", { userUri, detail: { reason } });
    },
    async reinstateUser(userUri) {
      await store.reinstateUser(userUri);
      await audit("user-reinstate", { userUri });
    },

    masters: () => store.masters(),
    async rotateMaster(options = {}) {
      const { core, issuer } = await maker();
      const master = await rotateMaster(store, { core, random, now: now(), actor, ...options });
      await issuer.refresh();
      await audit("master-rotate", {
        periodNo: master.fromPeriod,
        detail: { certUri: master.certificate.certUri },
      });
      return master;
    },
    async revokeCertificate(certUri) {
      await store.revokeCertificate(certUri);
      await (await maker()).issuer.refresh();
      await audit("certificate-revoke", { detail: { certUri } });
    },
    certificates: () => store.certificates(),
    async putCertificate(certificate, kind) {
      const own = (await store.masters())[0]?.certificate.kmsUri;
      if (certificate.kmsUri === own) {
        throw new MikeySakkeError(
          "usage",
          "OWN_CERTIFICATE",
          `${own}: this KMS makes its certificates itself`,
        );
      }
      // Whatever the document says: to this KMS's users it is that of another domain (D.3.2).
      await store.putOtherCertificate({ ...certificate, role: "External" }, kind);
      await audit("certificate-put", { detail: { kmsUri: certificate.kmsUri, kind } });
    },
    async removeCertificate(kmsUri) {
      await store.removeOtherCertificate(kmsUri);
      await audit("certificate-remove", { detail: { kmsUri } });
    },

    async transportKeys(userUri) {
      return (await store.transportKeys(userUri)).map(({ key, ...summary }) => {
        wipe(key);
        return summary satisfies TransportKeySummary;
      });
    },
    async newTransportKeys(userUri, { kinds, replace = false }) {
      await store.enrol([userUri], now());
      return replace ? replaceKeys(userUri, kinds) : addKeys(userUri, kinds);
    },

    async issue({ periodNo: wanted, ...options } = {}) {
      const { issuer } = await maker();
      const periodNo = wanted ?? presentPeriod(await store.masters(), now());
      const { done, revoked } = await issueAll(store, issuer, { periodNo, ...options });
      await audit("issue-all", { periodNo, detail: { users: done, revoked: revoked.length } });
      return { periodNo, issued: done };
    },
    async purgeIssuedBefore(periodNo) {
      const purged = await store.purgeIssuedBefore(periodNo);
      await audit("purge", { periodNo, detail: { purged } });
      return purged;
    },
    auditLog: (query) => store.auditLog(query),
    async rotateStoreKey(key) {
      if (envelope === undefined) {
        throw new MikeySakkeError("usage", "NO_ENVELOPE", "the store key cannot be changed from here");
      }
      await envelope.rotate(key);
      await audit("store-key-rotate");
    },
  };

  async function addKeys(userUri: string, kinds: readonly TransportKeyKind[]): Promise<NewTransportKey[]> {
    const present = await store.transportKeys(userUri);
    for (const { key } of present) wipe(key);
    const made: NewTransportKey[] = [];
    for (const kind of new Set(kinds)) {
      const first = present.every((key) => key.kind !== kind || key.state !== "active");
      const key = drawTransportKey(random, userUri, kind, first ? "active" : "pending", now());
      await store.addTransportKey(key);
      made.push(key);
      await auditKey(key);
    }
    return made;
  }

  async function replaceKeys(
    userUri: string,
    kinds: readonly TransportKeyKind[],
  ): Promise<NewTransportKey[]> {
    const draw = (kind: TransportKeyKind) => drawTransportKey(random, userUri, kind, "active", now());
    const made = [...new Set(kinds)].map(draw);
    await store.replaceTransportKeys(userUri, made);
    for (const key of made) await auditKey(key);
    return made;
  }

  function auditKey({ userUri, id, kind, state }: NewTransportKey) {
    return audit("transport-key", { userUri, detail: { keyId: id, kind, state } });
  }
}

function presentPeriod(masters: readonly MasterRecord[], now: number): number {
  const rule = masters.at(-1)?.certificate;
  if (rule === undefined) throw new MikeySakkeError("usage", "NO_MASTER", "the KMS has no master yet");
  const seconds = ntpSeconds(ntpFromUnixMs(now));
  return keyPeriodNo(seconds, { period: rule.userKeyPeriod, offset: rule.userKeyOffset });
}
