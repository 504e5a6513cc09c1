/** Codes of the MCX server: the refusals of SIP requests, and legs of calls. */
export const MCX_CODES = {
  // The client and its binding.
  NOT_A_PROXY: "Only a trusted proxy may say which users have registered.",
  BAD_EVENT: "The event of a PUBLISH is none that the server knows.",
  NO_CONTACT:
    "A PUBLISH has no Contact, and no trusted proxy asserts an IMS identity at which the client can be reached.",
  CSK_MISSING: "The request brings no CSK, and the server has none of the client.",
  CSK_REFUSED:
    "The I_MESSAGE with the CSK was refused, or the CSK is another user's, revoked or used before.",
  NOT_BOUND: "The client has uploaded no CSK, or its binding is over.",
  BINDING_ELSEWHERE: "A PUBLISH without proof by the CSK came from elsewhere than the client's binding.",

  // The request.
  FORGED_CALLER: "The body names another user as the caller than the one whose CSK protects it.",
  XML_REFUSED: "The protection of the XML in the request was refused; the log says why.",
  REQUEST_CHANGED: "The parts of the request do not belong together.",
  REQUEST_STALE: "The request was made too long ago, or in the future; check the clocks of both sides.",
  REQUEST_UNBOUND:
    "Nothing binds the parts of the request that are no XML to the sender, neither the info document nor TLS.",
  NOT_A_MEMBER: "The user is not in the group, or there is no such group.",
  MEDIA_TARGET:
    "Media would go to where the request did not come from, and the configuration does not allow that.",
  SERVICE_NOT_IN_GROUP: "The group does not have the service, by its group document.",
  PROTECT_MEDIA_FALSE:
    "The group document has `protect-media` as false; the server has no calls whose media are in clear.",
  PROTECT_FLOOR_CONTROL_SIGNALLING_FALSE:
    "The group document has `protect-floor-control-signalling` as false; the server has no calls whose floor control is in clear.",
  MCVIDEO_PROTECT_MEDIA_FALSE:
    "The group document has `mcvideo-protect-media` as false; the server has no calls whose media are in clear.",
  MCVIDEO_PROTECT_TRANSMISSION_CONTROL_FALSE:
    "The group document has `mcvideo-protect-transmission-control` as false; the server has no calls whose transmission control is in clear.",
  PCK_MISSING: "The offer of a private call has no I_MESSAGE with a key for it (`a=key-mgmt:mikey`).",
  CALLEE_NOT_BOUND: "No client of the called user is bound to the server, or there is no such user.",
  CALLEE_SILENT: "The client of the called user has not answered in time.",
  CALL_FULL: "As many are in the call as the group document allows.",
  NO_CALL: "The group has no call at this process of the server, so that there is nobody to be told of.",
  CONFERENCE_REFUSED:
    "The server's list of participants belongs to another group, or is not a conference state.",
  NO_COMMON_SPEECH:
    "The client offers none of the formats of speech that all others in the call of the group have.",
  NO_COMMON_VIDEO: "The call of the group is in a format of video that the client does not offer.",
  NO_WEB_SOCKET: "The server does not take media over WebSockets.",

  // The server.
  DIRECTORY_UNAVAILABLE: "The server cannot look into its directory of groups at present; try again later.",
  CLUSTER_UNAVAILABLE:
    "The server cannot tell which of its processes serves the group, or the message cannot reach it.",
  STOPPING: "The process of the server is about to stop.",
  TOO_MANY_SESSIONS: "The server has as many calls as it may have.",
  TOO_MANY_LEGS: "The call has as many participants as it may have.",
  LEG_EXISTS: "The call has a leg of this name already.",
  NO_SUCH_LEG: "The call has no leg of this name.",
} as const;
