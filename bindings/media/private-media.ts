/** Media of a private call under a PCK (TS 33.180 7.4.2): each side sends under a key of its own, the MKI is the PCK-ID. */
import { MikeySakkeError } from "../../base/errors.ts";
import type { MaybePromise } from "../../base/maybe-promise.ts";
import { type RandomSource, systemRandom } from "../../base/random.ts";
import { keyIdFromBytes, keyIdToBytes } from "../identity/purpose-tag.ts";
import type { DeliveredKey } from "../mikey/delivered-key.ts";
import { type CallSide, type MediaService, privateCsId } from "./cs-ids.ts";
import { KEY_MKI_BYTES } from "./mki.ts";
import { SrtcpReceiver, SrtcpSender } from "./srtcp.ts";
import { type RocTransport, SrtpReceiver, SrtpSender } from "./srtp.ts";
import { drawSsrc, UsedSsrcs } from "./used-ssrcs.ts";

export interface PrivateMediaOptions {
  readonly pck: DeliveredKey;
  readonly service: MediaService;
  readonly side: CallSide;
  /** ROC transport of the key's SRTP profile. When absent, no ROC is sent, as in the default profile (E.3.2). */
  readonly roc?: RocTransport | undefined;
  readonly random?: RandomSource;
}

/** One side of a private call. */
export class PrivateMedia {
  /** Opens what the other side sent. */
  readonly receiver: SrtpReceiver;
  readonly rtcpReceiver: SrtcpReceiver;
  readonly #options: PrivateMediaOptions;
  readonly #ssrcs = new UsedSsrcs();

  /** @throws MikeySakkeError usage `NOT_A_PCK` */
  constructor(options: PrivateMediaOptions) {
    const { pck, service, side, roc } = options;
    if (pck.kind !== "PCK")
      throw new MikeySakkeError("usage", "NOT_A_PCK", `${pck.kind}: not a key of a call`);
    this.#options = options;
    const other = side === "initiator" ? "receiver" : "initiator";
    const resolve = (mki: Uint8Array) =>
      keyIdFromBytes(mki) === pck.keyId ? pck.srtpMaster(privateCsId(service, other)) : undefined;
    this.receiver = new SrtpReceiver({ mkiBytes: KEY_MKI_BYTES, roc, resolve });
    this.rtcpReceiver = new SrtcpReceiver({ mkiBytes: KEY_MKI_BYTES, resolve });
  }

  /** A stream of one's own; the SSRC is drawn unless the I_MESSAGE gave one. */
  sender(ssrc: number = this.#draw()): MaybePromise<SrtpSender> {
    const { pck, service, side, roc } = this.#options;
    this.#ssrcs.take(pck, "SRTP", ssrc);
    const mki = keyIdToBytes(pck.keyId);
    return SrtpSender.create(pck.srtpMaster(privateCsId(service, side)), { ssrc, mki, roc });
  }

  rtcpSender(ssrc: number = this.#draw()): MaybePromise<SrtcpSender> {
    const { pck, service, side } = this.#options;
    this.#ssrcs.take(pck, "SRTCP", ssrc);
    return SrtcpSender.create(pck.srtpMaster(privateCsId(service, side)), {
      ssrc,
      mki: keyIdToBytes(pck.keyId),
    });
  }

  #draw(): number {
    return drawSsrc(this.#options.random ?? systemRandom);
  }
}
