/** Protection of XML in SIP signalling under a CSK or SPK (TS 33.180 9.3), for servers and browsers. */
export type { NamedElement } from "./encryption.ts";
export { SIGNALLING_XML_LIMITS, SIGNED_MEDIA_TYPE } from "./names.ts";
export {
  type OpenedPart,
  type OpenedSignalling,
  type OpenSignallingOptions,
  openSignalling,
} from "./open.ts";
export { PeerXmlKeys, type XmlKeySource } from "./peer-keys.ts";
export { type SealSignallingOptions, sealSignalling } from "./seal.ts";
export {
  PROTECT_ALL,
  readServiceSwitches,
  type ServiceSwitches,
  type SignallingSwitches,
} from "./switches.ts";
export { digestOfUnsigned } from "./unsigned-parts.ts";
export { XmlKey } from "./xml-key.ts";
