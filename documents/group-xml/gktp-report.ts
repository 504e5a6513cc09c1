/**
 * A client's report on I_MESSAGEs that it fetched over HTTP. TS 33.180 5.7.2.y wants failures returned to the GMS and
 * leaves open how: this document is posted to the GKTP document that the messages were in.
 */
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { element, writeXml } from "../xml/xml-writer.ts";
import { attribute, childrenOf, malformed, parseRoot, requireAtMost, requiredAttribute } from "./fields.ts";
import { DOCUMENT_LIMITS, GKTP_REPORT_NAMESPACE, GROUP_XML_LIMITS } from "./names.ts";

export interface ReportedMessage {
  /** SHA-256 of the I_MESSAGE: 64 lower-case hexadecimal digits here, upper-case in the document. */
  readonly sha256: string;
  readonly result: "stored" | "failed";
  /** Code and text as of a Warning header field, such as `136 authentication of the MIKEY-SAKKE I_MESSAGE failed`. */
  readonly warning?: string;
}

const DIGEST = /^[0-9a-f]{64}$/i;
const MAX_WARNING = 500;

/** @throws {MikeySakkeError} usage `BAD_REPORT` for a digest that is none or a warning of more than 500 characters */
export function writeGktpReport(messages: readonly ReportedMessage[]): string {
  const nodes = messages.map(({ sha256, result, warning }) => {
    if (!DIGEST.test(sha256) || (warning ?? "").length > MAX_WARNING) {
      throw new MikeySakkeError("usage", "BAD_REPORT", "GKTP report: digest or warning out of range");
    }
    return element("message", { sha256: sha256.toUpperCase(), result, warning }, []);
  });
  return writeXml(element("report", { xmlns: GKTP_REPORT_NAMESPACE }, nodes));
}

/** @throws {MikeySakkeError} codec: as `readGktpDocument` */
export function readGktpReport(document: string | Uint8Array): ReportedMessage[] {
  const root = parseRoot(document, GKTP_REPORT_NAMESPACE, "report", DOCUMENT_LIMITS);
  const messages = childrenOf(root, "message");
  requireAtMost(root, messages.length, GROUP_XML_LIMITS.reportMessages, "messages");
  return messages.map((source) => {
    const sha256 = requiredAttribute(source, "sha256").trim().toLowerCase();
    if (!DIGEST.test(sha256)) throw malformed(source, "sha256 is not 64 hex digits");
    const result = requiredAttribute(source, "result").trim();
    if (result !== "stored" && result !== "failed") throw malformed(source, "result is not stored or failed");
    const warning = attribute(source, "warning");
    requireAtMost(source, (warning ?? "").length, MAX_WARNING, "characters in warning");
    return { sha256, result, ...defined({ warning }) };
  });
}
