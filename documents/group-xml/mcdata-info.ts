/** The mcdata-info body of a request (TS 24.282 D.1). */
import { MCDATA_INFO_NAMESPACE } from "./names.ts";
import { type InfoNames, readServiceInfo, type ServiceInfo, writeServiceInfo } from "./service-info.ts";

export type McdataInfo = ServiceInfo;

/** Values of `request-type`. NOTIFY is ours: what the standard calls notifications of a disposition was not read (D-188). */
export const MCDATA_REQUESTS = {
  GROUP_SDS: "group-sds",
  GROUP_FD: "group-fd",
  ONE_TO_ONE_FD: "one-to-one-fd",
  NOTIFY: "notify",
} as const;

const NAMES: InfoNames = {
  service: "mcdata",
  namespace: MCDATA_INFO_NAMESPACE,
  requestType: "request-type",
};

export function writeMcdataInfo(info: McdataInfo): string {
  return writeServiceInfo(NAMES, info);
}

/** @throws {MikeySakkeError} codec: as `readGktpDocument`; `MCDATA_INFO_ENCRYPTED` for what is encrypted under a CSK */
export function readMcdataInfo(document: string | Uint8Array): McdataInfo {
  return readServiceInfo(NAMES, document);
}
