/** The log of a GMS. No message, token or key is ever handed to it. */
export { createLog, type LeveledLog, noLog, type ServerLog as GmsLog } from "../../server/log.ts";
