/** The mcptt-info body of a request (TS 24.379 F.1). */
import { MCPTT_INFO_NAMESPACE } from "./names.ts";
import { type InfoNames, readServiceInfo, type ServiceInfo, writeServiceInfo } from "./service-info.ts";

export type McpttInfo = ServiceInfo;

const NAMES: InfoNames = {
  service: "mcptt",
  namespace: MCPTT_INFO_NAMESPACE,
  requestType: "session-type",
};

export function writeMcpttInfo(info: McpttInfo): string {
  return writeServiceInfo(NAMES, info);
}

/** @throws {MikeySakkeError} codec: as `readGktpDocument`; `MCPTT_INFO_ENCRYPTED` for what is encrypted under a CSK */
export function readMcpttInfo(document: string | Uint8Array): McpttInfo {
  return readServiceInfo(NAMES, document);
}
