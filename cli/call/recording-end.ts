/** The end of a recording: a signal to the process, or that its time is over. */
import { listenForStop } from "../server/stop.ts";

export interface RecordingEnd {
  readonly signal: AbortSignal;
  /** Ends it for another reason. */
  end(): void;
  /** Lets signals to the process be again. */
  release(): void;
}

/** `seconds`: how long it takes; until a signal comes when undefined. */
export function recordingEnd(seconds: number | undefined): RecordingEnd {
  const stop = listenForStop();
  const controller = new AbortController();
  const end = () => controller.abort();
  void stop.stopped.then(end);
  const timer = seconds === undefined ? undefined : setTimeout(end, 1000 * seconds);
  return {
    signal: controller.signal,
    end,
    release() {
      clearTimeout(timer);
      stop.release();
    },
  };
}
