/** Why a request is refused, and the answer that says so. */
import { MikeySakkeError } from "../../../base/errors.ts";
import { type Answer, WARNING } from "../../../transport/sip/index.ts";
import { refusalAnswer } from "../../server/sip-refusal.ts";
import { TOKEN_STATUS } from "../../server/token-refusal.ts";

const STATUS = {
  ...TOKEN_STATUS,
  /** The body names another user as the caller than the one whose CSK protects it. */
  FORGED_CALLER: 403,
  /** Only a trusted proxy may say which users have registered. */
  NOT_A_PROXY: 403,
  BODY_TOO_LARGE: 413,
  BAD_BODY: 400,
  BODY_TYPE: 415,
  BAD_EVENT: 489,
  NO_CONTACT: 400,
  CSK_MISSING: 403,
  /** The I_MESSAGE with the CSK was refused by a check (TS 33.180 5.4). */
  CSK_REFUSED: 403,
  /** No CSK was uploaded, or the binding is over. */
  NOT_BOUND: 403,
  /** TS 33.180 9.3: integrity or confidentiality of the XML. */
  XML_REFUSED: 403,
  /** Info document, SDP and payloads are not of one request. */
  REQUEST_CHANGED: 403,
  /** Made too long ago, or in the future. */
  REQUEST_STALE: 403,
  /** Nothing binds what is no XML to the sender, neither the info document nor TLS. */
  REQUEST_UNBOUND: 403,
  /** It was taken before. */
  REPLAYED: 403,
  /** A PUBLISH that nothing but a token vouches for, from elsewhere than the client. */
  BINDING_ELSEWHERE: 403,
  /** Not in the group, or there is no such group: outsiders do not learn which. */
  NOT_A_MEMBER: 403,
  /** The group document does not list the service (TS 24.481 7.2.8). */
  SERVICE_NOT_IN_GROUP: 403,
  /** The group document has the element of that name as false (TS 24.481 7.2.8): decision D-180. */
  PROTECT_MEDIA_FALSE: 403,
  PROTECT_FLOOR_CONTROL_SIGNALLING_FALSE: 403,
  MCVIDEO_PROTECT_MEDIA_FALSE: 403,
  MCVIDEO_PROTECT_TRANSMISSION_CONTROL_FALSE: 403,
  /** The offer of a private call has no I_MESSAGE: its media would be in clear, or under a key of the server's. */
  PCK_MISSING: 488,
  /** No client of the callee is bound, or there is no such user: callers do not learn which. */
  CALLEE_NOT_BOUND: 480,
  /** The client of the callee has not answered in time. */
  CALLEE_SILENT: 480,
  /** The call has as many participants as the group document allows (TS 24.379 10.1.1.4.2). */
  CALL_FULL: 486,
  /** Only the process that serves the call of a group tells its participants, while the call goes on. */
  NO_CALL: 404,
  DIRECTORY_UNAVAILABLE: 503,
  /** This process cannot say which one serves the group, or does not live for the others. */
  CLUSTER_UNAVAILABLE: 503,
  /** This process stops. */
  STOPPING: 503,
  BAD_SDP: 488,
  /** The call of the group is in a format of speech that the client does not offer. */
  NO_COMMON_SPEECH: 488,
  /** The call of the group is in a format of video that the client does not offer. */
  NO_COMMON_VIDEO: 488,
  /** Media would go to where the request did not come from, and the configuration does not allow it. */
  MEDIA_TARGET: 488,
  TOO_MANY: 503,
  /** MCData that is not protected from end to end, or of another kind than is served. */
  MCDATA_REFUSED: 403,
} as const;

export type RefusalCode = keyof typeof STATUS;

/** RFC 3261 20.43: miscellaneous, with a text for people. */
const MISCELLANEOUS = 399;

export class SignallingRefusal extends MikeySakkeError {
  declare readonly code: RefusalCode;

  /** `detail` is for the log, not for the answer. */
  constructor(code: RefusalCode, detail?: string, cause?: unknown) {
    super("transport", code, `refused: ${detail ?? code}`, { cause });
  }

  get status(): number {
    return STATUS[this.code];
  }

  answer(authorizationServer: string | undefined): Answer {
    const { status, code } = this;
    return refusalAnswer({
      status,
      code,
      authorizationServer,
      realm: "mcx",
      otherwise: (headers) => headers.set(WARNING, { code: MISCELLANEOUS, agent: "mcx", text: code }),
    });
  }
}
