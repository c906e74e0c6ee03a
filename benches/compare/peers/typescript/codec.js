// Encryption as Temporal's sample for TypeScript does it: nonce, ciphertext and tag of the whole payload.
const { webcrypto } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { METADATA_ENCODING_KEY } = require('@temporalio/common');
const { temporal } = require('@temporalio/proto');

const { Payload } = temporal.api.common.v1;
const ENCODING = 'binary/encrypted';
const utf8 = new TextEncoder();

class EncryptionCodec {
  static async create(keyFile) {
    const { active, keys } = JSON.parse(readFileSync(keyFile, 'utf8'));
    const usages = ['encrypt', 'decrypt'];
    const key = await webcrypto.subtle.importKey('raw', Buffer.from(keys[active], 'base64'), 'AES-GCM', false, usages);
    return new EncryptionCodec(active, key);
  }

  constructor(keyId, key) {
    this.metadata = { [METADATA_ENCODING_KEY]: utf8.encode(ENCODING), 'encryption-key-id': utf8.encode(keyId) };
    this.key = key;
  }

  async encode(payloads) {
    return Promise.all(payloads.map(async (payload) => ({ metadata: this.metadata, data: await this.seal(payload) })));
  }

  async decode(payloads) {
    return Promise.all(payloads.map((payload) => this.open(payload)));
  }

  async seal(payload) {
    const iv = webcrypto.getRandomValues(new Uint8Array(12));
    const sealed = await webcrypto.subtle.encrypt({ name: 'AES-GCM', iv }, this.key, Payload.encode(payload).finish());
    return Buffer.concat([iv, Buffer.from(sealed)]);
  }

  async open(payload) {
    const encoding = payload.metadata && payload.metadata[METADATA_ENCODING_KEY];
    if (!encoding || Buffer.from(encoding).toString() !== ENCODING) return payload;
    const [iv, sealed] = [payload.data.subarray(0, 12), payload.data.subarray(12)];
    return Payload.decode(new Uint8Array(await webcrypto.subtle.decrypt({ name: 'AES-GCM', iv }, this.key, sealed)));
  }
}

module.exports = { EncryptionCodec };
