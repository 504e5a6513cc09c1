/** A message of one client, the keys of two, and what tests change in it. */
import { utf8 } from "../../../base/bytes.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import type { KeyId } from "../../../bindings/identity/purpose-tag.ts";
import { DeliveredKey } from "../../../bindings/mikey/delivered-key.ts";
import type { Part } from "../../../documents/group-xml/multipart.ts";
import { PeerXmlKeys } from "../../../documents/signalling-xml/index.ts";
import { seededRandom } from "../../support/random.ts";

export const ALICE = "sip:alice@mc.example.org";
export const MALLORY = "sip:mallory@mc.example.org";
export const CSK_ID = 0x2ddd5bf0;
export const OTHER_CSK_ID = 0x2a0b0c0d;
export const INFO_TYPE = "application/vnd.3gpp.mcptt-info+xml";
export const LOCATION_TYPE = "application/vnd.3gpp.mcptt-location-info+xml";
export const SIGNED_TYPE = "application/vnd.3gpp.mcptt-signed+xml";

const octets = seededRandom("signalling XML");
export const CSK = octets(16);
export const OTHER_CSK = octets(16);

export function csk(keyId: KeyId = CSK_ID, key = CSK): DeliveredKey {
  return new DeliveredKey(key.slice(), { kind: "CSK", keyId, ukId: keyId, rand: new Uint8Array(16) });
}

export function keysOf(userId = ALICE, ...keys: DeliveredKey[]): PeerXmlKeys {
  const ring = new PeerXmlKeys(userId);
  for (const key of keys.length > 0 ? keys : [csk()]) ring.add(key);
  return ring;
}

export const INFO = `<?xml version="1.0" encoding="UTF-8"?>
<mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <mcptt-Params>
    <mcptt-access-token type="Normal"><mcpttString>eyJ0&amp;&lt;token&gt;</mcpttString></mcptt-access-token>
    <session-type>prearranged</session-type>
    <mcptt-request-uri type="Normal"><mcpttURI>sip:group-7@mc.example.org</mcpttURI></mcptt-request-uri>
    <mcptt-calling-user-id type="Normal"><mcpttURI>${ALICE}</mcpttURI></mcptt-calling-user-id>
    <emergency-ind type="Normal"><mcpttBoolean>true</mcpttBoolean></emergency-ind>
  </mcptt-Params>
</mcpttinfo>
`;

/** One value, one element in clear. */
export const SMALL = `<mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"><mcptt-Params><a type="Normal"><mcpttURI>sip:a@x</mcpttURI></a><session-type>chat</session-type></mcptt-Params></mcpttinfo>`;

export const LOCATION = `<location-info xmlns="urn:3gpp:ns:mcpttLocationInfo:1.0"><Request RequestId="r1"/></location-info>`;

export const infoPart = (body = INFO): Part => ({
  contentType: INFO_TYPE,
  contentId: "info@alice.example.org",
  body: utf8(body),
});
export const locationPart = (body = LOCATION): Part => ({ contentType: LOCATION_TYPE, body: utf8(body) });
export const sdpPart: Part = { contentType: "application/sdp", body: utf8("v=0\r\n") };

export const textOf = ({ body }: Part) =>
  new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);

/** `kind/code` of the error that a call ends in, "none" if it does not; any other error fails the test. */
export async function codeOf(call: () => Promise<unknown>): Promise<string> {
  try {
    await call();
  } catch (error) {
    if (error instanceof MikeySakkeError) return `${error.kind}/${error.code}`;
    throw error;
  }
  return "none";
}
