/** The access token in an mcptt-info body (TS 24.379 F.1). */
import { defined, trimmed } from "../xml/values.ts";
import { element, leaf, writeXml } from "../xml/xml-writer.ts";
import {
  attribute,
  malformed,
  optionalChild,
  parseRoot,
  requireAtMost,
  requiredChild,
  textOf,
} from "./fields.ts";
import { GROUP_XML_LIMITS, MCPTT_INFO_NAMESPACE, SMALL_DOCUMENT_LIMITS } from "./names.ts";

export interface McpttInfo {
  /** As a bearer token (RFC 6750). */
  readonly accessToken?: string;
}

export function writeMcpttInfo({ accessToken }: McpttInfo): string {
  const token =
    accessToken === undefined
      ? undefined
      : element("mcptt-access-token", { type: "Normal" }, [leaf("mcpttString", accessToken)]);
  return writeXml(
    element("mcpttinfo", { xmlns: MCPTT_INFO_NAMESPACE }, [element("mcptt-Params", {}, [token])]),
  );
}

/**
 * Reads the access token; other parameters are passed over.
 *
 * @throws {MikeySakkeError} codec: as `readGktpDocument`; `MCPTT_INFO_ENCRYPTED` for a token encrypted under a CSK
 */
export function readMcpttInfo(document: string | Uint8Array): McpttInfo {
  const root = parseRoot(document, MCPTT_INFO_NAMESPACE, "mcpttinfo", SMALL_DOCUMENT_LIMITS);
  const parameters = optionalChild(root, "mcptt-Params");
  const token = parameters && optionalChild(parameters, "mcptt-access-token");
  if (token === undefined) return {};
  const type = trimmed(attribute(token, "type") ?? "Normal");
  if (type !== "Normal") {
    throw malformed(token, "encrypted tokens are not read", "MCPTT_INFO_ENCRYPTED");
  }
  const accessToken = textOf(requiredChild(token, "mcpttString"));
  if (accessToken === "") throw malformed(token, "empty");
  requireAtMost(token, accessToken.length, GROUP_XML_LIMITS.tokenLength, "characters");
  return defined({ accessToken });
}
