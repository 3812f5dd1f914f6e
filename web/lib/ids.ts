const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** 128 random bits as 26 characters, as the gateway writes identifiers. */
export function fileId(): string {
  const raw = crypto.getRandomValues(new Uint8Array(16));
  let bits = 0n;
  for (const b of raw) bits = (bits << 8n) | BigInt(b);
  let out = "";
  for (let shift = 125n; shift >= 0n; shift -= 5n) out += alphabet[Number((bits >> shift) & 31n)];
  return out;
}
