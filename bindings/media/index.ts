/** Protection of media and media control under delivered keys (TS 33.180 7.4, 7.5, 9.4). */

export type { MaybePromise } from "../../base/maybe-promise.ts";
export { type ControlOptions, ControlSignalling } from "./control-signalling.ts";
export { drawControlSsrc, isServerSsrc } from "./control-ssrc.ts";
export type { CallSide, MediaService } from "./cs-ids.ts";
export {
  decodeG711,
  encodeG711,
  G711_FRAME,
  G711_PAYLOAD_TYPES,
  G711_RATE,
  type G711Law,
  g711LawOf,
} from "./g711.ts";
export {
  GroupMedia,
  type GroupMediaKeys,
  type GroupMediaOptions,
  type GroupMediaSender,
} from "./group-media.ts";
export { H264_PAYLOAD_BYTES, H264_RATE, H264Depacketiser, packetiseH264 } from "./h264.ts";
export { accessUnitsOf, splitAnnexB, writeAnnexB } from "./h264-stream.ts";
export {
  type BlockKind,
  type BlockOrigin,
  countedBlock,
  drawnBlocks,
  exhausted,
  type IndexBlock,
  type IndexBlocks,
  MAX_DEVICE,
  requireDevice,
} from "./index-blocks.ts";
export {
  JitterBuffer,
  type JitterBufferCounters,
  type JitterBufferOptions,
  type Played,
} from "./jitter-buffer.ts";
export { clip, mixFrames } from "./mix.ts";
export {
  GROUP_MKI_BYTES,
  type GroupMki,
  groupMki,
  KEY_MKI_BYTES,
  readGroupMki,
  sendersOf,
} from "./mki.ts";
export { PacketOrder } from "./packet-order.ts";
export { PrivateMedia, type PrivateMediaOptions } from "./private-media.ts";
export { isRtcp, type RtpHeader, readRtcpSsrc, readRtpHeader } from "./rtp.ts";
export { type RtpFields, rtpPayload, writeRtpPacket } from "./rtp-packet.ts";
export type { SrtpMaster } from "./session-keys.ts";
export { SrtcpReceiver, type SrtcpReceiverOptions, SrtcpSender, type UnprotectedRtcp } from "./srtcp.ts";
export {
  type RocTransport,
  SrtpReceiver,
  type SrtpReceiverOptions,
  SrtpSender,
  type UnprotectedRtp,
} from "./srtp.ts";
export type { MediaFault, MediaRefusal, ResolveMki } from "./streams.ts";
