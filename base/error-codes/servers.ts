/** Codes that the servers share: access, requests, configuration, and the console. */
export const SERVER_CODES = {
  // Access tokens and operators.
  TOKEN_MISSING: "The request has no access token.",
  TOKEN_INVALID: "The access token is not accepted; get another one.",
  TOKEN_EXPIRED: "The access token has expired; get another one.",
  WRONG_SCOPE: "The access token has no scope for this server.",
  TOKENS_UNAVAILABLE: "The server cannot check access tokens at present; try again later.",
  ISSUER_KEYS_UNAVAILABLE:
    "The keys of the token issuer cannot be fetched from tokens.jwksUri, and none are known that may still count.",
  ISSUER_KEY_UNKNOWN:
    "The key of an access token was not among those of its issuer, which is asked again after 10 seconds.",
  ISSUER_KEYS_FILE: "The file with the last known keys of a token issuer is damaged.",
  WRONG_IDENTITY: "The access token does not prove the identity that the request is for.",
  NO_AUDIENCE: "Development tokens are not made for the server of this URI.",
  ADMIN_TOKEN: "The token of the operator is missing or wrong.",
  FORBIDDEN: "Only an operator, or a manager of the groups concerned, may do this.",

  // Requests.
  BAD_REQUEST: "The HTTP request is malformed.",
  BAD_PATH: "The path of the request is malformed.",
  NOT_FOUND: "There is no such resource, document or operation, or whoever asks may not know of it.",
  METHOD: "The resource does not have this HTTP method.",
  TOO_LARGE: "The HTTP request is too large.",
  ENCODING: "The server does not accept compressed requests.",
  BAD_BODY: "The body of a SIP request cannot be read.",
  BODY_TYPE: "The body of a request is not of a type that is accepted there.",
  BODY_TOO_LARGE: "The body of a SIP request is larger than is accepted.",
  BAD_ADMIN_REQUEST: "A request to the admin API is malformed; the message says where.",
  BUSY: "The server has as many requests as it takes at a time; try again later.",
  INTERNAL: "The server failed in a way that nobody foresaw; its log says more.",

  // Admin APIs, seen from their clients.
  ADMIN_UNREACHABLE: "The admin API of the server does not answer; check that the server runs.",
  ADMIN_FAILED:
    "The admin API of the server answered with an error that its client does not know, or its answer broke off.",
  ADMIN_GONE: "Whoever asked the admin API went away before the work was done.",

  // Clocks and processes.
  CLOCK_OFF: "The clocks of the server and of its database differ too much; check that NTP runs on both.",
  CLOCK_AHEAD:
    "The next T of the GMS would be too far ahead of its database's clock for members to take it; correct that clock, then use `mikey-sakke group reset-clock`.",
  LEASE_OVER: "The database does not know this process of the MCX server as one that lives.",

  // Configuration.
  BAD_CONFIG: "The configuration of a server is wrong; the message names each setting and what it must be.",
  BAD_ENVIRONMENT: "A variable of the environment that configures a server has a value that it cannot have.",

  // The operators' console.
  WRONG_HOST: "The request to the console names another host than the console's.",
  WRONG_ORIGIN: "The request to the console comes from the page of another origin.",
  CSRF: "The request to the console lacks the token of its session; load the page again.",
  SIGN_IN: "The operator is not signed in to the console, or the code of the sign-in is wrong, used or over.",
  TOO_MANY_ATTEMPTS: "There were too many wrong codes from this address; wait a minute.",
  PAGE_MISSING: "The page of the console was not built; run `npm run build:web`.",
} as const;
