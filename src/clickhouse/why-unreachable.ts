import { ColdpathError, messageOf } from "../base/errors.js";

interface Why {
  /** What happened and what to do, for the end of a message that names the address. */
  readonly reason: string;
  /** No request can have left: there was no connection. */
  readonly neverSent: boolean;
}

/** Failures before there was a connection: the statement cannot have run. */
const NO_CONNECTION: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused: nothing listens there; check clickhouse.url, and that the server runs",
  ENOTFOUND: "there is no host of that name; check clickhouse.url",
  EAI_AGAIN: "the host's name cannot be looked up now; check the name service",
  EHOSTUNREACH: "no way leads to the host; check network and firewall",
  ENETUNREACH: "no way leads to the host's network; check network and firewall",
  UND_ERR_CONNECT_TIMEOUT: "no connection within 10 s; check host, port and firewall",
  // The server's certificate was looked at and refused here.
  SELF_SIGNED_CERT_IN_CHAIN:
    "its certificate is signed by an unknown authority; name it in clickhouse.tls.ca_file",
  DEPTH_ZERO_SELF_SIGNED_CERT:
    "its certificate is signed by itself; name that certificate in clickhouse.tls.ca_file",
  UNABLE_TO_GET_ISSUER_CERT:
    "its certificate is signed by an unknown authority; name it in clickhouse.tls.ca_file",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    "its certificate is signed by an unknown authority; name it in clickhouse.tls.ca_file",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "its certificate is signed by an unknown authority; name it in clickhouse.tls.ca_file",
  CERT_SIGNATURE_FAILURE: "its certificate is not signed by the authority in clickhouse.tls.ca_file",
  CERT_HAS_EXPIRED: "its certificate, or the authority's, has expired; renew it on the server",
  CERT_NOT_YET_VALID: "its certificate is not valid yet; check the clocks of both hosts",
  // Our own files.
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: "clickhouse.tls.key_file is not the key of clickhouse.tls.cert_file",
  ERR_OSSL_PEM_NO_START_LINE: "a file of clickhouse.tls is no PEM; check cert_file and key_file",
  ERR_OSSL_UNSUPPORTED:
    "clickhouse.tls.key_file holds no key that can be read; it must be PEM without a passphrase",
  ERR_OSSL_CRYPTO_INTERRUPTED_OR_CANCELLED:
    "clickhouse.tls.key_file has a passphrase; it must be PEM without one",
};

/** The server's end of the handshake refused ours. With TLS 1.3 that comes after the connection counts as made. */
const REFUSED_BY_SERVER: Readonly<Record<string, string>> = {
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    "it asks for a client certificate; set clickhouse.tls.cert_file and key_file",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA:
    "it does not know who signed our certificate; check clickhouse.tls.cert_file",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "it refuses our certificate; check clickhouse.tls.cert_file",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: "our certificate has expired; renew clickhouse.tls.cert_file",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: "it refuses our certificate; check clickhouse.tls.cert_file",
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE:
    "it refuses the TLS handshake: it may want a client certificate (clickhouse.tls.cert_file and key_file)",
  ERR_SSL_TLSV1_UNRECOGNIZED_NAME: "it knows no server of that name; check clickhouse.tls.server_name",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "it speaks no TLS version that we do (1.2 and 1.3)",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS on this port; use http:// or the port of https",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "it does not speak TLS on this port; use http:// or the port of https",
};

/** Why no answer came, in words that say what to do. */
export function whyUnreachable(cause: unknown): Why {
  // Whatever the settings are, they were read before anything was sent.
  if (cause instanceof ColdpathError) return { reason: cause.message, neverSent: true };
  const { code, name } = (cause ?? {}) as { code?: unknown; name?: unknown };
  if (name === "TimeoutError") return { reason: "no answer before the deadline", neverSent: false };
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return { reason: otherName(cause), neverSent: true };
  // OpenSSL 3.5 renamed the alerts of old.
  const key = String(code).replace("SSL/TLS_ALERT", "SSLV3_ALERT");
  const noConnection = Object.hasOwn(NO_CONNECTION, key) ? NO_CONNECTION[key] : undefined;
  if (noConnection !== undefined) return { reason: noConnection, neverSent: true };
  if (Object.hasOwn(REFUSED_BY_SERVER, key)) return { reason: REFUSED_BY_SERVER[key]!, neverSent: false };
  if (key.startsWith("HPE_"))
    return { reason: "what it answers is not HTTP; if the port speaks TLS, use https://", neverSent: false };
  // Several addresses of one name fail together without a text of their own.
  return { reason: messageOf(cause) || key, neverSent: false };
}

function otherName(cause: unknown): string {
  const { host, reason } = cause as { host?: string; reason?: string };
  const names = /altnames: (.*)$/.exec(reason ?? "")?.[1] ?? reason ?? "";
  return `its certificate is for another name than ${host} (${names}); use that name, or set clickhouse.tls.server_name`;
}
