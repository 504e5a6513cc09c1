/** The identities of an I_MESSAGE: IDRi, IDRr and their KMSs, with the UID roles of identity hiding (TS 33.180 E.7). */
import { fromBase64, fromUtf8 } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { UID_BYTES } from "../identity/uid.ts";
import { ID_ROLES, ID_TYPE_BYTES, ID_TYPE_URI } from "./codes.ts";
import type { IdrPayload } from "./idr.ts";

/** Initiator or responder: a URI, or with identity hiding only the UID. */
export type Party =
  | { readonly hidden: false; readonly uri: string }
  | { readonly hidden: true; readonly uid: Uint8Array };

export const INITIATOR_ROLES: readonly number[] = [ID_ROLES.INITIATOR, ID_ROLES.INITIATOR_UID];
export const RESPONDER_ROLES: readonly number[] = [ID_ROLES.RESPONDER, ID_ROLES.RESPONDER_UID];

export function readParty(idr: IdrPayload): Party {
  const hidden = idr.role === ID_ROLES.INITIATOR_UID || idr.role === ID_ROLES.RESPONDER_UID;
  return hidden ? { hidden, uid: readUid(idr) } : { hidden, uri: readUri(idr) };
}

export function readUri(idr: IdrPayload): string {
  if (idr.idType !== ID_TYPE_URI) throw bad(`ID type ${idr.idType}, must be 1 (URI)`);
  if (idr.id.length === 0) throw bad("empty");
  return fromUtf8(idr.id, "URI");
}

const UID_BASE64_BYTES = 44;

/** E.7 leaves the ID type open: 32 raw octets are sent, 44 characters of base64 are read as well. */
function readUid(idr: IdrPayload): Uint8Array {
  if (idr.idType !== ID_TYPE_URI && idr.idType !== ID_TYPE_BYTES)
    throw bad(`ID type ${idr.idType}, must be 1 or 2`);
  const uid = idr.id.length === UID_BASE64_BYTES ? fromBase64(fromUtf8(idr.id, "UID"), "UID") : idr.id;
  if (uid.length !== UID_BYTES) throw bad(`UID of ${idr.id.length} octets, must be ${UID_BYTES}`);
  return uid;
}

function bad(text: string): MikeySakkeError {
  return new MikeySakkeError("validation", "BAD_IDENTITY", text);
}
