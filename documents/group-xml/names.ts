/** Namespaces, media types and application usages of group management, and how much is read of its documents. */
import type { XmlLimits } from "../xml/xml-reader.ts";

/** Group documents (TS 24.481 7.2). */
export const GROUP_NAMESPACE = "urn:oma:xml:poc:list-service";
export const GROUP_INFO_NAMESPACE = "urn:3gpp:ns:mcpttGroupInfo:1.0";
/** `supported-services` of a group document. */
export const XDM_EXTENSIONS_NAMESPACE = "urn:oma:xml:xdm:extensions";
/** Group key transport payloads (TS 24.481 7.7). */
export const GKTP_NAMESPACE = "urn:3gpp:ns:mcpttGKTP:1.0";
/** Group management operations (TS 24.481 6.3.14). */
export const GMOP_NAMESPACE = "urn:3gpp:ns:mcpttGMOP:1.0";
export const MCPTT_INFO_NAMESPACE = "urn:3gpp:ns:mcpttInfo:1.0";
export const MCVIDEO_INFO_NAMESPACE = "urn:3gpp:ns:mcvideoInfo:1.0";
export const MCDATA_INFO_NAMESPACE = "urn:3gpp:ns:mcdataInfo:1.0";
export const XCAP_DIFF_NAMESPACE = "urn:ietf:params:xml:ns:xcap-diff";
export const XCAP_ERROR_NAMESPACE = "urn:ietf:params:xml:ns:xcap-error";
export const XCAP_CAPS_NAMESPACE = "urn:ietf:params:xml:ns:xcap-caps";
/** Conference state (RFC 4575). */
export const CONFERENCE_INFO_NAMESPACE = "urn:ietf:params:xml:ns:conference-info";
export const RESOURCE_LISTS_NAMESPACE = "urn:ietf:params:xml:ns:resource-lists";
/** Report of a client on messages that it fetched; of this package. */
export const GKTP_REPORT_NAMESPACE = "urn:mikey-sakke:gktp-report:1.0";

export const GROUP_AUID = "org.openmobilealliance.groups";
export const GKTP_AUID = "org.3gpp.MCPTT-GKTP";
export const XCAP_CAPS_AUID = "xcap-caps";

export const MEDIA = {
  group: "application/vnd.oma.poc.groups+xml",
  /** None is registered for GKTP documents; readers take any XML type and look at the root element. */
  gktp: "application/xml",
  gktpReport: "application/vnd.mikey-sakke.gktp-report+xml",
  gmop: "application/vnd.3gpp.GMOP+xml",
  mikey: "application/mikey",
  mcpttInfo: "application/vnd.3gpp.mcptt-info+xml",
  mcvideoInfo: "application/vnd.3gpp.mcvideo-info+xml",
  mcdataInfo: "application/vnd.3gpp.mcdata-info+xml",
  /** The part of an upload that is a sealed file (TS 24.282 10.2.2). */
  octetStream: "application/octet-stream",
  pocSettings: "application/poc-settings+xml",
  sdp: "application/sdp",
  conferenceInfo: "application/conference-info+xml",
  resourceLists: "application/resource-lists+xml",
  xcapDiff: "application/xcap-diff+xml",
  xcapError: "application/xcap-error+xml",
  xcapCaps: "application/xcap-caps+xml",
  xcapElement: "application/xcap-el+xml",
  xcapAttribute: "application/xcap-att+xml",
  xcapNamespaces: "application/xcap-ns+xml",
  krr: "application/vnd.3gpp.kmsredirectresponse+xml",
  multipartMixed: "multipart/mixed",
} as const;

/** More of anything is refused, with codec `GROUP_XML_LIMIT`. */
export const GROUP_XML_LIMITS = {
  /** Entries of a GKTP document, or of all patches of an xcap-diff. */
  gktpEntries: 4096,
  /** Octets of one I_MESSAGE. */
  messageOctets: 65_536,
  /** Documents, elements and attributes of an xcap-diff, each. */
  diffDocuments: 4096,
  /** Entries of a resource list. */
  listEntries: 4096,
  groupMembers: 100_000,
  /** Characters of what is not read of a group or of an entry, as JSON. */
  extensionLength: 32_768,
  /** Users of a conference. */
  conferenceUsers: 4096,
  /** Messages of a report. */
  reportMessages: 4096,
  /** Characters of a URI or a selector. */
  uriLength: 4096,
  /** Characters of an access token. */
  tokenLength: 16_384,
} as const;

/** Nothing here is nested deeper, extensions included. */
export const DOCUMENT_LIMITS: Partial<XmlLimits> = { maxDepth: 16 };
/** For what only has a few elements. */
export const SMALL_DOCUMENT_LIMITS: Partial<XmlLimits> = {
  maxLength: 65_536,
  maxDepth: 16,
  maxElements: 1000,
};
