import { generate } from "selfsigned";

/** A certificate and its key, PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const KIND = { keyType: "ec", curve: "P-256", algorithm: "sha256" } as const;

/** An authority of its own. */
export async function makeAuthority(name = "test authority"): Promise<Certificate> {
  const made = await generate([{ name: "commonName", value: name }], {
    ...KIND,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return { cert: made.cert, key: made.private };
}

/** A certificate by that authority for these DNS names and 127.0.0.1, valid until `notAfter`. */
export async function makeCertificate(
  { cert, key }: Certificate,
  names: readonly string[],
  { ip = true, notAfter }: { readonly ip?: boolean; readonly notAfter?: Date } = {},
): Promise<Certificate> {
  const made = await generate([{ name: "commonName", value: names[0]! }], {
    ...KIND,
    ca: { cert, key },
    notBeforeDate: new Date(Date.now() - 10 * 86_400_000),
    ...(notAfter === undefined ? {} : { notAfterDate: notAfter }),
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "extKeyUsage", serverAuth: true, clientAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          ...names.map((value) => ({ type: 2 as const, value })),
          ...(ip ? [{ type: 7 as const, ip: "127.0.0.1" }] : []),
        ],
      },
    ],
  });
  return { cert: made.cert, key: made.private };
}
