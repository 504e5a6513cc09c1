/** The options of a client for files, and the events that it reports of them. */

/** The part of `fetch` that is used. */
export type FileFetch = (
  url: string,
  init: {
    method: "GET" | "POST";
    headers: Record<string, string>;
    body?: Uint8Array<ArrayBuffer>;
    redirect: "error";
    signal: AbortSignal;
  },
) => Promise<Pick<Response, "status" | "headers" | "body">>;

export interface FileOptions {
  /** The URL to which files are uploaded, and the only place from which they are fetched, as the token goes there. */
  readonly url: string;
  readonly fetch: FileFetch;
  /** Milliseconds for an upload or a download; 120,000 when absent. */
  readonly timeoutMs?: number;
  /** Octets of a sealed file that is fetched; MAX_SEALED_FILE_BYTES when absent. */
  readonly maxBytes?: number;
}

export interface SendFileOptions {
  /** Whether those who have fetched the file are asked to tell. */
  readonly wantsCompletion?: boolean;
  /** Whether receivers are to fetch it without asking their users. */
  readonly isMandatory?: boolean;
}

/** A file that somebody has uploaded for a group, or for this user alone. */
export interface ReceivedFile {
  /** Undefined for a file that is for this user alone. */
  readonly groupUri: string | undefined;
  /** Sender according to the server. */
  readonly from: string;
  /** Unix seconds, as the sender says. */
  readonly dateTime: number;
  /** Hex. */
  readonly conversationId: string;
  readonly messageId: string;
  readonly url: string;
  readonly wantsCompletion: boolean;
  readonly isMandatory: boolean;
}

/** The fate of a file at one receiver. */
export interface FileNotification {
  readonly groupUri: string;
  /** The receiver, according to the server. */
  readonly from: string;
  /** One of `FD_DISPOSITIONS`. */
  readonly disposition: number;
  readonly dateTime: number;
  /** Hex: those of the file. */
  readonly conversationId: string;
  readonly messageId: string;
}
