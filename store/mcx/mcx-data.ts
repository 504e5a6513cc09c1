/** Files and messages that an MCX server keeps for its users. A single process needs no more of a database than this. */
import type { Envelope } from "../database/envelope.ts";
import type { Database } from "../database/sql.ts";
import { databaseClock, givenClock } from "../database/sql-clock.ts";
import { McxFiles } from "./mcx-files.ts";
import { McxMessages } from "./mcx-messages.ts";

export interface McxDataOptions {
  /** For tests: the present time, in place of the database's clock. */
  readonly now?: () => number;
}

export class McxData {
  readonly files: McxFiles;
  readonly messages: McxMessages;

  private constructor(files: McxFiles, messages: McxMessages) {
    this.files = files;
    this.messages = messages;
  }

  /** The database and the envelope stay the caller's, who closes them. */
  static open(db: Database, envelope: Envelope, { now }: McxDataOptions = {}): McxData {
    const clock = now === undefined ? databaseClock : givenClock(now);
    return new McxData(new McxFiles(db, envelope, clock), new McxMessages(db, envelope, clock));
  }
}
