/**
 * Reads what a SIP request says of its sender: an access token of MC services, and the identity that the IMS knows them
 * by.
 */
import {
  MEDIA,
  mediaTypeOf,
  type Part,
  readMcdataInfo,
  readMcpttInfo,
  readMcvideoInfo,
  type ServiceInfo,
} from "../../documents/group-xml/index.ts";
import {
  ASSERTED_IDENTITY,
  AUTHORIZATION,
  FROM,
  isSameUri,
  isScheme,
  type SipRequest,
} from "../../transport/sip/index.ts";

/** Readers of the documents that a token may stand in, by media type. */
export const INFO_READERS: ReadonlyMap<string, (document: Uint8Array) => ServiceInfo> = new Map([
  [MEDIA.mcpttInfo, readMcpttInfo],
  [MEDIA.mcvideoInfo, readMcvideoInfo],
  [MEDIA.mcdataInfo, readMcdataInfo],
]);

/**
 * The access token: in Authorization (RFC 8898), or in the info document of a service (TS 24.379 7.2.1, F.1).
 *
 * @throws {MikeySakkeError} codec, for an info document that cannot be read
 */
export function tokenIn({ headers }: SipRequest, parts: readonly Part[]): string | undefined {
  const credentials = headers.all(AUTHORIZATION).filter((value) => isScheme(value, "Bearer"));
  const token = credentials.find((value) => value.token !== undefined)?.token;
  if (token !== undefined) return token;
  for (const { contentType, body } of parts) {
    const found = INFO_READERS.get(mediaTypeOf(contentType))?.(body).accessToken;
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * IMS public user identities that the proxy asserts (RFC 3325 9.1): to be read only where it is one that is trusted. At most
 * a SIP URI and a telephone number are meant.
 */
export function assertedIn({ headers }: SipRequest): readonly string[] {
  return headers.all(ASSERTED_IDENTITY).map(({ uri }) => uri);
}

/**
 * The MC service ID that a request is of, out of those that its token proves: that in From, where a client writes it there, or
 * the first. What else stands in From, such as an IMS identity, proves nothing and counts for nothing.
 */
export function userOf({ headers }: SipRequest, proven: readonly string[]): string | undefined {
  const from = headers.get(FROM)?.uri;
  return proven.find((uri) => from !== undefined && isSameUri(uri, from)) ?? proven[0];
}
