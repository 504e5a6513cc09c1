/** The services that a group may have. */
import type { McService } from "../../../store/gms/records.ts";

export const SERVICES: readonly McService[] = ["mcptt", "mcvideo", "mcdata"];
/** The services that our own servers and clients have. */
export const DEFAULT_SERVICES: readonly McService[] = ["mcptt", "mcdata"];
