/** The capabilities of an XCAP server (RFC 4825 12), a document that each one has. */
import { element, leaf, writeXml } from "../xml/xml-writer.ts";
import {
  GKTP_AUID,
  GKTP_NAMESPACE,
  GROUP_AUID,
  GROUP_INFO_NAMESPACE,
  GROUP_NAMESPACE,
  XCAP_CAPS_AUID,
  XCAP_CAPS_NAMESPACE,
  XDM_EXTENSIONS_NAMESPACE,
} from "./names.ts";

const AUIDS = [GROUP_AUID, GKTP_AUID, XCAP_CAPS_AUID];
const NAMESPACES = [
  GROUP_NAMESPACE,
  GROUP_INFO_NAMESPACE,
  XDM_EXTENSIONS_NAMESPACE,
  GKTP_NAMESPACE,
  XCAP_CAPS_NAMESPACE,
];

/** The document of a server of group management. */
export function writeXcapCaps(): string {
  const list = (name: string, values: readonly string[]) =>
    element(
      `${name}s`,
      {},
      values.map((value) => leaf(name, value)),
    );
  return writeXml(
    element("xcap-caps", { xmlns: XCAP_CAPS_NAMESPACE }, [
      list("auid", AUIDS),
      element("extensions", {}, []),
      list("namespace", NAMESPACES),
    ]),
  );
}
