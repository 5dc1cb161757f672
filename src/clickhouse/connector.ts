import { readFileSync, statSync } from "node:fs";
import { buildConnector } from "undici";
import { ColdpathError, messageOf } from "../base/errors.js";

/** What a TLS connection is made with; PEM files. */
export interface TlsFiles {
  /** Who may sign the server's certificate, in place of the system's authorities. */
  readonly ca_file?: string | undefined;
  /** Our certificate, for servers that ask for one. */
  readonly cert_file?: string | undefined;
  readonly key_file?: string | undefined;
  /** Name asked for (SNI) and expected in the server's certificate, in place of the address's. */
  readonly server_name?: string | undefined;
}

const CONNECT_TIMEOUT_MS = 10_000;
const FILES = ["ca_file", "cert_file", "key_file"] as const;

/**
 * Makes connections with the files as they are at that moment, so that renewed certificates count without a restart. As
 * long as no file changes, TLS sessions are resumed.
 */
export function connectorFor(tls: TlsFiles): buildConnector.connector {
  let built: { readonly version: string; readonly connect: buildConnector.connector } | undefined;
  return (options, callback) => {
    try {
      const version = FILES.map((key) => versionOf(key, tls[key])).join();
      if (built?.version !== version) built = { version, connect: build(tls) };
    } catch (error) {
      callback(error as Error, null);
      return;
    }
    built.connect(options, callback);
  };
}

function build(tls: TlsFiles): buildConnector.connector {
  const [ca, cert, key] = FILES.map((name) => read(name, tls[name]));
  return buildConnector({
    timeout: CONNECT_TIMEOUT_MS,
    // Said, or NODE_TLS_REJECT_UNAUTHORIZED=0 would decide.
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(tls.server_name === undefined ? {} : { servername: tls.server_name }),
  });
}

function versionOf(key: string, file: string | undefined): string {
  if (file === undefined) return "";
  return about(key, () => {
    const { mtimeMs, size, ino } = statSync(file);
    return `${mtimeMs}/${size}/${ino}`;
  });
}

function read(key: string, file: string | undefined): Buffer | undefined {
  return file === undefined ? undefined : about(key, () => readFileSync(file));
}

function about<T>(key: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new ColdpathError("CONFIG_INVALID", `cannot read clickhouse.tls.${key}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
