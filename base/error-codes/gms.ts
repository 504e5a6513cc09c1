/** Codes of the GMS: groups, members, keys, XCAP and subscriptions. */
export const GMS_CODES = {
  // Groups, members and keys.
  GROUP_EXISTS: "There is a group of this URI already.",
  GROUP_UNKNOWN: "There is no group of this URI.",
  GROUP_CHANGED: "The group was changed since it was read; look at it again, and decide anew.",
  BAD_GROUP:
    "The URI, a setting or an option of a group or its GMK is not accepted; the message says which and why.",
  MEMBER_EXISTS: "The user is a member of the group already.",
  MEMBER_UNKNOWN: "The user is not a member of the group.",
  GMK_UNKNOWN: "There is no GMK of this GMK-ID.",
  GMK_REVOKED: "The GMK is revoked already.",
  GMK_RETIRED: "The GMK is no longer in use, so that it cannot be distributed.",
  GMK_ID_EXISTS: "The GMK-ID was used before.",
  REKEY_UNKNOWN: "There is no rekey of this number.",

  // XCAP.
  NOT_A_MANAGER: "The group is managed by others.",
  CONFLICT: "The document conflicts with what is there; the body of the answer says how (RFC 4825 11).",
  PRECONDITION: "The document is another by now than the one that the request is about.",

  // Subscriptions.
  NO_USER: "The access token of a SUBSCRIBE proves no user's identity, or a command was given no user.",
  LIST_MISSING: "A SUBSCRIBE has no list of the documents to subscribe to.",
  LIST_TOO_LONG: "The list of a SUBSCRIBE has more entries than the GMS accepts.",
  NOT_ACCEPTABLE: "The Accept of a SUBSCRIBE leaves out xcap-diff.",
} as const;
