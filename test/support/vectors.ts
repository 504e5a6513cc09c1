/** The published vectors in test/vectors as octets, under the names of the JSON files. Each call decodes afresh. */
import { fromBase64, fromHex } from "../../base/bytes.ts";
import productionGmkJson from "../vectors/production-gmk.json" with { type: "json" };
import rfc6507Json from "../vectors/rfc6507.json" with { type: "json" };
import rfc6508Json from "../vectors/rfc6508.json" with { type: "json" };
import rfc6509Json from "../vectors/rfc6509.json" with { type: "json" };

/** The entries of a section that carry octets. */
type Octets<Section> = {
  -readonly [Name in keyof Section as Section[Name] extends { hex: string } ? Name : never]: Uint8Array;
};

function octets<Section extends object>(section: Section): Octets<Section> {
  const decoded = Object.entries(section)
    .filter(([, entry]) => typeof entry.hex === "string")
    .map(([name, entry]) => {
      const value = fromHex(entry.hex, name);
      if (value.length !== entry.octets)
        throw new Error(`${name}: ${value.length} octets, not ${entry.octets}`);
      return [name, value];
    });
  return Object.fromEntries(decoded);
}

/** ECCSI, RFC 6507 appendix A. */
export function rfc6507() {
  return { parameters: octets(rfc6507Json.parameters), vectors: octets(rfc6507Json.vectors) };
}

/** SAKKE, RFC 6508 appendix A. */
export function rfc6508() {
  return { parameters: octets(rfc6508Json.parameters), vectors: octets(rfc6508Json.vectors) };
}

/** Parameter set 1 and code points of MIKEY-SAKKE, RFC 6509 appendix A and section 4. */
export function rfc6509() {
  return {
    parameters: octets(rfc6509Json.parameter_set_1),
    facts: { ...rfc6509Json.derived_facts },
    mikey: { ...rfc6509Json.mikey },
    sakkeParams: rfc6509Json.iana_sakke_params.value,
  };
}

export interface UserKeySet {
  userUri: string;
  uid: Uint8Array;
  keyPeriodNo: number;
  rsk: Uint8Array;
  ssk: Uint8Array;
  pvt: Uint8Array;
}

function userKeySet(set: typeof productionGmkJson.gms_key_set): UserKeySet {
  return {
    userUri: set.UserUri,
    uid: fromHex(set.UserID),
    keyPeriodNo: Number(set.KeyPeriodNo),
    rsk: fromHex(set.UserDecryptKey),
    ssk: fromHex(set.UserSigningKeySSK),
    pvt: fromHex(set.UserPubTokenPVT),
  };
}

/** One GMK I_MESSAGE of a production library with the keys of both its ends. */
export function productionGmk() {
  const { kms_certificate: kms, message } = productionGmkJson;
  return {
    kms: {
      uri: kms.KmsUri,
      userIdFormat: kms.UserIdFormat,
      userKeyPeriod: Number(kms.UserKeyPeriod),
      userKeyOffset: Number(kms.UserKeyOffset),
      zt: fromHex(kms.PubEncKey),
      kpak: fromHex(kms.PubAuthKey),
    },
    gms: userKeySet(productionGmkJson.gms_key_set),
    alice: userKeySet(productionGmkJson.alice_key_set),
    message: {
      gmk: fromHex(message.key),
      gmkId: fromHex(message.key_id),
      gukId: fromHex(message.guk_id),
      rand: fromHex(message.rand),
      initiatorUri: message.initiator_uri,
      responderUri: message.responder_uri,
      octets: fromBase64(message.i_message_base64),
    },
  };
}
