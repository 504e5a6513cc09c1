/** The worker of media: it lives as long as the page. */
import type { FromMedia, ToMedia } from "../messages.ts";
import { Media } from "./media.ts";

const media = new Media((message: FromMedia) => postMessage(message));
addEventListener("message", ({ data }: MessageEvent<ToMedia>) => media.take(data));
