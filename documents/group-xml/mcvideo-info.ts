/** The mcvideo-info body of a request (TS 24.281 F.1). */
import { MCVIDEO_INFO_NAMESPACE } from "./names.ts";
import { type InfoNames, readServiceInfo, type ServiceInfo, writeServiceInfo } from "./service-info.ts";

export type McvideoInfo = ServiceInfo;

const NAMES: InfoNames = {
  service: "mcvideo",
  namespace: MCVIDEO_INFO_NAMESPACE,
  requestType: "session-type",
};

export function writeMcvideoInfo(info: McvideoInfo): string {
  return writeServiceInfo(NAMES, info);
}

/** @throws {MikeySakkeError} codec: as `readGktpDocument`; `MCVIDEO_INFO_ENCRYPTED` for what is encrypted under a CSK */
export function readMcvideoInfo(document: string | Uint8Array): McvideoInfo {
  return readServiceInfo(NAMES, document);
}
