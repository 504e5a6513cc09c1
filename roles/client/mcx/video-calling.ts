/** A group call with video by way of the server: INVITE with addresses, then video and transmission control there (TS 24.281 9.2). */
import { defined } from "../../../base/defined.ts";
import { MEDIA, writeMcvideoInfo } from "../../../documents/group-xml/index.ts";
import {
  type MediaFormat,
  readVideoCallSdp,
  type VideoCallDescription,
  writeVideoCallSdp,
} from "../../../documents/sdp/video-call.ts";
import type { SessionEnd } from "../../../transport/sip/index.ts";
import type { FloorChange } from "../calls/floor.ts";
import { type ReceivedVideo, VideoCall } from "../calls/video-call.ts";
import type { Bindings } from "./bindings.ts";
import { type CallService, type JoinedCall, joinCallOf } from "./calling.ts";
import type { McxClientOptions } from "./options.ts";

export interface VideoCallHandlers {
  /** The formats that the user's encoder and decoder have, the preferred one first. `H264` when absent. */
  readonly formats?: readonly MediaFormat[];
  /** The known users of the group, to name who transmits. */
  readonly members?: () => readonly string[];
  /** Who may transmit has changed: `state` of `FloorView` is "granted" while this member may. */
  readonly onTransmission?: (change: FloorChange) => void;
  readonly onVideo?: (video: ReceivedVideo) => void;
  /** The server has ended the call, or is lost. Not called for one's own `hangUp`. */
  readonly onEnd?: (end: SessionEnd) => void;
}

export interface McxVideoCall {
  readonly call: VideoCall;
  /** Leaves the call and closes its sockets. */
  hangUp(): Promise<void>;
}

/** H.264 in its baseline profile, in packets of all kinds that come in their order (RFC 6184 8.1). */
export const H264: MediaFormat = {
  type: 98,
  encoding: "H264/90000",
  attributes: [["fmtp", "profile-level-id=42e01f;packetization-mode=1"]],
};

const VIDEO: CallService<VideoCallDescription> = {
  contentType: MEDIA.mcvideoInfo,
  writeInfo: writeMcvideoInfo,
  write: writeVideoCallSdp,
  read: readVideoCallSdp,
};

/**
 * A call that loses its server is over: unlike one with speech, it is not joined again.
 *
 * @throws {McxRefusedError}; SIP transport errors; codec `BAD_SDP`; usage `NO_SIGNALLING_KEY` when no CSK is uploaded
 */
export async function callWithVideo(
  options: McxClientOptions,
  bindings: Bindings,
  groupUri: string,
  { formats = [H264], members, onTransmission, onVideo, onEnd }: VideoCallHandlers,
): Promise<McxVideoCall> {
  const { openPort, userUri, groupKeys, mediaBlocks, clock, random } = options;
  const ports = [await openPort(), await openPort()] as const;
  const [videoPort, controlPort] = ports;
  const ssrc = new DataView(random(4).buffer).getUint32(0);
  let joined: JoinedCall<VideoCallDescription> | undefined;
  let call: VideoCall | undefined;
  let ended: SessionEnd | undefined;
  let isOver = false;
  const over = (end: SessionEnd) => {
    ended = end;
    if (isOver || call === undefined) return;
    isOver = true;
    void call.close();
    void joined?.hangUp();
    onEnd?.(end);
  };
  try {
    joined = await joinCallOf(VIDEO, options, bindings, groupUri, {
      offer: { video: { address: videoPort.address, formats, ssrc }, control: controlPort.address },
      onEnd: over,
    });
    const { answer: server, control, controlSsrc } = joined;
    call = new VideoCall({
      groupUri,
      userUri,
      keys: groupKeys(groupUri),
      videoPort,
      controlPort,
      server,
      ssrc,
      control,
      controlSsrc,
      ...defined({ members, blocks: mediaBlocks, onTransmission, onVideo }),
      clock,
      random,
    });
  } catch (error) {
    await joined?.hangUp();
    await Promise.all(ports.map((port) => port.close()));
    throw error;
  }
  if (ended !== undefined) over(ended);
  const placed = { call, joined };
  return {
    call,
    async hangUp() {
      if (isOver) return;
      isOver = true;
      await Promise.all([placed.joined.hangUp(), placed.call.close()]);
    },
  };
}
