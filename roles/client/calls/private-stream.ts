/**
 * The stream that one side of a private call sends: speech as SRTP and, off-network, floor control as SRTCP, under one
 * SSRC of its key.
 */
import { andThen } from "../../../base/maybe-promise.ts";
import type { RandomSource } from "../../../base/random.ts";
import type { MaybePromise, PrivateMedia, SrtcpSender, SrtpSender } from "../../../bindings/media/index.ts";
import { drawSsrc } from "../../../bindings/media/used-ssrcs.ts";
import type { VoiceStream } from "../../call/voice-sender.ts";

export class PrivateStream implements VoiceStream {
  readonly ssrc: number;
  readonly #rtp: MaybePromise<SrtpSender>;
  readonly #rtcp: MaybePromise<SrtcpSender>;

  constructor(media: PrivateMedia, random: RandomSource) {
    this.ssrc = drawSsrc(random);
    this.#rtp = media.sender(this.ssrc);
    this.#rtcp = media.rtcpSender(this.ssrc);
  }

  /** Errors as `SrtpSender.protect`. */
  protect(packet: Uint8Array): MaybePromise<Uint8Array> {
    return andThen(this.#rtp, (sender) => sender.protect(packet));
  }

  /** Errors as `SrtcpSender.protect`. */
  protectRtcp(packet: Uint8Array): MaybePromise<Uint8Array> {
    return andThen(this.#rtcp, (sender) => sender.protect(packet));
  }
}
