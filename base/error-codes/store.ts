/** Codes of databases and backups. */
export const STORE_CODES = {
  // The database.
  STORE_LOST: "The database cannot be reached, or the connection to it was lost.",
  STORE_TIMEOUT: "The database did not answer in time; the same call may succeed later.",
  STORE_BUSY: "Other processes changed the database at the same time; the same call may succeed later.",
  STORE_FULL: "The database has no room left.",
  STORE_REFUSED: "The database does not exist, or does not let this user in or do what is needed.",
  STORE_VALUE: "The database cannot store a value, as it is too large or breaks a rule of its tables.",
  STORE_FAILED: "The database failed in a way that has no code of its own; the message has its SQLSTATE.",
  STORE_UNREADABLE: "The database in the folder does not open.",
  STORE_LOCKED: "Another process uses the folder of the database; stop it, or use another folder.",
  STORE_TOO_NEW:
    "A newer version of this program made the tables of the database; use that version or a newer one.",
  BAD_STORE_URL: "The URL of the database is not one of PostgreSQL, or a folder was given beside it.",
  NO_DATABASE: "There is no database of a server at this place.",

  // Sealed values and the store key.
  STORE_SEAL: "A sealed value in the database was changed, moved, or is none.",
  STORE_KEY_UNKNOWN:
    "A value was sealed after another process rotated the store key; start this process again.",
  STORE_KEY_ROTATED: "Another process rotated the store key; start again with the new one.",
  WRONG_STORE_KEY: "The store key is not the one that the database was made with, or that the backup needs.",
  NO_ENVELOPE: "This KMS was given its database without the means to change the store key.",
  BAD_RECORD_NAME: "The name of a stored record is empty, too long, or has characters that are not allowed.",

  // Values that the store refuses.
  BAD_ROWS: "The messages of a chunk do not belong to its members, or have no octets or too many.",
  BAD_STATE: "The state of a delivery is none of the known ones.",
  BAD_KIND: "The kind of a rekey is none of the known ones.",
  BAD_CHUNK_SIZE: "The number of members in a chunk is out of range.",
  BAD_COUNT: "The number of times that are asked for is out of range.",
  BAD_INSTANCE: "The name of a process is empty or too long.",
  BAD_LEASE: "A lease does not last a whole number of milliseconds of at least 1.",
  BAD_LIMIT: "The number of rows that are asked for is out of range.",
  BAD_WAIT: "A wait is not a whole number of milliseconds.",
  TOO_MANY:
    "A list has too many entries for one call, or the MCX server has as many clients, calls or requests as it takes.",

  // Backups.
  NOT_A_BACKUP: "The file is no backup that this program made.",
  BACKUP_TOO_NEW: "A newer version of this program made the backup; use that version or a newer one.",
  BACKUP_DAMAGED: "The backup is not whole, or was changed; take another copy of it, or an older one.",
  BACKUP_BROKEN_OFF:
    "The backup ended before it was whole; look into the log of the server, and make it again.",
  TARGET_NOT_EMPTY: "The database to restore into has tables of a server already.",
  STORE_KEY_MISSING: "There is no store key with which the backup can be restored.",
} as const;
