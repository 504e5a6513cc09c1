/** Codes of the command line. docs/exit-status.md has the exit statuses. */
export const COMMAND_CODES = {
  // The call of the command.
  BAD_CALL:
    "The command was called with options or arguments that do not exist or do not go together; `--help` shows them.",
  BAD_NUMBER: "The value of an option is not a whole number in its range.",
  BAD_DURATION: "The value of an option is not a span of time such as 90s, 12h or 7d.",
  BAD_URI: "The value of an option, or the line of a list, is not the URI that is needed there.",
  BAD_SIP_URI: "The value of an option is no URI of a SIP server or SIP identity.",
  BAD_TOLERANCE: "The name behind `--tolerate` is none of the known ones.",
  DUPLICATE_URI: "A URI is in the list twice.",
  EMPTY_LIST: "The list has no URI.",
  NO_MEMBER: "The command was given no member.",
  NO_SETTING: "The command was given nothing to change.",
  NO_OUTPUT: "The command was not told where to write; name a file or a folder.",
  TEXT_OR_FILE: "The command was told neither a text nor a file to send, or both.",
  TOO_MANY_FILES: "More files came than the command stores.",
  GROUP_OR_USER: "The command was told neither a group nor a user to speak with or hear, or both.",
  NO_SERVER: "The command was not told which server to use; name it, or use `--local`.",
  NO_TOKEN: "The command was given no access token.",
  BAD_TOKEN: "The access token is too short to be one.",
  NO_DOMAINS:
    "The certificate of another KMS lists no domains; name with `--domain` those that it may vouch for.",

  // Files.
  NO_INPUT: "No file was given, and nothing is piped into the command.",
  FILE_NOT_FOUND: "A file or folder does not exist, or cannot be read.",
  FILE_EXISTS: "A file exists already; choose another name, or use `--force` where the command has it.",
  FILE_DENIED: "The operating system does not permit the use of a file.",
  FILE_TOO_LARGE: "A file is larger than the command reads.",
  FILE_FAILED: "A file cannot be used; the message has the error of the operating system.",
  IS_FOLDER: "A folder was given where a file is needed.",
  NOT_A_FOLDER: "A file was given where a folder is needed.",
  READ_ONLY: "The file system is read-only.",
  DISK_FULL: "The disk or the quota has no space left.",

  // Contents of files.
  BAD_KEY_FILE: "A file does not hold the kind of key that is needed.",
  BAD_SECRETS: "A file is no file with the secrets of a KMS.",
  SECRETS_MISMATCH: "The secrets and the certificate are of different KMSs.",
  OTHER_KMS_KEY: "The transport keys and `--kms-uri` are of different KMSs.",
  NO_KEYS: "The files that were given as keys have no KmsKeySet.",
  MANY_CERTIFICATES:
    "A file has the certificates of several KMSs, or several certificates where one is needed.",
  NO_MESSAGE: "The folder has no files with messages.",
  UNKNOWN_FORM: "The input is neither a raw MIKEY message nor one in hexadecimal or base64.",
  BAD_CAPTURE: "The file is no capture of packets that can be read.",
  NOT_A_CAPTURE:
    "The input is no capture although `--wireshark` was given, or the keys to open it are missing.",
  BAD_WAV: "The file is no WAV file that can be sent, or has nothing to say.",
  BAD_H264: "The file is no byte stream of H.264 (Annex B), or has no picture.",
  OUT_OR_VIDEO: "The command was told neither a WAV file (`--out`) nor a video file (`--video`) to write.",

  // Data folders and their servers.
  NO_KMS:
    "The data folder has no KMS or other server whose configuration is needed; make one, or name its folder.",
  NO_GMS: "The data folder has no GMS; make one with `mikey-sakke serve`.",
  NO_MCX: "The data folder has no MCX server; make one with `mikey-sakke serve`.",
  GMS_NOT_RUNNING: "No GMS runs on the data folder; start it with `mikey-sakke serve`.",
  CONSOLE_NOT_RUNNING: "No console runs on the data folder; start it with `mikey-sakke serve`.",
  OTHER_DATABASE: "The configuration of the data folder names another database than `--database`.",
  BAD_PKCS11_URI: "The text is not a PKCS#11 URI with token, object and module-path.",
  PKCS11_FAILED: "The PKCS#11 token or its module refused an operation, such as the login.",
  PKCS11_KEY: "The PKCS#11 token does not have exactly one AES key of that label that cannot leave it.",
  PKCS11_PACKAGE_MISSING: "The package pkcs11js is not installed, or was not built for this Node.js.",
  PKCS11_PIN_MISSING: "The store key is wrapped by a PKCS#11 token, and there is no PIN in the environment.",
  STORE_KEY_IN_ENVIRONMENT:
    "The store key is in a variable of the environment, where no command can replace it.",
  NO_DEVELOPMENT_TOKENS:
    "The server takes only the tokens of the issuer in its configuration; get a token there.",
  SERVERS_UNNAMED: "The configuration of the KMS does not say what tokens the GMS and the MCX server have.",

  // Listening and TLS.
  ADDRESS_IN_USE: "Another process listens on this address and port.",
  ADDRESS_NOT_HERE: "The address to listen on is none of this machine's.",
  ADDRESS_DENIED: "The operating system does not let this user listen on this address and port.",
  TLS_NEEDED:
    "A server that other machines can reach needs a certificate; name it in the configuration, or listen on loopback.",
  TOKENS_NEEDED:
    "A server that other machines can reach needs an issuer of access tokens in its configuration.",
  BAD_TLS: "The files of the certificate and its key are not in PEM, or do not belong together.",
  BAD_CA: "The file behind `--ca` has no certificate in PEM.",
  TLS_EXPIRED: "The certificate of the server has expired; renew it, and check the clock of this machine.",
  TLS_NOT_YET_VALID: "The certificate of the server is not valid yet; check the clocks of both machines.",
  TLS_WRONG_NAME: "The certificate of the server is for other names than the one in its URL.",
  TLS_UNTRUSTED:
    "The certificate of the server is not trusted; give it, or that of its authority, with `--ca`.",

  // Checks of other servers, and the demo.
  SERVER_UNREACHABLE: "The server to check cannot be reached.",
  SERVER_TIMEOUT: "The server to check did not answer in time.",
  ANSWER_TOO_LARGE: "The answer of the server to check is larger than the command reads.",
  DEMO_FAILED: "A check of the demo failed; please report it, with all that was printed.",
  DEMO_INCOMPLETE: "The demo was not done in time; try it with fewer members.",
  DEMO_SERVERS: "The servers of the demo did not start, or ended; what they said is printed above.",
} as const;
