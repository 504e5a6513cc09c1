/** Sums of linear samples. */

/** The sum of frames, without the overflow of 16 bits; frames are as long as `length` or shorter. */
export function mixFrames(frames: readonly Int16Array[], length: number): Int16Array {
  const sums = new Int32Array(length);
  for (const frame of frames) for (let i = 0; i < frame.length; i++) sums[i]! += frame[i]!;
  return clip(sums);
}

/** Each sum as 16 bits, at most the largest of them. */
export function clip(sums: Int32Array): Int16Array {
  return Int16Array.from(sums, (sum) => Math.max(-0x8000, Math.min(0x7fff, sum)));
}
