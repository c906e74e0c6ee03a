"""Lets Microsoft's clients for Key Vault do everything once and prints what they saw, as JSON.

The environment tells them where to go, and nothing else does.

usage: key_vault.py SECRET KEY
"""

import datetime
import json
import os
import sys

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import WorkloadIdentityCredential
from azure.keyvault.keys import KeyClient
from azure.keyvault.keys.crypto import CryptographyClient, EncryptionAlgorithm, KeyWrapAlgorithm
from azure.keyvault.secrets import SecretClient


def secrets(client: SecretClient, name: str) -> dict:
    listed = list(client.list_properties_of_secret_versions(name))
    later = datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc)
    made = client.set_secret(name, "from Python", not_before=later, tags={"made-by": "python"})
    tagged = client.update_secret_properties(name, made.properties.version, tags={"seen": "yes"})
    client.update_secret_properties(name, listed[0].version, enabled=False)
    after = list(client.list_properties_of_secret_versions(name))
    return {
        "listed": sorted(version.version for version in listed),
        "made": made.properties.version,
        "read": client.get_secret(name).value,
        "not_before": made.properties.not_before.isoformat(),
        "created": made.properties.created_on is not None,
        "recoverable_days": made.properties.recoverable_days,
        "tags": tagged.tags,
        "disabled": [version.version for version in after if not version.enabled],
        "of_disabled": refusal(lambda: client.get_secret(name, listed[0].version)),
        "of_unknown": refusal(lambda: client.get_secret("another")),
        "unknown_is_not_found": isinstance(error(lambda: client.get_secret("another")), ResourceNotFoundError),
        "names": [properties.name for properties in client.list_properties_of_secrets()],
    }


def keys(client: KeyClient, credential, name: str) -> dict:
    key = client.get_key(name)
    # By its id alone, so that every operation is the vault's; with the key itself, wrapping is done here.
    remote = CryptographyClient(key.id, credential)
    local = CryptographyClient.from_jwk(key.key)
    data_key = os.urandom(32)
    wraps = [
        remote.wrap_key(KeyWrapAlgorithm.rsa_oaep_256, data_key).encrypted_key,
        local.wrap_key(KeyWrapAlgorithm.rsa_oaep_256, data_key).encrypted_key,
        remote.encrypt(EncryptionAlgorithm.rsa_oaep_256, data_key).ciphertext,
    ]
    unwrapped = [remote.unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, it).key for it in wraps]
    decrypted = remote.decrypt(EncryptionAlgorithm.rsa_oaep_256, wraps[0]).plaintext
    created = client.create_rsa_key(name, size=2048)
    return {
        "version": key.properties.version,
        "wrapped_length": len(wraps[0]),
        "round_trips": [it == data_key for it in [*unwrapped, decrypted]],
        "versions": len(list(client.list_properties_of_key_versions(name))),
        "latest_is_created": client.get_key(name).id == created.id,
    }


def error(call) -> HttpResponseError | None:
    try:
        call()
    except HttpResponseError as refused:
        return refused
    return None


def refusal(call) -> dict | None:
    refused = error(call)
    if refused is None:
        return None
    inner = refused.error.innererror if refused.error else None
    return {
        "status": refused.status_code,
        "code": refused.error.code if refused.error else None,
        "inner": inner.get("code") if inner else None,
    }


def main() -> None:
    secret, key = sys.argv[1:]
    vault = os.environ["KEYVAULT_URL"]
    credential = WorkloadIdentityCredential()
    seen = {
        "secrets": secrets(SecretClient(vault, credential), secret),
        "keys": keys(KeyClient(vault, credential), credential, key),
    }
    print(json.dumps(seen))


main()
