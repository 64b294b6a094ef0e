"""PyJWT as a minter: an order on standard input, what became of each of its tokens on standard output (minter.ts)."""

import base64
import json
import sys

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import HMACAlgorithm


class AnySecret(HMACAlgorithm):
    """Without the look at the key, which keeps a public one from being a secret."""

    def prepare_key(self, key):
        return key


lenient = jwt.PyJWS()
lenient.unregister_algorithm("HS256")
lenient.register_algorithm("HS256", AnySecret(HMACAlgorithm.SHA256))


def mint(wanted, keys):
    alg, claims = wanted["alg"], wanted["claims"]
    header = {name: value for name, value in wanted["header"].items() if name != "alg"}
    key = key_of(wanted, keys)
    try:
        return {"token": jwt.encode(claims, key, algorithm=alg, headers=header), "layer": "jwt"}
    except (TypeError, jwt.InvalidKeyError):
        payload = json.dumps(claims, separators=(",", ":")).encode()
        return {"token": lenient.encode(payload, key, algorithm=alg, headers=header), "layer": "jws"}


def key_of(wanted, keys):
    if wanted["alg"] == "none":
        return None
    secret = wanted.get("secret")
    return keys[wanted["key"]] if secret is None else base64.b64decode(secret)


order = json.load(sys.stdin)
# Reading a key takes longer than signing with it.
keys = {name: load_pem_private_key(key["pem"].encode(), None) for name, key in order["keys"].items()}
minted = {wanted["id"]: mint(wanted, keys) for wanted in order["tokens"]}
json.dump({"version": jwt.__version__, "minted": minted}, sys.stdout)
