// A self-signed certificate for 127.0.0.1, made when a test asks for it: no key is kept anywhere.
import { generateKeyPairSync, sign } from "node:crypto";

/** One DER value: its tag, its length, its contents. */
function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  const length =
    body.length < 128
      ? [body.length]
      : body.length < 256
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const sequence = (...contents: readonly Uint8Array[]): Buffer => der(0x30, ...contents);
const hex = (text: string): Buffer => Buffer.from(text, "hex");
const utcTime = (text: string): Buffer => der(0x17, Buffer.from(text));

const ECDSA_WITH_SHA256 = sequence(der(0x06, hex("2a8648ce3d040302")));
const COMMON_NAME = der(0x06, hex("550403"));
const SUBJECT_ALT_NAME = der(0x06, hex("551d11"));

/** A key and its certificate, as `https.createServer` takes them. */
export function selfSigned(): { readonly key: string; readonly cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = sequence(
    der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from("tailwire test only")))),
  );
  const address = sequence(der(0x87, Buffer.from([127, 0, 0, 1])));
  const body = sequence(
    der(0xa0, der(0x02, hex("02"))),
    der(0x02, hex("01")),
    ECDSA_WITH_SHA256,
    name,
    sequence(utcTime("200101000000Z"), utcTime("491231235959Z")),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(sequence(SUBJECT_ALT_NAME, der(0x04, address)))),
  );
  const signature = der(0x03, hex("00"), sign("sha256", body, privateKey));
  const certificate = sequence(body, ECDSA_WITH_SHA256, signature).toString("base64");
  const lines = certificate.match(/.{1,64}/g)?.join("\n") ?? "";
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}
