/** Documents, bodies and paths of group management (TS 24.481, RFC 4825, RFC 5874), for servers and browsers. */
export {
  type ConferenceInfo,
  type ConferenceUser,
  readConferenceInfo,
  writeConferenceInfo,
} from "./conference-info.ts";
export { type GktpEntry, readGktpDocument, writeGktpDocument } from "./gktp.ts";
export { type ReportedMessage, readGktpReport, writeGktpReport } from "./gktp-report.ts";
export { isGmopGetExcludingMembers, writeGmopRequest } from "./gmop.ts";
export {
  type GroupDocument,
  type GroupEntry,
  type GroupService,
  PROTECTION_ELEMENTS,
  readGroupDocument,
  writeGroupDocument,
} from "./group-document.ts";
export { type KmsRedirectResponse, readKrr, writeKrr } from "./krr.ts";
export { lookAlikeWarnings, spelledOut } from "./look-alike.ts";
export { type Multipart, mediaTypeOf, type Part, readMultipart, writeMultipart } from "./multipart.ts";
export { GKTP_AUID, GROUP_AUID, GROUP_XML_LIMITS, MEDIA } from "./names.ts";
export {
  type NodeSelector,
  parseNodeSelector,
  type SelectedName,
  type SelectorStep,
} from "./node-selector.ts";
export { applyPatches, type GktpPatch } from "./patch.ts";
export {
  gktpGroupPath,
  gktpUserCollection,
  gktpUserPath,
  groupCollection,
  groupDocumentPath,
  parseXcapPath,
  type XcapPath,
} from "./paths.ts";
export { writePocSettings } from "./poc-settings.ts";
export type { RequestBinding } from "./request-binding.ts";
export { readResourceLists, writeResourceLists } from "./resource-lists.ts";
export { type SelectedNode, select } from "./select.ts";
export {
  MCDATA_REQUESTS,
  type McdataInfo,
  type McpttInfo,
  type McvideoInfo,
  readMcdataInfo,
  readMcpttInfo,
  readMcvideoInfo,
  type ServiceInfo,
  writeMcdataInfo,
  writeMcpttInfo,
  writeMcvideoInfo,
} from "./service-info.ts";
export { isServiceId, isUri, URI_BYTES } from "./uri.ts";
export { writeXcapCaps } from "./xcap-caps.ts";
export {
  readXcapDiff,
  writeXcapDiff,
  type XcapDiff,
  type XcapDiffDocument,
  type XcapDiffNode,
} from "./xcap-diff.ts";
export {
  readXcapError,
  writeXcapError,
  type XcapCondition,
  type XcapError,
} from "./xcap-error.ts";
